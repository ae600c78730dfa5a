// Pieces of OpenAI's responses that several of its objects share: usage, log probabilities, ends,
// llama-server's timings.
import type { FinishReason, TokenLogprob, Usage } from "../../index.js";
import type { ReasoningForm } from "../core/reasoning.js";

/** OpenAI's words for the end of a choice. */
export function finishReason(reason: FinishReason): "stop" | "length" | "tool_calls" {
  switch (reason) {
    case "tool-calls":
      return "tool_calls";
    case "length":
    case "timeout":
    case "loop":
      return "length";
    case "stop":
    case "stop-string":
    case "aborted":
      return "stop";
  }
}

/** What OpenAI's words do not say of the end; nothing where they say it all. */
export function endNote(reason: FinishReason): {
  readonly r1?: { readonly finish_reason: string };
} {
  return reason === "loop" || reason === "timeout" ? { r1: { finish_reason: reason } } : {};
}

/** Fields of a message or delta that hold the thinking; none where the content has it, or nothing. */
export function thinkingFields(
  form: ReasoningForm,
  text: string,
): Readonly<Record<string, string>> {
  switch (form) {
    case "reasoning_content":
      return { reasoning_content: text };
    case "reasoning":
      return { reasoning: text };
    case "both":
      return { reasoning_content: text, reasoning: text };
    case "tags":
    case "hidden":
      return {};
  }
}

/** The usage of a response. Prompt tokens include the cached ones, completion tokens the thinking. */
export function usageBody(usage: Usage): Record<string, unknown> {
  const { promptTokens, completionTokens, cachedTokens, reasoningTokens } = usage;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

/** JSON has no infinity; OpenAI writes this for what cannot happen. */
const logOf = (logprob: number): number => Math.max(logprob, -9999);

/** `choices[].logprobs.content`. */
export function logprobContent(entries: readonly TokenLogprob[]): unknown[] {
  return entries.map(({ text, bytes, logprob, top }) => ({
    token: text,
    logprob: logOf(logprob),
    bytes,
    top_logprobs: top.map((one) => ({
      token: one.text,
      logprob: logOf(one.logprob),
      bytes: one.bytes,
    })),
  }));
}
