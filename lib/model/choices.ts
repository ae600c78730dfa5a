// Options of several generations from one prompt that differ only in their seeds.
import { setMaxListeners } from "node:events";
import { integer } from "../base/check.js";
import type { GenerateConfig } from "../engine/engine-options.js";
import { MAX_SEED } from "../sampling/table.js";

/** Options of `model.choices` in addition to those of the generations. */
export interface ChoicesOptions {
  /** Number of generations. Range: 1 .. 64. */
  readonly n: number;
}

const MAX_CHOICES = 64;

/** @throws {R1Error} `INVALID_ARGUMENT` */
export function checkChoices(n: unknown): number {
  return integer(n, "n", 1, MAX_CHOICES);
}

/**
 * Returns a signal that adds only one listener to the user's signal: with more than ten, Node would
 * report a listener leak.
 */
function forMany(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}

/** Returns the options of `n` generations with consecutive seeds from the given one. */
export function choiceConfigs(config: GenerateConfig, n: number): GenerateConfig[] {
  const signal = forMany(config.signal);
  return Array.from({ length: n }, (_, i) => {
    const seed = (config.sampling.seed + i) % (MAX_SEED + 1);
    const sampling = Object.freeze({ ...config.sampling, seed });
    return Object.freeze({ ...config, sampling, signal });
  });
}
