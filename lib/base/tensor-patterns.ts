// Turns patterns of tensor names into the names that they match in a file. llama.cpp matches by
// std::regex, which recurses and backtracks: a pattern could end the process or never end. So only
// names of the file reach it.
import { createRequire } from "node:module";
import { setImmediate } from "node:timers/promises";
import type * as Re2js from "re2js";
import { R1Error } from "./errors.js";

/** Longest turn of the event loop. Unit: milliseconds. */
const TURN_MS = 5;

/** A tensor of a layer: `blk.`, its number, `.`, the rest. */
const OF_LAYER = /^blk\.(\d+)\.(.+)$/s;

const require = createRequire(import.meta.url);

/**
 * re2js is loaded with the first pattern: most programs have none.
 *
 * @param option - The option that it stands in, for the error.
 * @throws {R1Error} `INVALID_ARGUMENT`
 */
export function compilePattern(pattern: string, option: string): Re2js.RE2JS {
  const re2js = require("re2js") as typeof Re2js;
  try {
    return re2js.RE2JS.compile(pattern);
  } catch (error) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      `\`${option}\` has the pattern "${pattern.length > 100 ? `${pattern.slice(0, 100)}…` : pattern}", which is no regular expression of the RE2 kind (no look-around, no back references): ${(error as Error).message.slice(0, 200)}.`,
      { cause: error, details: { option } },
    );
  }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** Few short patterns that match these names and no others of the file. */
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

/** What a rule's pattern comes to in a file. */
export interface ResolvedRule<Rule> {
  readonly rule: Rule;
  /** Patterns that match its names alone; empty: it matches none, or others before it match all. */
  readonly patterns: readonly string[];
  readonly names: readonly string[];
}

/**
 * Resolves rules against the names of a file's tensors; the first that matches a name counts.
 * Linear in the patterns and names, in short turns of the event loop.
 *
 * @param option - The option that the rules stand in, for errors.
 * @returns One entry a rule, in order; no two match the same tensor.
 * @throws the signal's reason; {R1Error} `INVALID_ARGUMENT` for what is no pattern.
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
