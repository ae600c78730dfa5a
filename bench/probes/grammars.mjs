// Measures how much time a request with a grammar adds to each step of another stream, over R1's
// whole vocabulary. Runs in a child process.
import { setTimeout as sleep } from "node:timers/promises";
import { GRAMMARS, SCHEMAS } from "../core/hostile.mjs";
import { loadModel } from "./library.mjs";

const TOKENS = 100;
const at = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** Milliseconds from one token of the other stream to the next while `request` runs. */
async function beside(model, request) {
  const other = model.complete("Once upon a time", {
    seed: 1,
    ignoreEos: true,
    loopGuard: false,
    maxTokens: 3000,
  });
  const steps = [];
  let last = 0;
  const reading = (async () => {
    for await (const part of other) {
      const now = performance.now();
      const count = part.tokens?.length ?? 1;
      if (last > 0) for (let i = 0; i < count; i++) steps.push((now - last) / count);
      last = now;
    }
  })();
  await sleep(200);
  steps.length = 0;
  let outcome;
  try {
    outcome = (await request()).usage.completionTokens;
  } catch (error) {
    if (typeof error?.code !== "string") throw error;
    outcome = error.code;
  }
  const seen = [...steps].sort((a, b) => a - b);
  other.cancel();
  await reading;
  return {
    outcome,
    steps: seen.length,
    median: at(seen, 0.5),
    p95: at(seen, 0.95),
    max: seen.at(-1),
  };
}

export async function run({ path, threads }) {
  const model = await loadModel(path, { threads, contextSize: 8192, sequences: 2, trial: "never" });
  // Every token of the vocabulary takes part in the choice.
  const sampling = { temperature: 1.5, topK: 0, topP: 1, minP: 0, seed: 5, maxTokens: TOKENS };
  const ask = (more) => () =>
    model
      .chat([{ role: "user", content: "hi" }], {
        ...sampling,
        reasoning: { mode: "off" },
        loopGuard: false,
        ...more,
      })
      .result();
  const free = ask({ ignoreEos: true });
  await beside(model, free);
  const plain = await beside(model, free);
  const found = [];
  const forms = [
    ...Object.entries(GRAMMARS).map(([name, make]) => [name, { grammar: make() }]),
    ...Object.entries(SCHEMAS).map(([name, make]) => [name, { schema: make() }]),
  ];
  for (const [name, response] of forms)
    found.push({ name, ...(await beside(model, ask({ response }))) });
  const again = await beside(model, free);
  await model.close();
  return { plain: [plain, again], found };
}
