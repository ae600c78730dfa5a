// The fields of a request that say how tokens are chosen, in the names of OpenAI and llama-server,
// and what the library calls them. Ranges are the library's: it checks them again.
import { z } from "zod";
import type { SamplingOptions } from "../../index.js";
import { badRequest } from "./api-error.js";

const number = z.number();
const count = z.int();

/** Sampling fields that OpenAI's protocol and llama-server have; protocols spread them in. */
export const samplingFields = {
  temperature: number.optional().describe("0: the most likely token always (default 0.6)"),
  top_p: number.optional().describe("Default 0.95"),
  top_k: count.optional().describe("0: all (default 40)"),
  min_p: number.optional().describe("Default 0.05"),
  typical_p: number.optional().describe("1: off (default)"),
  top_n_sigma: number.optional().describe("-1: off (default)"),
  repeat_penalty: number.optional().describe("1: off (default)"),
  repetition_penalty: number.optional().describe("The same as repeat_penalty"),
  repeat_last_n: count.optional().describe("Tokens that penalties look back on (default 64)"),
  frequency_penalty: number.optional().describe("0: off (default)"),
  presence_penalty: number.optional().describe("0: off (default)"),
  seed: number
    .refine(Number.isInteger, "Expected an integer")
    .optional()
    .describe("Modulo 2^32; -1: random (default)"),
  logit_bias: z
    .union([
      z.record(z.string(), z.union([number, z.literal(false)])),
      z.array(z.tuple([count, z.union([number, z.literal(false)])])),
    ])
    .optional()
    .describe("Added to the logits of token ids: an object or pairs; false forbids a token"),
  xtc_probability: number.optional(),
  xtc_threshold: number.optional(),
  dry_multiplier: number.optional(),
  dry_base: number.optional(),
  dry_allowed_length: count.optional(),
  dry_penalty_last_n: count.optional(),
  dry_sequence_breakers: z.array(z.string()).optional(),
  mirostat: z.union([z.literal(0), z.literal(1), z.literal(2)]).optional(),
  mirostat_tau: number.optional(),
  mirostat_eta: number.optional(),
  dynatemp_range: number.optional(),
  dynatemp_exponent: number.optional(),
  min_keep: count.optional(),
} as const;

type SamplingFields = Partial<z.output<z.ZodObject<typeof samplingFields>>>;

/** What the library calls the fields. */
export const SAMPLING_WORDS: Readonly<Record<string, string>> = Object.freeze({
  topP: "top_p",
  topK: "top_k",
  minP: "min_p",
  typicalP: "typical_p",
  topNSigma: "top_n_sigma",
  repeatPenalty: "repeat_penalty",
  penaltyLastN: "repeat_last_n",
  frequencyPenalty: "frequency_penalty",
  presencePenalty: "presence_penalty",
  logitBias: "logit_bias",
  dynamicTemperature: "dynatemp",
  minKeep: "min_keep",
  "dry.multiplier": "dry_multiplier",
  "dry.base": "dry_base",
  "dry.allowedLength": "dry_allowed_length",
  "dry.penaltyLastN": "dry_penalty_last_n",
  "mirostat.tau": "mirostat_tau",
  "mirostat.eta": "mirostat_eta",
  "dynamicTemperature.range": "dynatemp_range",
  "dynamicTemperature.exponent": "dynatemp_exponent",
});

const SEEDS = 2 ** 32;
/** 2^32-1 means "choose one" to llama.cpp. */
const MAX_SEED = SEEDS - 2;

/** A seed of any integer; undefined: a random one. */
export function seedOf(given: number | undefined): number | undefined {
  if (given === undefined || given === -1) return undefined;
  return Math.min(((given % SEEDS) + SEEDS) % SEEDS, MAX_SEED);
}

function biasOf(given: SamplingFields["logit_bias"]): Map<number, number> | undefined {
  if (given === undefined) return undefined;
  const pairs = Array.isArray(given) ? given : Object.entries(given);
  return new Map(
    pairs.map(([id, bias]) => {
      if (!/^\d+$/.test(String(id)))
        throw badRequest(
          "`logit_bias`: keys are token ids; POST /tokenize returns those of a text.",
          "logit_bias",
          "invalid_value",
        );
      return [Number(id), bias === false ? -Infinity : bias];
    }),
  );
}

/** Without the keys that are undefined; undefined when nothing is left. */
function group<T extends object>(value: T): T | undefined {
  const kept = Object.entries(value).filter(([, one]) => one !== undefined);
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as T);
}

/** The options of the library that the fields mean; fields that were not given set nothing. */
export function samplingOptions(fields: SamplingFields): SamplingOptions {
  const options = {
    temperature: fields.temperature,
    topP: fields.top_p,
    topK: fields.top_k,
    minP: fields.min_p,
    typicalP: fields.typical_p,
    topNSigma: fields.top_n_sigma,
    repeatPenalty: fields.repeat_penalty ?? fields.repetition_penalty,
    penaltyLastN: fields.repeat_last_n,
    frequencyPenalty: fields.frequency_penalty,
    presencePenalty: fields.presence_penalty,
    seed: seedOf(fields.seed),
    logitBias: biasOf(fields.logit_bias),
    minKeep: fields.min_keep,
    xtc: group({ probability: fields.xtc_probability, threshold: fields.xtc_threshold }),
    dry: group({
      multiplier: fields.dry_multiplier,
      base: fields.dry_base,
      allowedLength: fields.dry_allowed_length,
      penaltyLastN: fields.dry_penalty_last_n,
      sequenceBreakers: fields.dry_sequence_breakers,
    }),
    mirostat: group({
      version: fields.mirostat,
      tau: fields.mirostat_tau,
      eta: fields.mirostat_eta,
    }),
    dynamicTemperature: group({
      range: fields.dynatemp_range,
      exponent: fields.dynatemp_exponent,
    }),
  };
  return (group(options) ?? {}) as SamplingOptions;
}
