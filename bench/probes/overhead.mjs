// Measures what a token costs in addition to llama_decode, near the start of a reply and deep into
// it. Runs in a child process.
import { performance } from "node:perf_hooks";
import { median } from "../core/stats.mjs";
import { loadModel } from "./library.mjs";

let model;

export async function open({ path, threads }) {
  model = await loadModel(path, {
    threads,
    contextSize: 24_576,
    flashAttention: "on",
    prefixCache: true,
  });
}

/**
 * `tokens` tokens after a prompt of `depth`: microseconds a token from the first to the last, as
 * `for await` sees them and by the engine's own clock, and in how many of them JavaScript's thread
 * was at work.
 */
export async function run({ depth, tokens }) {
  const prompt = Int32Array.from({ length: depth }, (_, i) => 7 + ((i * 31) % 256));
  const run = model.complete(prompt, {
    temperature: 0,
    seed: 1,
    ignoreEos: true,
    loopGuard: false,
    maxTokens: tokens,
  });
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
  const { timings } = await run.result();
  return {
    whole: ((end - start) / seen) * 1000,
    engine: (timings.decodeMs * 1000) / (tokens - 1),
    javascript: (active * 1000) / seen,
  };
}

/**
 * Tokens of a stretch whose time is one figure; they reach the user in bundles, so that single ones
 * tell nothing.
 */
const STRETCH = 40;

/**
 * The median over stretches of `window` tokens of a reply from its token `from` on, after a prompt
 * of `depth`, and JavaScript's share over the whole window: the same two figures. The median, since
 * a moment of another program in one reply of minutes would otherwise decide.
 */
export async function inside({ depth, from, window }) {
  const prompt = Int32Array.from({ length: depth }, (_, i) => 7 + ((i * 31) % 256));
  const run = model.complete(prompt, {
    temperature: 1,
    seed: 3,
    ignoreEos: true,
    loopGuard: false,
    maxTokens: from + window,
  });
  const stretches = [];
  let seen = 0;
  let opened;
  let last;
  for await (const part of run) {
    if (!("tokens" in part)) continue;
    seen += part.tokens.length;
    if (seen < from || (last !== undefined && seen < last.seen + STRETCH)) continue;
    const now = { seen, time: performance.now(), loop: performance.eventLoopUtilization() };
    if (last !== undefined) stretches.push(((now.time - last.time) * 1000) / (seen - last.seen));
    opened ??= now;
    last = now;
  }
  return {
    whole: median(stretches),
    javascript:
      (performance.eventLoopUtilization(opened.loop).active * 1000) / (seen - opened.seen),
  };
}

export async function close() {
  await model?.close();
}
