// Builds the one object that passes a generation's request to native code.
import { R1Error } from "../base/errors.js";
import type { RoleTokens } from "../base/types.js";
import type { NativeGrammar, NativeRequest } from "../binding/native-request.js";
import type { AnswerReader } from "../reasoning/segmenter.js";
import { assertClosable } from "../reasoning/options.js";
import type { GenerateConfig } from "./engine-options.js";

/** A prompt, ready for the engine. */
export interface Prompt {
  /** Includes BOS. */
  readonly tokens: Int32Array;
  /** The prompt ends inside an open reasoning block. */
  readonly startsInReasoning: boolean;
  /** The prompt ends right after a reasoning block. */
  readonly startsAfterReasoning: boolean;
  /** The prompt ends inside the assistant's text: in its reasoning or in its answer. */
  readonly continuesText?: boolean | undefined;
  /** Creates the reader that finds tool calls in an answer; each generation has its own. */
  readonly newReader?: (() => AnswerReader) | undefined;
  /** The restored session that the prompt belongs to. */
  readonly session?: number | undefined;
}

/** The parts of a request. */
export interface Prepared {
  readonly prompt: Prompt;
  /** Ids that end the reasoning when its budget is used up or its user asks; may be empty. */
  readonly closing: Int32Array;
  /** The grammar of the text after the reasoning; null: unconstrained. */
  readonly grammar: NativeGrammar | null;
}

/**
 * Refuses option combinations that are invalid for any prompt.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` for `ignoreEos` with a constrained answer;
 * `TEMPLATE_UNSUPPORTED` for a reasoning budget when the vocabulary has no `</think>`.
 */
export function checkTogether(config: GenerateConfig, roles: RoleTokens): void {
  if (config.form !== undefined && config.ignoreEos) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`ignoreEos` makes an end impossible, but a constrained answer (`response`, a forced tool " +
        "call) ends when it is complete. Set only one of them.",
      { details: { option: "ignoreEos" } },
    );
  }
  if (config.reasoning.budget >= 0) assertClosable(roles.endThink);
}

/**
 * @param isLeast - Whether `length` is a lower bound of the prompt's tokens.
 * @throws {R1Error} `PROMPT_TOO_LONG` when a prompt leaves no room for a single token.
 */
export function assertRoom(length: number, roomTokens: number, isLeast = false): void {
  if (length < roomTokens) return;
  throw new R1Error(
    "PROMPT_TOO_LONG",
    `The prompt has ${isLeast ? "at least " : ""}${length} tokens, but a sequence of this ` +
      `model holds ${roomTokens}, including the reply. Shorten the prompt, or load the model ` +
      "with a larger `contextSize`.",
    {
      details: {
        [isLeast ? "leastPromptTokens" : "promptTokens"]: length,
        contextSize: roomTokens,
      },
    },
  );
}

/**
 * @param roomTokens - Cells of a sequence.
 * @param elapsedMs - Time since the call, which counts towards `timeoutMs`.
 * @throws {R1Error} `PROMPT_TOO_LONG`; `INVALID_ARGUMENT` when the prompt is empty;
 * `TEMPLATE_UNSUPPORTED` for a constrained answer when no token can end the reasoning.
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
      "The prompt is empty, and this vocabulary has no BOS to begin with. Pass at least one token.",
      { details: { option: "prompt" } },
    );
  assertRoom(length, roomTokens);
  if (grammar !== null && prompt.startsInReasoning && roles.endThink < 0) {
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      "A constrained answer begins after </think>, but this model's vocabulary has no such " +
        "token. Use `openThink: false`, or leave out `response` and forced tools.",
      { details: { role: "endThink" } },
    );
  }
  // A reasoning block that nothing can close must not open before a constrained answer, and none
  // opens in an answer that has begun.
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
    guest: config.guest,
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
