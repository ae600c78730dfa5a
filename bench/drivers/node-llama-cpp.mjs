// The driver of node-llama-cpp 3.22.1, with its own prebuilt CPU binary. Runs in a child process.
import { peer } from "../core/peers.mjs";
import { SAMPLING, runAll } from "./streams.mjs";

const { getLlama, LlamaLogLevel } = await import(peer("node-llama-cpp", "dist/index.js"));

let llama;
let model;
let context;
let free;

export async function open({ path, threads, sequences = 1, contextSize }) {
  llama = await getLlama({
    gpu: false,
    build: "never",
    logLevel: LlamaLogLevel.error,
    maxThreads: threads,
  });
  const start = performance.now();
  model = await llama.loadModel({ modelPath: path });
  context = await model.createContext({
    sequences,
    contextSize: Math.ceil(contextSize / sequences),
    batchSize: 2048,
    threads,
  });
  free = Array.from({ length: sequences }, () => context.getSequence());
  return { loadMs: performance.now() - start };
}

export function generate(requests) {
  return runAll(requests, async ({ prompt, maxTokens, seed }, onTokens) => {
    const sequence = free.pop();
    try {
      await sequence.clearHistory();
      const tokens = typeof prompt === "string" ? model.tokenize(prompt) : prompt;
      let count = 0;
      const stream = sequence.evaluate(tokens, { ...SAMPLING, seed, yieldEogToken: true });
      while (count < maxTokens && !(await stream.next()).done) {
        onTokens(1);
        count++;
      }
      await stream.return();
      return { promptTokens: tokens.length };
    } finally {
      free.push(sequence);
    }
  });
}

export function memory() {
  return { rss: process.memoryUsage.rss() };
}

export async function close() {
  await context?.dispose();
  await model?.dispose();
  await llama?.dispose();
}
