// llama-server's timings, which several protocols show beside what is their own.
import type { Timings, Usage } from "../../index.js";

/** What {@link timingsBody} reads of a {@link FinishEvent}. */
export interface TimedUsage {
  readonly usage: Usage;
  readonly timings: Pick<Timings, "promptMs" | "decodeMs"> &
    Partial<Pick<Timings, "draftedTokens" | "acceptedTokens">>;
}

/**
 * llama-server's timings. The first token comes of the prompt's last batch, so the rate of the
 * others leaves it out.
 */
export function timingsBody({ usage, timings }: TimedUsage): Record<string, number> {
  const { promptMs, decodeMs, draftedTokens = 0, acceptedTokens = 0 } = timings;
  const promptN = usage.promptTokens - usage.cachedTokens;
  const predictedN = usage.completionTokens;
  const each = (ms: number, n: number): number => (n > 0 ? ms / n : 0);
  const rate = (n: number, ms: number): number => (n > 0 && ms > 0 ? (n / ms) * 1000 : 0);
  return {
    cache_n: usage.cachedTokens,
    prompt_n: promptN,
    prompt_ms: promptMs,
    prompt_per_token_ms: each(promptMs, promptN),
    prompt_per_second: rate(promptN, promptMs),
    predicted_n: predictedN,
    predicted_ms: decodeMs,
    predicted_per_token_ms: each(decodeMs, predictedN - 1),
    predicted_per_second: rate(predictedN - 1, decodeMs),
    ...(draftedTokens > 0 ? { draft_n: draftedTokens, draft_n_accepted: acceptedTokens } : {}),
  };
}
