// Runs 2,000 requests of random lengths, some of them cancelled or timed out: counts every result,
// and watches memory and cells. Runs in a child process.
import { setTimeout as sleep } from "node:timers/promises";
import { between, random } from "../core/stats.mjs";
import { loadModel } from "./library.mjs";

export async function run({ path, threads, count, kvUnified = true }) {
  const model = await loadModel(path, {
    threads,
    sequences: 16,
    contextSize: 16 * 256,
    maxQueue: count,
    kvUnified,
  });
  const next = random(2024);
  const ends = {};
  const rss = [];
  let ended = 0;
  let tokens = 0;
  const one = async (i) => {
    const prompt = Int32Array.from({ length: between(next, 1, 160) }, () => between(next, 7, 500));
    const kind = next();
    const options = {
      seed: i,
      maxTokens: between(next, 1, 90),
      ignoreEos: next() < 0.5,
      ...(kind < 0.15 ? { timeoutMs: between(next, 1, 60) } : {}),
    };
    const run = model.complete(prompt, options);
    let left = kind > 0.85 ? between(next, 0, 40) : Infinity;
    let reason;
    try {
      if (kind > 0.8 && kind <= 0.85) void sleep(between(next, 0, 30)).then(() => run.cancel());
      for await (const part of run) if ((left -= part.tokens?.length ?? 0) <= 0) break;
      reason = (await run.result()).finishReason;
    } catch (error) {
      reason = error.code ?? String(error);
    }
    ends[reason] = (ends[reason] ?? 0) + 1;
    const { completionTokens } = (await run.result().catch(() => undefined))?.usage ?? {
      completionTokens: 0,
    };
    tokens += completionTokens;
    ended++;
    if (ended % Math.max(1, Math.floor(count / 40)) === 0) {
      globalThis.gc?.();
      rss.push(process.memoryUsage.rss());
    }
  };
  const start = performance.now();
  // Never more than 64 under way, so that the second half is like the first.
  let started = 0;
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (started < count) await one(started++);
    }),
  );
  const wallMs = performance.now() - start;
  await sleep(100);
  const stats = model.stats();
  // What idle sequences keep for later prompts is no leak; a request that needs all the room must
  // get it.
  const whole = await model
    .complete(
      Int32Array.from({ length: (kvUnified ? 16 * 256 : 256) - 8 }, () => 9),
      { maxTokens: 4, seed: 1, ignoreEos: true },
    )
    .result();
  const after = model.stats();
  await model.close();
  return {
    ends,
    ended,
    tokens,
    wallMs,
    rss,
    stats,
    after,
    whole: { finishReason: whole.finishReason, tokens: whole.tokens.length },
  };
}
