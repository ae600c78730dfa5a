// Builds the one object that carries a generation across the border. Pure; runs on any JavaScript
// thread.
import { R1Error } from "../base/errors.js";
import type { RoleTokens } from "../base/types.js";
import type { NativeGrammar, NativeRequest } from "../binding/native-request.js";
import type { AnswerReader } from "../reasoning/segmenter.js";
import { assertClosable } from "../reasoning/options.js";
import type { GenerateConfig } from "./engine-options.js";

/** A prompt, ready for the engine. */
export interface Prompt {
  /** BOS included. */
  readonly tokens: Int32Array;
  /** The prompt ends inside an open reasoning block. */
  readonly startsInReasoning: boolean;
  /** The prompt ends right after a reasoning block. */
  readonly startsAfterReasoning: boolean;
  /** The prompt ends inside text of the assistant, of its reasoning or else of its answer. */
  readonly continuesText?: boolean | undefined;
  /** Makes what looks through an answer for tool calls; each generation has its own. */
  readonly newReader?: (() => AnswerReader) | undefined;
  /** The restored session that it belongs to. */
  readonly session?: number | undefined;
}

/** What a request is made of. */
export interface Prepared {
  readonly prompt: Prompt;
  /** Ids that end the reasoning when its budget is spent or its user asks; perhaps none. */
  readonly closing: Int32Array;
  /** What follows the reasoning; null: free. */
  readonly grammar: NativeGrammar | null;
}

/**
 * Refuses options that no prompt could go with.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` for `ignoreEos` beside a form of the answer;
 * `TEMPLATE_UNSUPPORTED` for a budget of reasoning without a `</think>` in the vocabulary.
 */
export function checkTogether(config: GenerateConfig, roles: RoleTokens): void {
  if (config.form !== undefined && config.ignoreEos) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`ignoreEos` makes an end impossible, and an answer in a form (`response`, a forced tool " +
        "call) ends when it is whole: give one of them.",
      { details: { option: "ignoreEos" } },
    );
  }
  if (config.reasoning.budget >= 0) assertClosable(roles.endThink);
}

/**
 * @param isLeast - `length` is the fewest tokens that the prompt can have.
 * @throws {R1Error} `PROMPT_TOO_LONG` when a prompt leaves no room for a single token.
 */
export function assertRoom(length: number, roomTokens: number, isLeast = false): void {
  if (length < roomTokens) return;
  throw new R1Error(
    "PROMPT_TOO_LONG",
    `The prompt has ${isLeast ? "at least " : ""}${length} tokens, but a sequence of this model holds ${roomTokens}, the ` +
      "reply included. Shorten the prompt, or load the model with a larger `contextSize`.",
    {
      details: {
        [isLeast ? "leastPromptTokens" : "promptTokens"]: length,
        contextSize: roomTokens,
      },
    },
  );
}

/**
 * @param roomTokens - Cells a sequence has.
 * @param elapsedMs - Time since the call, which counts towards `timeoutMs`.
 * @throws {R1Error} `PROMPT_TOO_LONG`; `INVALID_ARGUMENT` when the prompt is empty;
 * `TEMPLATE_UNSUPPORTED` for a form of the answer where no token could end the reasoning.
 */
export function buildRequest(
  id: number,
  { prompt, closing, grammar }: Prepared,
  config: GenerateConfig,
  roles: RoleTokens,
  roomTokens: number,
  elapsedMs = 0,
): NativeRequest {
  const { length } = prompt.tokens;
  if (length === 0)
    throw new R1Error(
      "INVALID_ARGUMENT",
      "The prompt is empty, and this vocabulary has no BOS to begin with: give at least one token.",
      { details: { option: "prompt" } },
    );
  assertRoom(length, roomTokens);
  if (grammar !== null && prompt.startsInReasoning && roles.endThink < 0) {
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      "An answer in a form begins after </think>, and this model's vocabulary has no such token: " +
        "ask with `openThink: false`, or without `response` and forced tools.",
      { details: { role: "endThink" } },
    );
  }
  // A reasoning that nothing can close must not open before an answer in a form, and none opens in
  // an answer that has begun.
  const isAnswering = prompt.continuesText === true && !prompt.startsInReasoning;
  const mayThink = !isAnswering && (grammar === null || roles.endThink >= 0);
  return Object.freeze({
    id,
    tokens: prompt.tokens,
    maxTokens: config.maxTokens,
    sampling: config.sampling,
    stop: [...config.stop],
    stopTokens: Int32Array.from(config.stopTokens),
    ignoreEos: config.ignoreEos,
    logprobs: config.logprobs,
    priority: config.priority,
    timeoutMs: config.timeoutMs === 0 ? 0 : Math.max(1, Math.round(config.timeoutMs - elapsedMs)),
    cachePrompt: config.cachePrompt,
    session: prompt.session ?? 0,
    thinkToken: mayThink ? roles.think : -1,
    endThinkToken: roles.endThink,
    startsInReasoning: prompt.startsInReasoning,
    reasoningBudget: config.reasoning.budget,
    closing,
    grammar,
    ngramDraft: config.ngramDraft,
    modelDraft: config.modelDraft,
    loopGuard: config.loopGuard,
    promptProgress: config.promptProgress,
  });
}
