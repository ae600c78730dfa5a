// Times and rates of a generation out of what the engine measured. Pure; runs on any JavaScript
// thread.
import type { Timings } from "../base/types.js";
import type { NativeEndEvent } from "../binding/native-request.js";

/** The end of a request that never ran. */
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

/** Tokens a second; 0 where no time was measured. */
function rate(tokens: number, ms: number): number {
  return tokens > 0 && ms > 0 ? (tokens / ms) * 1000 : 0;
}

/**
 * The first token comes out of the prompt's last step, so that the decode time holds one token
 * fewer than were sampled.
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
