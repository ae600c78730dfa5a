// Measures how long a request continues after it is cancelled in the middle of its prompt, while
// another one is running. Runs in a child process.
import { setTimeout as sleep } from "node:timers/promises";
import { wordsPrompt } from "../core/prompts.mjs";
import { between, random } from "../core/stats.mjs";
import { loadModel } from "./library.mjs";

const PROMPT = 4000;

/**
 * @returns milliseconds from cancel() to the end, one a trial; and of trials that ended before they
 * were given up, how many.
 */
export async function run({ path, threads, count, ...options }) {
  const model = await loadModel(path, {
    threads,
    sequences: 2,
    contextSize: 8192,
    prefixCache: false,
    ...options,
  });
  const next = random(11);
  const latencies = [];
  let late = 0;
  for (let i = 0; i < count; i++) {
    const prompt = wordsPrompt(PROMPT, i + 1);
    const run = model.complete(prompt, { maxTokens: 4, seed: 1 });
    await sleep(between(next, 20, 1200));
    const start = performance.now();
    run.cancel();
    const { finishReason } = await run.result();
    if (finishReason === "aborted") latencies.push(performance.now() - start);
    else late++;
  }
  await model.close();
  return { latencies, late };
}
