// One sequence, 128 tokens after the first one, as they reach `for await`: sampling, detokenising
// and the crossing to JavaScript included.
import { wordsPrompt } from "../core/prompts.mjs";
import { atLeast, compare, withBest } from "../core/rows.mjs";
import { NOTES, warmUp, withSubjects } from "../core/subjects.mjs";
import { decodeRate } from "../drivers/streams.mjs";
import { llamaBench } from "../drivers/upstream.mjs";

export const title = "one sequence, 128 tokens";

const LENGTH = 128;

export async function run(bench) {
  const path = await bench.path(bench.model);
  return withSubjects(
    bench,
    bench.bars ? [] : ["node-llama-cpp", "llama-node"],
    { path, sequences: 1, contextSize: 4096 },
    async (open) => {
      let seed = 1;
      const sample = (subject) => async () => {
        await warmUp(subject, seed);
        const request = { prompt: wordsPrompt(4, seed), maxTokens: LENGTH + 1, seed: seed++ };
        return decodeRate((await subject.generate([request])).rows);
      };
      const subjects = Object.fromEntries(
        Object.entries(open).map(([name, subject]) => [name, sample(subject)]),
      );
      if (bench.drivers.includes("upstream"))
        subjects["llama-bench"] = () => llamaBench(bench, { path, generate: LENGTH });
      const notes = { ...NOTES, "llama-bench": "decodes alone, samples nothing" };
      const bars = { "llama-bench": atLeast(0.99) };
      const found = await compare(bench, {
        rounds: bench.fineRounds,
        trial: "decode",
        model: bench.model,
        subjects,
        metrics: [{ metric: "decode", unit: "tokens/s", bars }],
        notes,
      });
      return withBest(found);
    },
  );
}
