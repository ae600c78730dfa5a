// The history of a session: its completed turns, without their reasoning.
import type { ChatMessage, GenerationResult } from "../base/types.js";

/** Finish reasons that complete an answer; an aborted, failed or timed-out one is not recorded. */
const COMPLETED: readonly string[] = ["stop", "length", "stop-string", "loop", "tool-calls"];

/**
 * Returns the assistant message of a result, or undefined if it has no answer (only reasoning, or
 * it was cancelled).
 */
export function answerMessage(result: GenerationResult | undefined): ChatMessage | undefined {
  if (result === undefined || !COMPLETED.includes(result.finishReason)) return undefined;
  if (result.toolCalls.length > 0)
    return Object.freeze({
      role: "assistant",
      content: result.answer,
      toolCalls: result.toolCalls,
    });
  return result.answer === ""
    ? undefined
    : Object.freeze({ role: "assistant", content: result.answer });
}
