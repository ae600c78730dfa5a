// Named sampling presets.
import type { SamplingOptions } from "./options.js";

/**
 * Sampling presets, to pass directly or to spread: `{ ...presets.r1, temperature: 0.7 }`.
 *
 * - `r1`: R1's recommended values: temperature 0.6, top-p 0.95, min-p 0.05, no penalties. These are
 *   the defaults.
 * - `llamaCli`: the documented command line, `--temp 0.6 --min-p 0.05 --seed 3407`, with
 *   llama.cpp's other defaults (top-k 40, top-p 0.95): the same chain, and so the same tokens, as
 *   `llama-completion` with these flags.
 * - `greedy`: always the most likely token.
 */
export const presets = Object.freeze({
  r1: Object.freeze({
    temperature: 0.6,
    topK: 40,
    topP: 0.95,
    minP: 0.05,
  } satisfies SamplingOptions),
  llamaCli: Object.freeze({
    temperature: 0.6,
    topK: 40,
    topP: 0.95,
    minP: 0.05,
    seed: 3407,
  } satisfies SamplingOptions),
  greedy: Object.freeze({ temperature: 0 } satisfies SamplingOptions),
});

/** Name of a preset. */
export type PresetName = keyof typeof presets;
