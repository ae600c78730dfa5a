// Puts the same questions to this library and to upstream, and tells where the ids differ. Runs in
// the test process.
import { fileURLToPath } from "node:url";
import type { GenerateOptions } from "../../lib/engine/engine-options.js";
import type { Model } from "../../lib/model/model.js";
import type { Oracle, Trace } from "./oracle.js";

/** The embedded model. */
export const TINY_R1 = fileURLToPath(new URL("../../models/tiny-r1.gguf", import.meta.url));

/** One setting, in both languages. */
export interface Setting {
  readonly name: string;
  readonly flags: readonly string[];
  readonly options: GenerateOptions;
}

/** The most likely token always. */
export const GREEDY: Setting = {
  name: "greedy",
  flags: ["--temp", "0"],
  options: { temperature: 0 },
};

/** The documented command line: llama.cpp's other defaults stay active. */
export const DOCUMENTED: Setting = {
  name: "--temp 0.6 --min-p 0.05 --seed 3407",
  flags: ["--temp", "0.6", "--min-p", "0.05", "--seed", "3407"],
  options: { temperature: 0.6, minP: 0.05, seed: 3407 },
};

/** One comparison: what was asked and both answers. */
export interface Comparison {
  readonly name: string;
  readonly upstream: Trace;
  readonly prompt: number[];
  readonly tokens: number[];
  readonly finishReason: string;
}

/** Upstream's flags for what a model was loaded with. */
export interface Loaded {
  readonly model: Model;
  readonly file: string;
  readonly flags: readonly string[];
}

/** Puts every prompt to both, one after the other on our side. */
export async function compare(
  oracle: Oracle,
  { model, file, flags }: Loaded,
  prompts: Readonly<Record<string, string>>,
  setting: Setting,
  maxTokens: number,
): Promise<Comparison[]> {
  const entries = Object.entries(prompts);
  const questions = entries.map(([, prompt]) => ({
    file,
    prompt,
    maxTokens,
    flags: [...flags, ...setting.flags],
  }));
  const isAlone = flags.some((flag, i) => ["-t", "-tb"].includes(flag) && flags[i + 1] !== "1");
  const upstream = await oracle.askAll(questions, isAlone ? 1 : 2);
  const results: Comparison[] = [];
  for (const [i, [name, prompt]] of entries.entries()) {
    const own = model.tokenizer.encode(prompt, { special: true });
    const { tokens, finishReason } = await model
      .complete(prompt, { maxTokens, loopGuard: false, ...setting.options })
      .result();
    results.push({
      name,
      upstream: upstream[i]!,
      prompt: [model.tokenizer.bos, ...own],
      tokens: [...tokens],
      finishReason,
    });
  }
  return results;
}

/** Names of the comparisons in which an id differs, and where; empty: parity. */
export function differences(comparisons: readonly Comparison[]): string[] {
  return comparisons.flatMap(({ name, upstream, prompt, tokens }) => {
    if (JSON.stringify(prompt) !== JSON.stringify(upstream.prompt))
      return [`${name}: the ids of the prompt differ`];
    if (JSON.stringify(tokens) === JSON.stringify(upstream.tokens)) return [];
    const at = tokens.findIndex((id, i) => id !== upstream.tokens[i]);
    return [
      `${name}: ${tokens.length} ids against ${upstream.tokens.length}, the first other one at ${at < 0 ? tokens.length : at}`,
    ];
  });
}

/** Collects counts over a file's tests, to be printed at its end. */
export class Tally {
  #equal = 0;
  #total = 0;
  #ids = 0;
  #ended = 0;

  add(comparisons: readonly Comparison[]): void {
    this.#total += comparisons.length;
    this.#equal += comparisons.length - differences(comparisons).length;
    this.#ids += comparisons.reduce((sum, { upstream }) => sum + upstream.tokens.length, 0);
    this.#ended += comparisons.filter(({ finishReason }) => finishReason === "stop").length;
  }

  print(what: string): void {
    console.log(
      `parity, ${what}: ${this.#equal} of ${this.#total} runs equal to upstream's in every id (${this.#ids} ids generated; ${this.#ended} runs ended by themselves)`,
    );
  }
}
