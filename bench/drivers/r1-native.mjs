// The driver of this library: the code that a user would write. Runs in a child process.
import { loadModel } from "../probes/library.mjs";
import { SAMPLING, runAll } from "./streams.mjs";

let model;

/** @param config - path, and options of loadModel. */
export async function open({ path, ...options }) {
  const start = performance.now();
  model = await loadModel(path, { prefixCache: false, maxDraft: 0, ...options });
  return {
    loadMs: performance.now() - start,
    info: JSON.parse(
      JSON.stringify(model.info, (_, value) => (typeof value === "bigint" ? Number(value) : value)),
    ),
  };
}

/** @param requests - prompt (ids or text), maxTokens, seed, delayMs. */
export function generate(requests) {
  return runAll(requests, async ({ prompt, maxTokens, seed }, onTokens) => {
    const options = { ...SAMPLING, maxTokens, seed, ignoreEos: true, loopGuard: false };
    const run = model.complete(
      typeof prompt === "string" ? prompt : Int32Array.from(prompt),
      options,
    );
    for await (const part of run) if ("tokens" in part) onTokens(part.tokens.length);
    const { usage, timings, finishReason } = await run.result();
    return {
      promptTokens: usage.promptTokens,
      cachedTokens: usage.cachedTokens,
      completionTokens: usage.completionTokens,
      finishReason,
      timings,
    };
  });
}

export function stats() {
  return model.stats();
}

export function memory() {
  return { rss: process.memoryUsage.rss() };
}

export async function close() {
  await model?.close();
  model = undefined;
}
