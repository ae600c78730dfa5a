// Turns the patterns of `tensorOverrides` into the names they match in a file. llama.cpp tries patterns
// by std::regex, which recurses and backtracks: a pattern could end the process or never end. So only
// names of the file reach it.
import { setImmediate } from "node:timers/promises";
import { RE2JS } from "re2js";
import { R1Error } from "../base/errors.js";

/** Longest turn of the event loop. Unit: milliseconds. */
const TURN_MS = 5;

/** One entry of `tensorOverrides`. */
export interface TensorOverride {
  readonly pattern: string;
  readonly buffer: string;
}

/** A tensor of a layer: `blk.`, its number, `.`, the rest. */
const OF_LAYER = /^blk\.(\d+)\.(.+)$/s;

/** Matches nothing, and lets llama.cpp check the buffer's name. */
const NOTHING = "^$";

/** @throws {R1Error} `INVALID_ARGUMENT` */
export function compilePattern(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      `\`tensorOverrides\` has the pattern "${pattern.length > 100 ? `${pattern.slice(0, 100)}…` : pattern}", which is no regular expression of the RE2 kind (no look-around, no back references): ${(error as Error).message.slice(0, 200)}.`,
      { cause: error, details: { option: "tensorOverrides" } },
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

/** What the overrides come to in a file. */
export interface ResolvedOverrides {
  /** For llama.cpp; no two match the same tensor. */
  readonly overrides: TensorOverride[];
  /** Names that one of them matches. */
  readonly matched: ReadonlySet<string>;
}

export const NO_OVERRIDES: ResolvedOverrides = Object.freeze({
  overrides: [],
  matched: new Set<string>(),
});

/**
 * Resolves overrides against the names of a file's tensors; the first that matches counts. Linear in
 * the patterns and names, in short turns of the event loop.
 *
 * @throws the signal's reason; {R1Error} `INVALID_ARGUMENT` for what is no pattern.
 */
export async function resolveOverrides(
  names: readonly string[],
  overrides: readonly TensorOverride[],
  signal: AbortSignal | undefined,
): Promise<ResolvedOverrides> {
  const matched = new Set<string>();
  const resolved: TensorOverride[] = [];
  let turn = performance.now();
  for (const { pattern, buffer } of overrides) {
    const compiled = compilePattern(pattern);
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
    const patterns = own.length === 0 ? [NOTHING] : patternsOf(own, names);
    resolved.push(...patterns.map((exact) => ({ pattern: exact, buffer })));
  }
  return { overrides: resolved, matched };
}
