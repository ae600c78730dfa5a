// Several generations from one prompt, which differ in their seeds alone. Runs on the JavaScript thread that loaded the model.
import { setMaxListeners } from "node:events";
import { integer } from "../base/check.js";
import type { Engine } from "../engine/engine.js";
import type { GenerateConfig } from "../engine/engine-options.js";
import type { Generation } from "../engine/generation.js";
import type { Prompt } from "../engine/request.js";
import type { AnswerReader } from "../reasoning/segmenter.js";
import { MAX_SEED } from "../sampling/table.js";

/** What `model.choices` takes beside the options of the generations. */
export interface ChoicesOptions {
  /** How many. Range: 1 .. 64. */
  readonly n: number;
}

const MOST_CHOICES = 64;

/** A prompt and its options, checked: what a generation needs to start. */
export interface Prepared {
  readonly prompt: Prompt;
  readonly config: GenerateConfig;
  /** Makes another reader of tool calls; each generation has its own. */
  readonly newReader?: () => AnswerReader;
}

/** @throws {R1Error} `INVALID_ARGUMENT` */
export function checkChoices(n: unknown): number {
  return integer(n, "n", 1, MOST_CHOICES);
}

/** What a signal stands for, as one listener to it: past ten, Node takes the user's own signal for leaking. */
function forMany(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}

/**
 * Starts `n` generations with seeds that count up from the first one's, all or none.
 *
 * @throws {R1Error} as `Engine.generate`; those that had started are cancelled then.
 */
export function startChoices(
  engine: Engine,
  n: number,
  { prompt, config, newReader }: Prepared,
): Generation[] {
  const started: Generation[] = [];
  const signal = forMany(config.signal);
  try {
    for (let i = 0; i < n; i++) {
      const sampling = Object.freeze({
        ...config.sampling,
        seed: (config.sampling.seed + i) % (MAX_SEED + 1),
      });
      const own = newReader === undefined ? prompt : { ...prompt, reader: newReader() };
      started.push(engine.generate(own, Object.freeze({ ...config, sampling, signal })));
    }
  } catch (error) {
    for (const generation of started) generation.cancel();
    throw error;
  }
  return started;
}
