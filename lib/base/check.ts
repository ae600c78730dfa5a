// Argument checks: each returns the value it was given or throws an R1Error that names the option.
import { fileURLToPath } from "node:url";
import { R1Error } from "./errors.js";

/**
 * Describes a value in a few words: the value itself if it is short, otherwise its kind. Never
 * throws.
 */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (typeof value === "string")
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "function") return "a function";
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`;
    const name: unknown = value.constructor?.name;
    return typeof name === "string" && name !== "" ? `an ${name}` : "an object";
  } catch {
    return "an object that cannot be read"; // a proxy, or a getter that throws
  }
}

/** Like Array.isArray, which throws for a revoked proxy. */
export function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** Throws INVALID_ARGUMENT: *Expected what for `path` but received value*. */
export function refuse(path: string, expected: string, value: unknown): never {
  throw new R1Error(
    "INVALID_ARGUMENT",
    `Expected ${expected} for \`${path}\` but received ${describe(value)}.`,
    { details: { option: path } },
  );
}

/** Checks for an integer in a closed range. */
export function integer(value: unknown, path: string, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
    refuse(path, `an integer from ${min} to ${max}`, value);
  return value;
}

/** Checks for a finite number in a closed range. */
export function number(value: unknown, path: string, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max)
    refuse(path, `a number from ${min} to ${max}`, value);
  return value;
}

/** Checks for true or false. */
export function boolean(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") refuse(path, "true or false", value);
  return value;
}

/** Checks an option that is true or false, and false by default. */
export function flagOf(given: Readonly<Record<string, unknown>>, key: string): boolean {
  return given[key] === undefined ? false : boolean(given[key], key);
}

/** Checks for a string; a non-empty one unless `allowEmpty`. */
export function string(value: unknown, path: string, allowEmpty = false): string {
  if (typeof value !== "string" || (!allowEmpty && value.length === 0))
    refuse(path, allowEmpty ? "a string" : "a non-empty string", value);
  return value;
}

/**
 * Checks for the path of a file: a string that is not empty, contains no NUL character and is not a
 * URL.
 */
export function filePath(value: unknown, path: string): string {
  const text = string(value, path);
  if (text.includes("\0")) refuse(path, "the path of a file, without NUL characters", value);
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(text)) refuse(path, "the path of a file, not a URL", value);
  return text;
}

/** Checks for the path of a file, given as a path or as a file: URL. */
export function fileName(value: unknown, path: string): string {
  if (!(value instanceof URL)) return filePath(value, path);
  try {
    if (value.protocol === "file:") return filePath(fileURLToPath(value), path);
  } catch {
    // A host, or an escaped slash: not a file of this machine.
  }
  return refuse(path, "a path or a file: URL of this machine", value.href);
}

/** Checks for one of a list of strings. */
export function oneOf<const T extends string>(
  value: unknown,
  path: string,
  values: readonly T[],
): T {
  if (typeof value === "string" && (values as readonly string[]).includes(value)) return value as T;
  const near = typeof value === "string" ? nearest(value, values) : undefined;
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  throw new R1Error(
    "INVALID_ARGUMENT",
    `Expected one of ${values.map((v) => `"${v}"`).join(", ")} for \`${path}\` but received ${describe(value)}.${hint}`,
    { details: { option: path, nearest: near } },
  );
}

/** Checks for an array whose elements pass `each`. */
export function array<T>(
  value: unknown,
  path: string,
  each: (element: unknown, path: string) => T,
): T[] {
  if (!isArray(value)) refuse(path, "an array", value);
  // Not map(), which skips holes.
  return Array.from(value, (element, i) => each(element, `${path}[${i}]`));
}

/** Checks for an object whose keys can be read. */
export function object(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || isArray(value))
    refuse(path, "an object", value);
  try {
    Object.keys(value);
  } catch (error) {
    throw new R1Error("INVALID_ARGUMENT", `The object for \`${path}\` cannot be read.`, {
      cause: error,
      details: { option: path },
    });
  }
  return value as Record<string, unknown>;
}

/**
 * Checks that the value can be called; its signature is the one the caller names, and is not
 * checked.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function callback<T>(value: unknown, path: string): T {
  if (typeof value !== "function") refuse(path, "a function", value);
  return value as T;
}

/** Checks for an AbortSignal. */
export function signal(value: unknown, path: string): AbortSignal {
  let isSignal = false;
  try {
    isSignal = value instanceof AbortSignal;
  } catch {
    // A proxy that cannot be inspected.
  }
  if (!isSignal) refuse(path, "an AbortSignal", value);
  return value as AbortSignal;
}

/**
 * Number of edits (insert, delete, replace, swap neighbours) between two words, to find the nearest
 * valid name of a misspelt one.
 */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      let best = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, at(i - 2, j - 2) + 1);
      const row = rows[i];
      if (row !== undefined) row[j] = best;
    }
  }
  return at(a.length, b.length);
}

/**
 * Whether `short` is an abbreviation of `long`: the same first letter, and the other letters in the
 * same order.
 */
function abbreviates(short: string, long: string): boolean {
  if (short.length < 3 || short[0] !== long[0]) return false;
  let at = 0;
  for (const letter of long) if (letter === short[at]) at++;
  return at === short.length;
}

/** Longer names are not typing errors. */
const MAX_MISSPELT = 64;

/**
 * Returns the nearest of some names to a misspelt or shortened one, or undefined if none is near.
 */
export function nearest(name: string, names: readonly string[]): string | undefined {
  if (name.length > MAX_MISSPELT) return undefined;
  const plain = (text: string): string => text.toLowerCase().replace(/[-_]/g, "");
  let best: { name: string; edits: number } | undefined;
  for (const candidate of names) {
    const edits = distance(plain(name), plain(candidate));
    if (best === undefined || edits < best.edits) best = { name: candidate, edits };
  }
  if (best !== undefined && best.edits <= Math.max(2, Math.floor(name.length / 3)))
    return best.name;
  return names.find((candidate) => abbreviates(plain(name), plain(candidate)));
}

/**
 * Refuses every key that is not in `known`, and suggests the nearest valid one.
 *
 * @param form - How the whole is written, where other libraries write it otherwise.
 */
export function knownKeys(
  options: Record<string, unknown>,
  path: string,
  known: readonly string[],
  form?: string,
): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    const hint =
      near !== undefined
        ? `Did you mean \`${near}\`?`
        : form !== undefined
          ? `Write ${form}.`
          : `Known options: ${known.join(", ")}.`;
    throw new R1Error("UNKNOWN_OPTION", `\`${key}\` is not an option of ${path}. ${hint}`, {
      details: { option: key, nearest: near },
    });
  }
}
