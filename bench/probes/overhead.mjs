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

/**
 * One reply of `length` tokens: JavaScript's own work a token in a window around each of `places`, so that a cost that grows with the reply would show.
 */
export async function growth({ length, places, window }) {
  const run = model.complete(Int32Array.of(7), { temperature: 1, seed: 3, ignoreEos: true, loopGuard: false, maxTokens: length });
  const found = new Map();
  let count = 0;
  let opened;
  for await (const part of run) {
    if (!("tokens" in part)) continue;
    count += part.tokens.length;
    if (opened === undefined) {
      const place = places.find((at) => !found.has(at) && count >= at - window / 2);
      if (place !== undefined) opened = { place, count, utilization: performance.eventLoopUtilization() };
    } else if (count >= opened.place + window / 2) {
      found.set(opened.place, (performance.eventLoopUtilization(opened.utilization).active / (count - opened.count)) * 1000);
      opened = undefined;
    }
  }
  return places.map((place) => found.get(place));
}

export async function close() {
  await model?.close();
}
