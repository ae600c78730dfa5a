// Measures the memory of a loaded model for one cache type. Runs in a child process.
import { wordsPrompt } from "../core/prompts.mjs";
import { loadModel } from "./library.mjs";

export async function run({ path, threads, contextSize, ...types }) {
  const before = process.memoryUsage.rss();
  const model = await loadModel(path, { threads, contextSize, sequences: 1, ...types });
  const loaded = process.memoryUsage.rss();
  // Fills the whole cache, so that its pages are counted.
  await model
    .complete(wordsPrompt(contextSize - 64, 1), { maxTokens: 8, seed: 1, ignoreEos: true })
    .result();
  const full = process.memoryUsage.rss();
  const { contextSize: cells, cache } = model.info;
  await model.close();
  return { before, loaded, full, cacheBytes: cache.bytes, cells };
}
