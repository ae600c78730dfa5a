// Options of several generations from one prompt, which differ in their seeds alone.
import { setMaxListeners } from "node:events";
import { integer } from "../base/check.js";
import type { GenerateConfig } from "../engine/engine-options.js";
import { MAX_SEED } from "../sampling/table.js";

/** What `model.choices` takes beside the options of the generations. */
export interface ChoicesOptions {
  /** How many. Range: 1 .. 64. */
  readonly n: number;
}

const MAX_CHOICES = 64;

/** @throws {R1Error} `INVALID_ARGUMENT` */
export function checkChoices(n: unknown): number {
  return integer(n, "n", 1, MAX_CHOICES);
}

/**
 * What a signal stands for, as one listener to it: past ten, Node takes the user's own signal for
 * leaking.
 */
function forMany(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}

/** The options of `n` generations whose seeds count up from the given one. */
export function choiceConfigs(config: GenerateConfig, n: number): GenerateConfig[] {
  const signal = forMany(config.signal);
  return Array.from({ length: n }, (_, i) => {
    const seed = (config.sampling.seed + i) % (MAX_SEED + 1);
    const sampling = Object.freeze({ ...config.sampling, seed });
    return Object.freeze({ ...config, sampling, signal });
  });
}
