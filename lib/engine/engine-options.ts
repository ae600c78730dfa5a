// The options of a generation: checks them and fills in the defaults.
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
 * Options of a generation. An unknown name is refused with UNKNOWN_OPTION, and the message suggests
 * the nearest valid one.
 */
export interface GenerateOptions extends SamplingOptions {
  /**
   * Maximum tokens to generate, including the reasoning and the ending token. The generation then
   * ends with reason `"length"`. Unit: tokens. Range: 1 .. 2^31-1.
   * @defaultValue until the context is full
   */
  readonly maxTokens?: number | undefined;
  /**
   * Texts that end the generation with reason `"stop-string"`. The output never contains any part
   * of one. At most 64, each at most 1024 characters.
   * @defaultValue none
   */
  readonly stop?: string | readonly string[] | undefined;
  /**
   * Token ids that end the generation with reason `"stop"`, in addition to the vocabulary's own.
   * With `response` or a forced tool call, neither kind is possible before the answer is complete,
   * and inside the reasoning such a token closes the reasoning instead. @defaultValue none; a chat
   * also stops at `<｜User｜>`
   */
  readonly stopTokens?: readonly number[] | Int32Array | undefined;
  /**
   * Cancels the generation: `for await` then throws `signal.reason`, and `result()` resolves with
   * the output so far and finishReason `"aborted"`.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Makes end-of-generation tokens impossible, so that only `maxTokens`, `stop` or a full context
   * end the generation. Cannot be combined with `response` or a forced tool call.
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
   * Alternatives to report with each token; turns `logprobs` on. Range: 0 .. 20.
   * @defaultValue the number given as `logprobs`, else 0
   */
  readonly topLogprobs?: number | undefined;
  /**
   * When generations wait, the one with the larger priority runs first; equal ones run in order of
   * arrival. Range: -1000 .. 1000.
   * @defaultValue 0
   */
  readonly priority?: number | undefined;
  /**
   * Time limit from the call to the last token; the generation then ends with reason `"timeout"`.
   * Unit: milliseconds. Range: 0 .. 2^31-1; 0: no limit.
   * @defaultValue 0
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Reuses cells that an earlier prompt with the same beginning computed. Does not change greedy
   * output.
   * @defaultValue true
   */
  readonly cachePrompt?: boolean | undefined;
  /**
   * A request beside the conversations, such as one for the title of one: it leaves no cells in the
   * prefix cache when it ends. If the model was loaded with `guestSequence`, it also takes no cells
   * that finished generations keep for later prompts: it waits until enough are free, one guest
   * runs at a time, its prompt is computed again if another generation needs its cells meanwhile,
   * and it ends with the error `CONTEXT_FULL`, or with reason `"length"` if it has begun, when
   * nothing runs that could free any.
   * @defaultValue false
   */
  readonly guest?: boolean | undefined;
  /**
   * Reports the progress of the prompt in `prompt-progress` parts.
   * @defaultValue false
   */
  readonly promptProgress?: boolean | undefined;
  /**
   * Drafts several tokens at once and verifies them in one step: `draft` uses the model's
   * `draftModel`, and `ngram`, used otherwise, repeated n-grams of the text. Both values are the
   * longest draft. Drafts are shorter or skipped when they would not pay off, judged by how long
   * recent steps of that many rows took. Does not change greedy output. Unit: tokens. Range: 0 ..
   * the model's `maxDraft`.
   * @defaultValue `{ draft: 7 }` with a draft model, else off
   */
  readonly speculation?: false | { readonly ngram?: number; readonly draft?: number };
  /**
   * Ends the generation with reason `"loop"` when this many tokens in a row, and at least four
   * rounds, repeat one cycle of up to 1024 tokens; false or 0: never, true: the default. Range: 0
   * .. 2^20.
   * @defaultValue 1024
   */
  readonly loopGuard?: number | boolean | undefined;
  /**
   * How much the model reasons: a budget in tokens, exact to the token; in a chat also whether it
   * reasons.
   * @defaultValue no limit
   */
  readonly reasoning?: ReasoningOptions | undefined;
  /**
   * Constrains the answer to a JSON Schema or a grammar; the reasoning stays unconstrained.
   * @defaultValue unconstrained
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
  readonly guest: boolean;
  readonly promptProgress: boolean;
  readonly ngramDraft: number;
  readonly modelDraft: number;
  readonly loopGuard: number;
  readonly reasoning: ReasoningConfig;
  /** The form that constrains the answer; undefined: none. */
  readonly form: AnswerForm | undefined;
}

/**
 * Compiles the constraint of an answer into GBNF for the text after the reasoning: synchronously if
 * that is quick or was done before. If it throws or rejects, the generation ends with that error.
 */
export type AnswerForm = () => Awaitable<string>;

/**
 * Default for the repeated tokens that count as a loop: far more than any list or table in a real
 * answer repeats.
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
  "guest",
  "promptProgress",
  "speculation",
  "loopGuard",
  "reasoning",
  "response",
] as const satisfies readonly Exclude<keyof GenerateOptions, keyof SamplingOptions>[];

/** Names of all options of a generation. */
export const GENERATE_KEYS: readonly string[] = Object.freeze([...OWN_KEYS, ...SAMPLING_KEYS]);

/** Properties of the model that the checks depend on. */
export interface GenerateLimits {
  /** Tokens of the vocabulary; valid ids are below it. */
  readonly vocabSize: number;
  /** The engine's `maxDraft`. */
  readonly maxDraft: number;
  /** Whether the model has a draft model. */
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
 * Default draft length with a draft model: with the token before them these are eight rows, which a
 * CPU computes at the cost of four (docs/evidence/benchmark.md).
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
 * Checks the options of one generation and fills in the defaults.
 *
 * @param given - The user's options, without any keys that belong to the caller.
 * @param where - Name of the method for messages, e.g. `complete`.
 * @param alsoKnown - Further option names of this method, for the suggestion of the nearest name.
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
    guest: or("guest", false, boolean),
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
