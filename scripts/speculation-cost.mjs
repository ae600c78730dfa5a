// Measures what n-gram speculation gains and costs on texts of the embedded model, in processor
// time with and without it, in turns: node scripts/speculation-cost.mjs [rounds]
import { loadModel } from "../dist/index.js";

const QUESTIONS = [
  "What is 12+34?",
  "How many r are in strawberry?",
  "What is 7*8?",
  "Hello!",
  "Write a Python function that adds two numbers.",
  "Which is larger, 9.11 or 9.9?",
  "Spell banana backwards.",
  "Tell me a story about a cat.",
];
const ENDLESS = { ignoreEos: true, loopGuard: false, maxTokens: 300 };

/** Each takes the number of the round and the options that differ. */
const TEXTS = {
  "replies to their end, sampled": (model, i, more) =>
    model.chat([{ role: "user", content: QUESTIONS[i % 8] }], { seed: i, maxTokens: 250, ...more }),
  "300 tokens, greedy": (model, i, more) =>
    model.complete(`<｜User｜>${QUESTIONS[i % 8]}<｜Assistant｜>`, {
      ...ENDLESS,
      temperature: 0,
      ...more,
    }),
  "300 tokens, temperature 0.8": (model, i, more) =>
    model.complete(`<｜User｜>${QUESTIONS[i % 8]}<｜Assistant｜>`, {
      ...ENDLESS,
      temperature: 0.8,
      seed: i,
      ...more,
    }),
  "a cycle": (model, i, more) =>
    model.complete(`<think>${"so ".repeat(8 + i)}`, {
      ...ENDLESS,
      temperature: 0,
      maxTokens: 200,
      ...more,
    }),
};

async function measure(run) {
  const before = process.cpuUsage();
  const { tokens, timings } = await run.result();
  const { user, system } = process.cpuUsage(before);
  return {
    ms: (user + system) / 1000,
    tokens: tokens.length,
    drafted: timings.draftedTokens,
    accepted: timings.acceptedTokens,
  };
}

const rounds = Number(process.argv[2] ?? 16);
const model = await loadModel({ threads: 1, contextSize: 4096, prefixCache: false });
for (const [name, start] of Object.entries(TEXTS)) {
  const sums = {
    with: { ms: 0, tokens: 0, drafted: 0, accepted: 0 },
    without: { ms: 0, tokens: 0, drafted: 0, accepted: 0 },
  };
  for (let i = 0; i < rounds; i++) {
    for (const side of i % 2 === 0 ? ["with", "without"] : ["without", "with"]) {
      const found = await measure(
        start(model, i, { speculation: side === "with" ? { ngram: 15 } : false }),
      );
      for (const key of Object.keys(found)) sums[side][key] += found[key];
    }
  }
  const ratio = sums.with.tokens / sums.with.ms / (sums.without.tokens / sums.without.ms);
  console.log(
    `${name}: ${ratio.toFixed(3)} x with it; ${sums.with.tokens} tokens, ${sums.with.accepted} of ${sums.with.drafted} guesses held`,
  );
}
await model.close();
