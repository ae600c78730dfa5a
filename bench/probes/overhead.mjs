// Measures what a token costs beside llama_decode, near the start of a reply and deep into it. Runs in a process of its own.
import { performance } from "node:perf_hooks";
import { loadModel } from "./library.mjs";

let model;

export async function open({ path, threads }) {
  model = await loadModel(path, { threads, contextSize: 24_576, flashAttention: "on", prefixCache: true });
}

/**
 * `tokens` tokens after a prompt of `depth`: microseconds a token from the first to the last as `for await` sees them, and of these the time in which JavaScript's thread
 * was at work.
 */
export async function run({ depth, tokens }) {
  const prompt = Int32Array.from({ length: depth }, (_, i) => 7 + ((i * 31) % 256));
  const run = model.complete(prompt, { temperature: 0, seed: 1, ignoreEos: true, loopGuard: false, maxTokens: tokens });
  let start;
  let before;
  let seen = 0;
  for await (const part of run) {
    if (!("tokens" in part)) continue;
    if (start === undefined) {
      start = performance.now();
      before = performance.eventLoopUtilization();
    } else seen += part.tokens.length;
  }
  const end = performance.now();
  const { active } = performance.eventLoopUtilization(before);
  return { whole: ((end - start) / seen) * 1000, javascript: (active / seen) * 1000 };
}

/** The mean over `window` tokens of a reply from its token `from` on, after a prompt of `depth`: the same two figures. */
export async function inside({ depth, from, window }) {
  const prompt = Int32Array.from({ length: depth }, (_, i) => 7 + ((i * 31) % 256));
  const run = model.complete(prompt, { temperature: 1, seed: 3, ignoreEos: true, loopGuard: false, maxTokens: from + window });
  let seen = 0;
  let opened;
  for await (const part of run) {
    if (!("tokens" in part)) continue;
    seen += part.tokens.length;
    if (opened === undefined && seen >= from) opened = { seen, time: performance.now(), loop: performance.eventLoopUtilization() };
  }
  const micros = 1000 / (seen - opened.seen);
  return { whole: (performance.now() - opened.time) * micros, javascript: performance.eventLoopUtilization(opened.loop).active * micros };
}

export async function close() {
  await model?.close();
}
