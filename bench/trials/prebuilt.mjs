// The prebuilt addon, which chooses its CPU library at run time, beside this machine's own build,
// which is compiled for its processor. Needs `npm run prebuild`.
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { copyWithPrebuilt } from "../../scripts/packages/copy.mjs";
import { wordsPrompt } from "../core/prompts.mjs";
import { atLeast, compare, withBest } from "../core/rows.mjs";
import { openSubject, warmUp } from "../core/subjects.mjs";
import { decodeRate } from "../drivers/streams.mjs";

export const title = "the prebuilt package, and this machine's own build";

const root = fileURLToPath(new URL("../../", import.meta.url));
const LENGTH = 128;
const PROMPT = 256;

export async function run(bench) {
  const path = await bench.path(bench.model);
  const prebuilt = copyWithPrebuilt(root, join(root, "bench", "out", "prebuilt"));
  const config = { path, sequences: 1, contextSize: 4096 };
  const open = {
    "r1-native": await openSubject({ ...bench, dist: prebuilt }, "r1-native", config),
    "own build": await openSubject(bench, "r1-native", config),
  };
  let seed = 1;
  const sample = (subject) => async () => {
    await warmUp(subject, seed);
    const request = { prompt: wordsPrompt(PROMPT, seed), maxTokens: LENGTH + 1, seed: seed++ };
    const { rows } = await subject.generate([request]);
    const [{ timings }] = rows;
    return { decode: decodeRate(rows), prefill: timings.promptTokensPerSecond };
  };
  try {
    const bars = { "own build": atLeast(0.97) };
    const found = await compare(bench, {
      rounds: bench.fineRounds,
      trial: "prebuilt",
      model: bench.model,
      subjects: Object.fromEntries(
        Object.entries(open).map(([name, subject]) => [name, sample(subject)]),
      ),
      metrics: [
        { metric: "decode", unit: "tokens/s", pick: ({ decode }) => decode, bars },
        { metric: "prefill", unit: "tokens/s", pick: ({ prefill }) => prefill, bars },
      ],
      notes: { "r1-native": "prebuilt" },
    });
    return withBest(found);
  } finally {
    for (const subject of Object.values(open)) await subject.close();
  }
}
