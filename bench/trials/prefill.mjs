// A prompt of 512 tokens that no cache contains: prompt tokens divided by the time to the first
// token, as the user sees it.
import { wordsPrompt } from "../core/prompts.mjs";
import { atLeast, compare, withBest } from "../core/rows.mjs";
import { NOTES, warmUp, withSubjects } from "../core/subjects.mjs";
import { llamaBench } from "../drivers/upstream.mjs";

export const title = "a prompt of 512 tokens";

/** With the BOS in front of it one micro-batch; a token more would be a step more. */
const LENGTH = 512;

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
        const { rows } = await subject.generate([
          { prompt: wordsPrompt(LENGTH - 1, seed++), maxTokens: 2, seed: 1 },
        ]);
        return (rows[0].promptTokens / rows[0].firstMs) * 1000;
      };
      const subjects = Object.fromEntries(
        Object.entries(open).map(([name, subject]) => [name, sample(subject)]),
      );
      if (bench.drivers.includes("upstream"))
        subjects["llama-bench"] = () => llamaBench(bench, { path, prompt: LENGTH });
      const bars = { "llama-bench": atLeast(0.98) };
      const found = await compare(bench, {
        rounds: bench.bars ? bench.fewRounds(7) : bench.fineRounds,
        trial: "prefill",
        model: bench.model,
        subjects,
        metrics: [{ metric: "prompt", unit: "tokens/s", bars }],
        notes: NOTES,
      });
      return withBest(found);
    },
  );
}
