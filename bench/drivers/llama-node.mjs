// The driver of @fugood/llama.node 1.7.15, with its own prebuilt CPU binary (for x64 compiled for
// SSE2 only). Runs in a child process.
import { peer } from "../core/peers.mjs";
import { SAMPLING, runAll } from "./streams.mjs";

const { loadModel } = await import(peer("@fugood/llama.node", "lib/index.js"));

let context;

export async function open({ path, threads, sequences = 1, contextSize }) {
  const start = performance.now();
  context = await loadModel({
    model: path,
    n_ctx: contextSize,
    n_threads: threads,
    n_gpu_layers: 0,
    n_batch: 2048,
    n_ubatch: 512,
    n_parallel: sequences,
  });
  await context.parallel.enable({ n_parallel: sequences, n_batch: 2048 });
  return { loadMs: performance.now() - start };
}

export function generate(requests) {
  return runAll(requests, async ({ prompt, maxTokens, seed }, onTokens) => {
    const { temperature, topK, topP, minP } = SAMPLING;
    const options = {
      prompt,
      n_predict: maxTokens,
      seed,
      temperature,
      top_k: topK,
      top_p: topP,
      min_p: minP,
      ignore_eos: true,
    };
    const { promise } = await context.parallel.completion(options, () => onTokens(1));
    const result = await promise;
    return { promptTokens: result.timings.prompt_n, timings: result.timings };
  });
}

export function memory() {
  return { rss: process.memoryUsage.rss() };
}

export async function close() {
  await context?.release();
}
