// What a generation takes: every option once, checked and completed in one place. Runs on any
// JavaScript thread.
import {
  array,
  boolean,
  integer,
  knownKeys,
  object,
  refuse,
  signal,
  string,
} from "../base/check.js";
import type { Awaitable } from "../base/awaitable.js";
import { R1Error } from "../base/errors.js";
import type { NativeSampling } from "../binding/native-request.js";
import { SAMPLING_KEYS, normalizeSampling } from "../sampling/options.js";
import type { SamplingOptions } from "../sampling/options.js";
import { normalizeReasoning } from "../reasoning/options.js";
import type { ReasoningConfig, ReasoningOptions } from "../reasoning/options.js";
import { responseForm } from "../grammar/response.js";
import type { ResponseOptions } from "../grammar/response.js";

/**
 * Options of a generation. A name that is not here is refused with UNKNOWN_OPTION and the nearest
 * right one.
 */
export interface GenerateOptions extends SamplingOptions {
  /**
   * Most tokens to generate, reasoning and the ending token included. Ends with reason `"length"`.
   * Unit: tokens. Range: 1 .. 2^31-1.
   * @defaultValue until the context is full
   */
  readonly maxTokens?: number | undefined;
  /**
   * Texts that end the generation with reason `"stop-string"`. No part of one is ever given out. At
   * most 64, each at most 1024 characters.
   * @defaultValue none
   */
  readonly stop?: string | readonly string[] | undefined;
  /**
   * Token ids that end the generation with reason `"stop"`, beside the vocabulary's own. With
   * `response` or a forced tool call neither can come before the answer is whole; inside the
   * reasoning one closes the reasoning instead. @defaultValue none; a chat also stops at `<｜User｜>`
   */
  readonly stopTokens?: readonly number[] | Int32Array | undefined;
  /**
   * Gives the generation up: `for await` then throws `signal.reason`, `result()` resolves with what
   * there is and finishReason `"aborted"`.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Makes end-of-generation tokens impossible, so that only `maxTokens`, `stop` or a full context
   * end it. Not beside `response` or a forced tool call.
   * @defaultValue false
   */
  readonly ignoreEos?: boolean | undefined;
  /**
   * Reports each token's log probability in `result().logprobs` and in the deltas: true, or the
   * number of alternatives to report with it. Range: 0 .. 20.
   * @defaultValue no log probabilities
   */
  readonly logprobs?: number | boolean | undefined;
  /**
   * Alternatives to report with each token; asks for `logprobs` by itself. Range: 0 .. 20.
   * @defaultValue the number given as `logprobs`, else 0
   */
  readonly topLogprobs?: number | undefined;
  /**
   * Larger runs first when generations wait; equal ones in order of arrival. Range: -1000 .. 1000.
   * @defaultValue 0
   */
  readonly priority?: number | undefined;
  /**
   * From the call to the last token; ends with reason `"timeout"`. Unit: milliseconds. Range: 0 ..
   * 2^31-1; 0: no limit.
   * @defaultValue 0
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Takes over cells that an earlier prompt with the same beginning computed. Changes no greedy
   * output.
   * @defaultValue true
   */
  readonly cachePrompt?: boolean | undefined;
  /**
   * Tells how far the prompt is in `prompt-progress` parts.
   * @defaultValue false
   */
  readonly promptProgress?: boolean | undefined;
  /**
   * Guesses several tokens at once and verifies them in one step: `draft` with the model's
   * `draftModel`, else `ngram` from repeated n-grams of the text. Both are the longest guess. Fewer
   * or none are made where that would not pay, by what steps of so many rows took lately. Never
   * another greedy output. Unit: tokens. Range: 0 .. the model's `maxDraft`.
   * @defaultValue `{ draft: 7 }` with a draft model, else off
   */
  readonly speculation?: false | { readonly ngram?: number; readonly draft?: number };
  /**
   * Ends with reason `"loop"` when this many tokens in a row, and at least four rounds, repeat one
   * cycle of up to 1024 tokens; false or 0: never, true: the default. Range: 0 .. 2^20.
   * @defaultValue 1024
   */
  readonly loopGuard?: number | boolean | undefined;
  /**
   * How much the model thinks: a budget in tokens, held to the token; in a chat also whether it
   * thinks.
   * @defaultValue as it likes
   */
  readonly reasoning?: ReasoningOptions | undefined;
  /**
   * Holds the answer to a JSON Schema or a grammar; the reasoning stays free.
   * @defaultValue free
   */
  readonly response?: ResponseOptions | undefined;
}

