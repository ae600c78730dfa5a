// What a session remembers: the turns that were completed, without their reasoning. Plain data;
// runs on any JavaScript thread.
import type { ChatMessage, GenerationResult } from "../base/types.js";

/**
 * Ends after which an answer counts as given; an aborted, failed or timed-out one leaves no trace.
 */
const COMPLETED: readonly string[] = ["stop", "length", "stop-string", "loop", "tool-calls"];

/**
 * The assistant message a result amounts to, or undefined when it gave no answer (all of it was
 * reasoning, or it was given up).
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
