// Builds the one object that carries a generation across the border. Pure; runs on any JavaScript thread.
import { R1Error } from "../base/errors.js";
import type { RoleTokens } from "../base/types.js";
import type { NativeRequest } from "../binding/native-request.js";
import type { AnswerReader } from "../reasoning/segmenter.js";
import type { GenerateConfig } from "./engine-options.js";

/** A prompt, ready for the engine. */
export interface Prompt {
  /** BOS included. */
  readonly tokens: Int32Array;
  /** The prompt ends inside an open reasoning block. */
  readonly startsInReasoning: boolean;
  /** The prompt ends right after a reasoning block. */
  readonly startsAfterReasoning: boolean;
  /** Looks through the answer for tool calls. */
  readonly reader?: AnswerReader;
  /** The restored session that it belongs to. */
  readonly session?: number;
}

/**
 * @param closing - Ids that end the reasoning when its budget is spent.
 * @param roomTokens - Cells a sequence has.
 * @throws {R1Error} `PROMPT_TOO_LONG` when the prompt leaves no room for a single token; `INVALID_ARGUMENT` when it is empty, or when `ignoreEos` stands beside a form of the answer;
 * `TEMPLATE_UNSUPPORTED` for a form of the answer where no token could end the reasoning.
 */
export function buildRequest(
  id: number,
  prompt: Prompt,
  config: GenerateConfig,
  roles: RoleTokens,
  closing: Int32Array,
  roomTokens: number,
): NativeRequest {
  const { length } = prompt.tokens;
  if (length === 0)
    throw new R1Error(
      "INVALID_ARGUMENT",
      "The prompt is empty, and this vocabulary has no BOS to begin with: give at least one token.",
      {
        details: { option: "prompt" },
      },
    );
  if (length >= roomTokens) {
    throw new R1Error(
      "PROMPT_TOO_LONG",
      `The prompt has ${length} tokens, but a sequence of this model holds ${roomTokens}, the reply included. Shorten the prompt, or load the model with a larger \`contextSize\`.`,
      { details: { promptTokens: length, contextSize: roomTokens } },
    );
  }
  if (config.grammar !== "" && config.ignoreEos) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`ignoreEos` makes an end impossible, and an answer in a form (`response`, a forced tool call) ends when it is whole: give one of them.",
      {
        details: { option: "ignoreEos" },
      },
    );
  }
  if (config.grammar !== "" && prompt.startsInReasoning && roles.endThink < 0) {
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      "An answer in a form begins after </think>, and this model's vocabulary has no such token: ask with `openThink: false`, or without `response` and forced tools.",
      { details: { role: "endThink" } },
    );
  }
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
    timeoutMs: config.timeoutMs,
    cachePrompt: config.cachePrompt,
    session: prompt.session ?? 0,
    // A reasoning that nothing can close must not open before an answer in a form.
    thinkToken: config.grammar !== "" && roles.endThink < 0 ? -1 : roles.think,
    endThinkToken: roles.endThink,
    startsInReasoning: prompt.startsInReasoning,
    reasoningBudget: config.reasoning.budget,
    closing,
    grammar: config.grammar,
    ngramDraft: config.ngramDraft,
    modelDraft: config.modelDraft,
    loopGuard: config.loopGuard,
  });
}