/** Every option of a generation with its value. */
export interface GenerateConfig {
  readonly sampling: NativeSampling;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly stopTokens: readonly number[];
  readonly signal: AbortSignal | undefined;
  readonly ignoreEos: boolean;
  readonly logprobs: number;
  readonly priority: number;
  readonly timeoutMs: number;
  readonly cachePrompt: boolean;
  readonly promptProgress: boolean;
  readonly ngramDraft: number;
  readonly modelDraft: number;
  readonly loopGuard: number;
  readonly reasoning: ReasoningConfig;
  /** What the answer is held to; undefined: nothing. */
  readonly form: AnswerForm | undefined;
}

/**
 * Compiles what an answer is held to into GBNF for what follows the reasoning: in the call where
 * that is quick or was done before. What it throws or rejects with ends the generation.
 */
export type AnswerForm = () => Awaitable<string>;

/**
 * Repeated tokens that count as a loop unless the user says otherwise: far above any list or table
 * that a real answer repeats.
 */
const DEFAULT_LOOP_GUARD = 1024;

const OWN_KEYS = [
  "maxTokens",
  "stop",
  "stopTokens",
  "signal",
  "ignoreEos",
  "logprobs",
  "topLogprobs",
  "priority",
  "timeoutMs",
  "cachePrompt",
  "promptProgress",
  "speculation",
  "loopGuard",
  "reasoning",
  "response",
] as const satisfies readonly Exclude<keyof GenerateOptions, keyof SamplingOptions>[];

/** Names of all options of a generation. */
export const GENERATE_KEYS: readonly string[] = Object.freeze([...OWN_KEYS, ...SAMPLING_KEYS]);

/** What the check of an option depends on. */
export interface GenerateLimits {
  /** Tokens of the vocabulary: ids lie below. */
  readonly vocabSize: number;
  /** The engine's `maxDraft`. */
  readonly maxDraft: number;
  /** It has a draft model. */
  readonly hasDraftModel: boolean;
}

function stopStrings(value: unknown): readonly string[] {
  const list = typeof value === "string" ? [value] : array(value, "stop", (entry) => entry);
  if (list.length > 64) refuse("stop", "at most 64 strings", value);
  return list.map((entry, i) => {
    const text = string(entry, Array.isArray(value) ? `stop[${i}]` : "stop");
    return text.length > 1024 ? refuse("stop", "strings of at most 1024 characters", text) : text;
  });
}

function logprobCount(value: unknown, path: string): number {
  return typeof value === "boolean" ? (value ? 0 : -1) : integer(value, path, 0, 20);
}

function topLogprobs(value: unknown, path: string, logprobs: unknown): number {
  if (logprobs === false) refuse(path, "no number together with `logprobs: false`", value);
  return integer(value, path, 0, 20);
}

/**
 * Guesses of a draft model unless the user says otherwise: with the token before them eight rows,
 * which a CPU computes at the price of four (docs/benchmark.md).
 */
const DEFAULT_MODEL_DRAFT = 7;

