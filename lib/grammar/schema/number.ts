// Grammar nodes for JSON numbers within bounds. Pure.
import { alt, chars, empty, optional, repeat, seq, text, type GrammarNode } from "../grammar.js";

/** Bounds of a number; a missing one is open. */
export interface Bounds {
  readonly min?: number | undefined;
  readonly isMinExclusive: boolean;
  readonly max?: number | undefined;
  readonly isMaxExclusive: boolean;
}

const digit = chars(["0", "9"]);
const nonZero = chars(["1", "9"]);

/** Digits after the point, and in all of an open-ended integer: what a double holds. */
const DIGITS = 15;

const digitsNode = (count: number): GrammarNode =>
  count === 0 ? empty : repeat(digit, count, count);

/** Numbers of one length, from a to b as digits. */
function sameLength(a: string, b: string): GrammarNode {
  if (a === b) return text(a);
  const [low, high] = [a.charAt(0), b.charAt(0)];
  const [afterLow, afterHigh] = [a.slice(1), b.slice(1)];
  if (low === high) return seq(text(low), sameLength(afterLow, afterHigh));
  const branches: GrammarNode[] = [];
  const isAll = (rest: string, character: string): boolean =>
    rest === character.repeat(rest.length);
  const from = isAll(afterLow, "0") ? low : String(Number(low) + 1);
  const to = isAll(afterHigh, "9") ? high : String(Number(high) - 1);
  if (from !== low)
    branches.push(seq(text(low), sameLength(afterLow, "9".repeat(afterLow.length))));
  if (from <= to)
    branches.push(seq(from === to ? text(from) : chars([from, to]), digitsNode(afterLow.length)));
  if (to !== high)
    branches.push(seq(text(high), sameLength("0".repeat(afterHigh.length), afterHigh)));
  return alt(...branches);
}

/** Integers from a to b, both at least 0. */
function naturals(a: bigint, b: bigint): GrammarNode[] {
  const branches: GrammarNode[] = [];
  for (let from = a; from <= b;) {
    const { length } = String(from);
    const end = 10n ** BigInt(length) - 1n;
    const to = end < b ? end : b;
    branches.push(sameLength(String(from), String(to)));
    from = to + 1n;
  }
  return branches;
}

const OPEN = 10n ** BigInt(DIGITS) - 1n;

/** Integers within bounds as nodes, negative ones first; none when the bounds hold none. */
function integers(min: bigint | undefined, max: bigint | undefined): GrammarNode[] {
  const low = min ?? ((max ?? 0n) < -OPEN ? (max ?? 0n) * 10n : -OPEN);
  const high = max ?? ((min ?? 0n) > OPEN ? (min ?? 0n) * 10n : OPEN);
  if (low > high) return [];
  const branches: GrammarNode[] = [];
  if (low < 0n)
    branches.push(...naturals(high < 0n ? -high : 1n, -low).map((node) => seq(text("-"), node)));
  if (high >= 0n) branches.push(...naturals(low > 0n ? low : 0n, high));
  return branches;
}

/** The integers that bounds leave. */
function integerBounds(bounds: Bounds): { min: bigint | undefined; max: bigint | undefined } {
  const { min, max } = bounds;
  const low =
    min === undefined
      ? undefined
      : BigInt(Math.ceil(min)) + (bounds.isMinExclusive && Number.isInteger(min) ? 1n : 0n);
  const high =
    max === undefined
      ? undefined
      : BigInt(Math.floor(max)) - (bounds.isMaxExclusive && Number.isInteger(max) ? 1n : 0n);
  return { min: low, max: high };
}

/** Numbers of this size and more are not written, but where a bound asks for them. */
const FAR = 10 ** (DIGITS + 1);

/** Bounds that lie beyond what is written stay away, and others beside them come nearer. */
function nearer(bounds: Bounds): Bounds {
  let { min, max } = bounds;
  if (min !== undefined && min < -FAR * 10 && (max === undefined || max > -FAR)) min = undefined;
  if (max !== undefined && max > FAR * 10 && (min === undefined || min < FAR)) max = undefined;
  if (min === undefined && max === undefined)
    return { isMinExclusive: false, isMaxExclusive: false };
  return {
    ...(min === undefined ? {} : { min }),
    isMinExclusive: min !== undefined && bounds.isMinExclusive,
    ...(max === undefined ? {} : { max }),
    isMaxExclusive: max !== undefined && bounds.isMaxExclusive,
  };
}

