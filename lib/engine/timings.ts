// Computes times and rates of a generation from the engine's measurements.
import type { Timings } from "../base/types.js";
import type { NativeEndEvent } from "../binding/native-request.js";

/** The end event of a request that never ran. */
export const NO_RUN: Omit<NativeEndEvent, "kind" | "id"> = Object.freeze({
  reason: "aborted",
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  queueMs: 0,
  firstTokenMs: 0,
  promptMs: 0,
  decodeMs: 0,
  draftedTokens: 0,
  acceptedTokens: 0,
  stop: -1,
});

/** Tokens per second; 0 if no time was measured. */
function rate(tokens: number, ms: number): number {
  return tokens > 0 && ms > 0 ? (tokens / ms) * 1000 : 0;
}

/**
 * The last step of the prompt produces the first token, so the decode time covers one token fewer
 * than were sampled.
 */
export function timingsOf(event: Omit<NativeEndEvent, "kind" | "id">): Timings {
  return Object.freeze({
    firstTokenMs: event.firstTokenMs,
    promptMs: event.promptMs,
    decodeMs: event.decodeMs,
    promptTokensPerSecond: rate(event.promptTokens - event.cachedTokens, event.promptMs),
    tokensPerSecond: rate(event.completionTokens - 1, event.decodeMs),
    draftedTokens: event.draftedTokens,
    acceptedTokens: event.acceptedTokens,
  });
}
