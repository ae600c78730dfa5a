// Measures what a token costs with `isolation: "process"`, compared with a model in this process:
// the embedded model, greedy, both loaded at once and run in turns.
//
//   npm run build:all && node scripts/isolation-cost.mjs [--rounds 9] [--tokens 600] [--threads 1] [--json]
//
// The tokens themselves cost the same: the difference is the way of the events. The table shows
// medians over the rounds.
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { loadModel } from "../dist/index.js";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    tokens: { type: "string", default: "600" },
    threads: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const [rounds, tokens, threads] = [values.rounds, values.tokens, values.threads].map(Number);

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/**
 * Measures one generation: milliseconds to the first token, then microseconds per token until the
 * last, and how many of them this thread was busy.
 */
async function once(model) {
  const begun = performance.now();
  const run = model.complete("<｜User｜>What is 1+1?<｜Assistant｜>", {
    temperature: 0,
    ignoreEos: true,
    loopGuard: false,
    maxTokens: tokens,
  });
  let [start, before, seen] = [0, undefined, 0];
  for await (const part of run) {
    if (!part.type.endsWith("-delta")) continue;
    if (start === 0) {
      start = performance.now();
      before = performance.eventLoopUtilization();
      seen = -part.tokens.length;
    }
    seen += part.tokens.length;
  }
  const { active } = performance.eventLoopUtilization(before);
  return {
    first: start - begun,
    whole: ((performance.now() - start) / seen) * 1000,
    javascript: (active / seen) * 1000,
  };
}

const options = { threads, contextSize: 2048 };
const models = {
  "in this process": await loadModel(options),
  "in a process of its own": await loadModel({ ...options, isolation: "process" }),
};
const samples = Object.fromEntries(Object.keys(models).map((name) => [name, []]));
for (const model of Object.values(models)) await once(model);
for (let round = 0; round < rounds; round++)
  for (const [name, model] of Object.entries(models)) samples[name].push(await once(model));
await Promise.all(Object.values(models).map((model) => model.close()));

const rows = Object.entries(samples).map(([model, runs]) => ({
  model,
  "first token ms": median(runs.map(({ first }) => first)),
  "for await µs a token": median(runs.map(({ whole }) => whole)),
  "of it JavaScript µs": median(runs.map(({ javascript }) => javascript)),
}));
if (values.json) console.log(JSON.stringify({ threads, tokens, rounds, rows }, undefined, 2));
else
  console.table(
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [
          key,
          typeof value === "number" ? Math.round(value * 100) / 100 : value,
        ]),
      ),
    ),
  );