/** Whether numbers with exponents are within bounds, so large are they. */
function areOpen({ min, max }: Bounds): boolean {
  return (min === undefined || min < -1e120) && (max === undefined || max > 1e120);
}

/** JSON integers within bounds; undefined when there is none. */
export function integerNode(given: Bounds): GrammarNode | undefined {
  const bounds = nearer(given);
  const { min, max } = integerBounds(bounds);
  if (min === undefined && max === undefined)
    return seq(optional(text("-")), alt(text("0"), seq(nonZero, repeat(digit, 0, DIGITS - 1))));
  const branches = integers(min, max);
  return branches.length === 0 ? undefined : alt(...branches);
}

const fraction = seq(text("."), repeat(digit, 1, DIGITS));
/** A fraction that is not zero, so short that no number rounds onto a bound. */
function someFraction(bounds: Bounds): GrammarNode {
  const whole = Math.max(
    ...[bounds.min ?? 0, bounds.max ?? 0].map(
      (bound) => String(BigInt(Math.trunc(Math.abs(bound)))).length,
    ),
  );
  const places = Math.max(1, DIGITS - whole);
  return seq(
    text("."),
    repeat(text("0"), 0, Math.floor((places - 1) / 2)),
    nonZero,
    repeat(digit, 0, Math.floor((places - 1) / 2)),
  );
}

/**
 * Returns JSON numbers within bounds; undefined if there are none. Without bounds: all forms,
 * including exponents. With bounds: integers, and fractions between them; if a bound is not an
 * integer, the numbers beyond the last whole one are omitted.
 */
export function numberNode(given: Bounds): GrammarNode | undefined {
  const bounds = nearer(given);
  if (bounds.min === undefined && bounds.max === undefined) {
    const exponent = seq(chars("e", "E"), optional(chars("+", "-")), repeat(digit, 1, 2));
    return seq(
      optional(text("-")),
      alt(text("0"), seq(nonZero, repeat(digit, 0, DIGITS - 1))),
      optional(fraction),
      ...(areOpen(given) ? [optional(exponent)] : []),
    );
  }
  // Between whole numbers a and a+1 lie the fractions of a, for negative ones those of a+1 written
  // with a minus.
  const low = bounds.min === undefined ? undefined : BigInt(Math.ceil(bounds.min));
  const high = bounds.max === undefined ? undefined : BigInt(Math.floor(bounds.max));
  const branches: GrammarNode[] = [];
  const exact = integerNode(bounds);
  if (exact !== undefined) branches.push(seq(exact, optional(text(".0"))));
  const upper = high === undefined ? undefined : high - 1n;
  if (upper === undefined || upper >= 0n) {
    const whole = integers(low === undefined || low < 0n ? 0n : low, upper);
    if (whole.length > 0) branches.push(seq(alt(...whole), someFraction(bounds)));
  }
  if (low === undefined || low < 0n) {
    const far = low === undefined ? undefined : -low - 1n;
    const near = high === undefined || high > 0n ? 0n : -high;
    const whole = integers(near, far);
    if (whole.length > 0) branches.push(seq(text("-"), alt(...whole), someFraction(bounds)));
  }
  if (branches.length === 0) return narrow(bounds);
  return alt(...branches);
}

/** Numbers between two bounds that have no whole number between them: by decimals of one length. */
function narrow(bounds: Bounds): GrammarNode | undefined {
  const { min, max } = bounds;
  if (min === undefined || max === undefined || min > max) return undefined;
  for (let places = 1; places <= 6; places++) {
    const scale = 10 ** places;
    let [low, high] = [Math.ceil(min * scale), Math.floor(max * scale)];
    while (low / scale < min || (bounds.isMinExclusive && low / scale <= min)) low++;
    while (high / scale > max || (bounds.isMaxExclusive && high / scale >= max)) high--;
    if (low > high || !Number.isSafeInteger(low) || !Number.isSafeInteger(high)) continue;
    const sign = high <= 0 && low < 0 ? "-" : "";
    const [a, b] = sign === "-" ? [-high, -low] : [low, high];
    const width = Math.max(places + 1, String(b).length);
    if (a < 0 || String(a).padStart(places + 1, "0").length !== width) continue;
    const at = width - places;
    const [from, to] = [String(a).padStart(width, "0"), String(b).padStart(width, "0")];
    if (from.slice(0, at) !== to.slice(0, at)) continue;
    return seq(text(`${sign}${from.slice(0, at)}.`), sameLength(from.slice(at), to.slice(at)));
  }
  return undefined;
}
