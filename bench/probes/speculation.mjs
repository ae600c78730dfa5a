// Measures decoding with and without n-gram speculation, on text that repeats itself and on text
// that does not. Runs in a child process.
import { loadModel } from "./library.mjs";

let model;

export async function open({ path, threads }) {
  model = await loadModel(path, { threads, contextSize: 4096, maxDraft: 63, prefixCache: false });
}

/** Tokens a second after the first, and what speculation drafted. */
export async function run({ prompt, maxTokens, ngram, sampling }) {
  const speculation = ngram > 0 ? { ngram } : false;
  const run = model.complete(prompt, {
    ...sampling,
    maxTokens,
    seed: 5,
    ignoreEos: true,
    loopGuard: false,
    speculation,
  });
  const { tokens, timings } = await run.result();
  return {
    rate: (tokens.length - 1) / (timings.decodeMs / 1000),
    drafted: timings.draftedTokens,
    accepted: timings.acceptedTokens,
    tokens: [...tokens],
  };
}

export async function close() {
  await model?.close();
}