function draftLengths(
  value: unknown,
  limits: GenerateLimits,
): { ngramDraft: number; modelDraft: number } {
  if (value === undefined)
    return {
      ngramDraft: 0,
      modelDraft: limits.hasDraftModel ? Math.min(DEFAULT_MODEL_DRAFT, limits.maxDraft) : 0,
    };
  if (value === false) return { ngramDraft: 0, modelDraft: 0 };
  const given = object(value, "speculation");
  knownKeys(given, "speculation", ["ngram", "draft"]);
  const length = (key: "ngram" | "draft"): number => {
    if (given[key] === undefined) return 0;
    const path = `speculation.${key}`;
    const most = integer(given[key], path, 0, 64);
    if (most <= limits.maxDraft) return most;
    throw new R1Error(
      "INVALID_ARGUMENT",
      `\`${path}\` is ${most}, but the model was loaded with maxDraft ${limits.maxDraft}. Load it with \`maxDraft: ${most}\`.`,
      {
        details: { option: path },
      },
    );
  };
  const lengths = { ngramDraft: length("ngram"), modelDraft: length("draft") };
  if (lengths.modelDraft > 0 && !limits.hasDraftModel) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`speculation.draft` needs a draft model: load the model with `draftModel`, or use `speculation: { ngram }`.",
      {
        details: { option: "speculation.draft" },
      },
    );
  }
  return lengths;
}

/**
 * Checks and completes the options of one generation.
 *
 * @param given - What the user gave; further keys of the caller's are already taken out.
 * @param where - Names the method in messages, e.g. `complete`.
 * @param alsoKnown - Further option names of this method, for the nearest right name.
 * @throws {R1Error} `UNKNOWN_OPTION`, `INVALID_ARGUMENT`.
 */
export function normalizeGenerate(
  given: Record<string, unknown>,
  where: string,
  limits: GenerateLimits,
  alsoKnown: readonly string[] = [],
): GenerateConfig {
  knownKeys(given, where, [...GENERATE_KEYS, ...alsoKnown]);
  const samplingGiven: Record<string, unknown> = {};
  for (const key of SAMPLING_KEYS) if (given[key] !== undefined) samplingGiven[key] = given[key];
  const or = <T>(
    key: (typeof OWN_KEYS)[number],
    fallback: T,
    check: (value: unknown, path: string) => T,
  ): T => (given[key] === undefined ? fallback : check(given[key], key));
  const sampling = normalizeSampling(samplingGiven, where);
  const foreign = sampling.logitBiasTokens.find((id) => id >= limits.vocabSize);
  if (foreign !== undefined)
    refuse("logitBias", `token ids below the vocabulary's ${limits.vocabSize}`, foreign);
  return Object.freeze({
    sampling,
    maxTokens: or("maxTokens", -1, (value, path) => integer(value, path, 1, 2 ** 31 - 1)),
    stop: Object.freeze(or("stop", [], stopStrings)),
    stopTokens: Object.freeze(
      or("stopTokens", [] as readonly number[], (value, path) =>
        array(value instanceof Int32Array ? [...value] : value, path, (id, at) =>
          integer(id, at, 0, limits.vocabSize - 1),
        ),
      ),
    ),
    signal: or("signal", undefined as AbortSignal | undefined, signal),
    ignoreEos: or("ignoreEos", false, boolean),
    logprobs: or("topLogprobs", or("logprobs", -1, logprobCount), (value, path) =>
      topLogprobs(value, path, given["logprobs"]),
    ),
    priority: or("priority", 0, (value, path) => integer(value, path, -1000, 1000)),
    timeoutMs: or("timeoutMs", 0, (value, path) => integer(value, path, 0, 2 ** 31 - 1)),
    cachePrompt: or("cachePrompt", true, boolean),
    promptProgress: or("promptProgress", false, boolean),
    ...draftLengths(given.speculation, limits),
    loopGuard: or("loopGuard", DEFAULT_LOOP_GUARD, (value, path) =>
      typeof value === "boolean"
        ? value
          ? DEFAULT_LOOP_GUARD
          : 0
        : integer(value, path, 0, 2 ** 20),
    ),
    reasoning: normalizeReasoning(given.reasoning),
    form: responseForm(given.response),
  });
}
