// Shared by the drivers of JavaScript bindings: runs many requests at once and times what their
// user sees. Runs in the driver's process.
import { setTimeout as sleep } from "node:timers/promises";

/** The sampling that every driver uses, R1's advice under llama.cpp's names. */
export const SAMPLING = { temperature: 0.6, topK: 40, topP: 0.95, minP: 0.05 };

/**
 * Runs all requests at once, each after its `delayMs`. `stream(request, onTokens)` calls
 * onTokens(count) as tokens reach the user.
 *
 * @returns by request: firstMs (start to first token), lastMs, tokens, the clock at start, and when
 * how many tokens came.
 */
export async function runAll(requests, stream) {
  const begin = performance.now();
  const rows = await Promise.all(
    requests.map(async (request) => {
      if (request.delayMs > 0)
        await sleep(Math.max(0, request.delayMs - (performance.now() - begin)));
      const start = performance.now();
      const row = { startMs: start - begin, firstMs: 0, lastMs: 0, tokens: 0, arrivals: [] };
      const extra = await stream(request, (count) => {
        const now = performance.now() - start;
        if (row.tokens === 0) row.firstMs = now;
        row.arrivals.push([row.startMs + now, count]);
        row.tokens += count;
        row.lastMs = now;
      });
      return { ...row, ...extra };
    }),
  );
  return { wallMs: performance.now() - begin, rows };
}

/**
 * Runs requests by so many clients: each sends its next one when the last one has ended.
 *
 * @returns as {@link runAll}.
 */
export async function runBy(clients, requests, stream) {
  const begin = performance.now();
  const rows = [];
  const left = requests.values();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (const request of left) rows.push(...(await runAll([request], stream)).rows);
    }),
  );
  return { wallMs: performance.now() - begin, rows };
}

/**
 * Tokens a second over all streams while all of them decode: from the first token of the stream
 * that began last to the last token of the one that ended first. Before and after it prompts are
 * taken in, or fewer streams run, which upstream's benchmarks do not count either.
 */
export function decodeRate(rows) {
  const from = Math.max(...rows.map((row) => row.startMs + row.firstMs));
  const to = Math.min(...rows.map((row) => row.startMs + row.lastMs));
  let tokens = 0;
  for (const { arrivals } of rows)
    for (const [time, count] of arrivals) if (time > from && time <= to) tokens += count;
  return (tokens / (to - from)) * 1000;
}
