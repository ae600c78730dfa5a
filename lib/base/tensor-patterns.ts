// Resolves patterns of tensor names to the names that they match in a file. llama.cpp matches with
// std::regex, which recurses and backtracks: a pattern could crash the process or never finish. So
// llama.cpp receives only names of the file.
import { createRequire } from "node:module";
import { setImmediate } from "node:timers/promises";
import type * as Re2js from "re2js";
import { R1Error } from "./errors.js";

/** Maximum time of one turn of the event loop. Unit: milliseconds. */
const TURN_MS = 5;

/** A tensor of a layer: `blk.`, its number, `.`, the rest. */
const OF_LAYER = /^blk\.(\d+)\.(.+)$/s;

const require = createRequire(import.meta.url);

/**
 * re2js is loaded with the first pattern: most programs use none.
 *
 * @param option - The option that contains the pattern, for the error.
 * @throws {R1Error} `INVALID_ARGUMENT`
 */
export function compilePattern(pattern: string, option: string): Re2js.RE2JS {
  const re2js = require("re2js") as typeof Re2js;
  try {
    return re2js.RE2JS.compile(pattern);
  } catch (error) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      `\`${option}\` contains the pattern ` +
        `"${pattern.length > 100 ? `${pattern.slice(0, 100)}…` : pattern}", which is not a ` +
        "valid RE2 regular expression (no look-around, no back references): " +
        `${(error as Error).message.slice(0, 200)}.`,
      { cause: error, details: { option } },
    );
  }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** Returns a few short patterns that match exactly these names of the file. */
function patternsOf(matched: readonly string[], names: readonly string[]): string[] {
  const layersOf = (all: readonly string[]): Map<string, string[]> => {
    const layers = new Map<string, string[]>();
    for (const name of all) {
      const [, layer, rest] = OF_LAYER.exec(name) ?? [];
      if (layer === undefined || rest === undefined) continue;
      const list = layers.get(rest);
      if (list === undefined) layers.set(rest, [layer]);
      else list.push(layer);
    }
    return layers;
  };
  const inFile = layersOf(names);
  const grouped = [...layersOf(matched)].map(([rest, layers]) =>
    inFile.get(rest)?.length === layers.length
      ? `^blk\\.[0-9]+\\.${escaped(rest)}$`
      : `^blk\\.(${layers.join("|")})\\.${escaped(rest)}$`,
  );
  const single = matched.filter((name) => !OF_LAYER.test(name)).map((name) => `^${escaped(name)}$`);
  return [...grouped, ...single];
}

/** A rule's pattern, resolved against a file. */
export interface ResolvedRule<Rule> {
  readonly rule: Rule;
  /**
   * Patterns that match only its names; empty if it matches none, or earlier rules match all of
   * them.
   */
  readonly patterns: readonly string[];
  readonly names: readonly string[];
}

/**
 * Resolves rules against the names of a file's tensors; the first rule that matches a name wins.
 * Linear in the patterns and names, in short turns of the event loop.
 *
 * @param option - The option that contains the rules, for errors.
 * @returns One entry per rule, in order; no two match the same tensor.
 * @throws the signal's reason; {R1Error} `INVALID_ARGUMENT` for an invalid pattern.
 */
export async function resolvePatterns<Rule extends { readonly pattern: string }>(
  names: readonly string[],
  rules: readonly Rule[],
  option: string,
  signal: AbortSignal | undefined,
): Promise<ResolvedRule<Rule>[]> {
  const matched = new Set<string>();
  const resolved: ResolvedRule<Rule>[] = [];
  let turn = performance.now();
  for (const rule of rules) {
    const compiled = compilePattern(rule.pattern, option);
    const own: string[] = [];
    for (const name of names) {
      if (!matched.has(name) && compiled.matcher(name).find()) own.push(name);
      if (performance.now() - turn > TURN_MS) {
        await setImmediate();
        signal?.throwIfAborted();
        turn = performance.now();
      }
    }
    for (const name of own) matched.add(name);
    resolved.push({ rule, patterns: own.length === 0 ? [] : patternsOf(own, names), names: own });
  }
  return resolved;
}
