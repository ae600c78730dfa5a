// What the drivers of JavaScript bindings share: running many requests at once and timing what their user sees. Runs in the driver's process.
import { setTimeout as sleep } from "node:timers/promises";

/** The sampling that every driver uses, R1's advice under llama.cpp's names. */
export const SAMPLING = { temperature: 0.6, topK: 40, topP: 0.95, minP: 0.05 };

/**
 * Runs all requests at once, each after its `delayMs`. `stream(request, onTokens)` calls onTokens(count) as tokens reach the user.
 *
 * @returns by request: firstMs (start to first token), lastMs, tokens, tokens of the first call, and the clock at start.
 */
export async function runAll(requests, stream) {
  const begin = performance.now();
  const rows = await Promise.all(
    requests.map(async (request) => {
      if (request.delayMs > 0) await sleep(Math.max(0, request.delayMs - (performance.now() - begin)));
      const start = performance.now();
      const row = { startMs: start - begin, firstMs: 0, lastMs: 0, tokens: 0, firstTokens: 0 };
      const extra = await stream(request, (count) => {
        const now = performance.now() - start;
        if (row.tokens === 0) {
          row.firstMs = now;
          row.firstTokens = count;
        }
        row.tokens += count;
        row.lastMs = now;
      });
      return { ...row, ...extra };
    }),
  );
  return { wallMs: performance.now() - begin, rows };
}

/** Tokens a second from the first token of the earliest stream to the last of the latest, those first tokens not counted. */
export function decodeRate(rows) {
  const first = Math.min(...rows.map((row) => row.startMs + row.firstMs));
  const last = Math.max(...rows.map((row) => row.startMs + row.lastMs));
  return (rows.reduce((sum, row) => sum + row.tokens - row.firstTokens, 0) / (last - first)) * 1000;
}
