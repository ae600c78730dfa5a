// Measures the event loop's delay: idle, while 16 requests run, and while a model loads. Runs in a
// child process.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { wordsPrompt } from "../core/prompts.mjs";
import { loadModel } from "./library.mjs";

async function delayOf(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  const result = await work();
  histogram.disable();
  // The histogram counts from one timer to the next, the millisecond between them included.
  const delays = {
    p50: histogram.percentile(50) / 1e6,
    p99: histogram.percentile(99) / 1e6,
    max: histogram.max / 1e6,
  };
  return { delays, result };
}

const loadAsMeasured = (path, threads, gpu) =>
  loadModel(path, { threads, sequences: 16, contextSize: 16 * 512, ...gpu });

/** The longest delay while a model loads, in milliseconds. */
export async function load({ path, threads, ...gpu }) {
  await sleep(500);
  const { delays, result } = await delayOf(() => loadAsMeasured(path, threads, gpu));
  await result.close();
  return delays.max;
}

export async function run({ path, threads, seconds, ...gpu }) {
  await sleep(200);
  const idle = await delayOf(() => sleep(seconds * 1000));
  const model = await loadAsMeasured(path, threads, gpu);
  const idleAfter = await delayOf(() => sleep(seconds * 1000));
  const running = await delayOf(async () => {
    const runs = Array.from({ length: 16 }, (_, i) =>
      model.complete(wordsPrompt(64, i + 1), {
        seed: i,
        ignoreEos: true,
        loopGuard: false,
        maxTokens: 400,
      }),
    );
    const timer = setTimeout(() => runs.forEach((run) => run.cancel()), seconds * 1000);
    let tokens = 0;
    await Promise.all(
      runs.map(async (run) => {
        for await (const part of run) tokens += part.tokens?.length ?? 0;
      }),
    );
    clearTimeout(timer);
    return tokens;
  });
  await model.close();
  return {
    idle: idle.delays,
    idleAfter: idleAfter.delays,
    running: running.delays,
    tokens: running.result,
  };
}
