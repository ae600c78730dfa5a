// The rules of JSON Schema for values: types, equality, lengths, multiples, and which parts were
// evaluated.
import type { Steps } from "./pattern-matcher.js";

/** Properties and items that keywords have evaluated. */
export class Evaluated {
  readonly names = new Set<string>();
  readonly items = new Set<number>();

  add(other: Evaluated): void {
    for (const name of other.names) this.names.add(name);
    for (const item of other.items) this.items.add(item);
  }
}

/** Whether a value has one of the types. */
export function typeFits(type: unknown, value: unknown): boolean {
  return Array.isArray(type) ? type.some((each) => hasType(each, value)) : hasType(type, value);
}

function hasType(type: unknown, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

/** Returns a text that is the same only for equal JSON values. */
export function canonical(value: unknown, steps?: Steps): string {
  steps?.take(1);
  if (typeof value === "string") {
    steps?.take(value.length >> 2);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((each) => canonical(each, steps)).join()}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.keys(value)
      .sort()
      .map(
        (name) =>
          `${canonical(name, steps)}:${canonical((value as Record<string, unknown>)[name], steps)}`,
      )
      .join()}}`;
  return JSON.stringify(value) ?? "";
}

/** The length of a text in characters, each surrogate pair counted once. */
export function lengthOf(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const code = text.charCodeAt(i);
    if (code < 0xd800 || code > 0xdbff) continue;
    const next = text.charCodeAt(i + 1);
    if (next >= 0xdc00 && next <= 0xdfff) {
      length--;
      i++;
    }
  }
  return length;
}

/** A number as digits and a power of ten, as in its decimal form. */
function decimal(value: number): [digits: bigint, exponent: number] {
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return [BigInt(whole + fraction), Number(exponent) - fraction.length];
}

/** Whether a number is a multiple of another, both in their decimal form. */
export function isMultiple(value: number, step: number): boolean {
  const [digits, exponent] = decimal(value);
  const [by, power] = decimal(step);
  const least = Math.min(exponent, power);
  const scale = (one: bigint, from: number): bigint => one * 10n ** BigInt(from - least);
  return scale(digits, exponent) % scale(by, power) === 0n;
}
