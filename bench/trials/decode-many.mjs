// 1, 4, 8 and 16 sequences at the same time, 16 tokens of prompt and 128 to generate each (with
// --bars 8 sequences, 64 tokens): decoded tokens per second over all of them.
import { wordsPrompt } from "../core/prompts.mjs";
import { atLeast, compare, withBest } from "../core/rows.mjs";
import { NOTES, warmUp, withSubjects } from "../core/subjects.mjs";
import { decodeRate } from "../drivers/streams.mjs";
import { batchedBench } from "../drivers/upstream.mjs";

export const title = "1, 4, 8 and 16 sequences side by side";

const PROMPT = 16;
const LENGTH = { whole: 128, bars: 64 };
/** Cells a sequence gets. */
const CELLS = 256;

export async function run(bench) {
  const rows = [];
  for (const sequences of bench.bars ? [8] : bench.quick ? [1, 8] : [1, 4, 8, 16])
    rows.push(...(await runWith(bench, sequences)));
  return rows;
}

async function runWith(bench, sequences) {
  const path = await bench.path(bench.model);
  const contextSize = CELLS * sequences;
  const length = bench.bars ? LENGTH.bars : LENGTH.whole;
  return withSubjects(
    bench,
    bench.bars ? ["node-llama-cpp"] : ["node-llama-cpp", "llama-node"],
    { path, sequences, contextSize, kvUnified: false },
    async (open) => {
      let seed = 1;
      const sample = (subject) => async () => {
        await warmUp(subject, seed);
        const request = () => ({
          prompt: wordsPrompt(PROMPT, seed),
          maxTokens: length + 1,
          seed: seed++,
        });
        return decodeRate(
          (await subject.generate(Array.from({ length: sequences }, request))).rows,
        );
      };
      const subjects = Object.fromEntries(
        Object.entries(open).map(([name, subject]) => [name, sample(subject)]),
      );
      if (bench.drivers.includes("upstream")) {
        const config = { path, sequences, prompt: PROMPT, generate: length, contextSize };
        subjects["batched-bench"] = () => batchedBench(bench, { ...config, unified: false });
        // The bar is set against the layout that is used here; the other one is a trial of its own
        // (kv-unified).
        if (!bench.bars)
          subjects["batched-bench -kvu"] = () => batchedBench(bench, { ...config, unified: true });
      }
      const bars =
        sequences === 8
          ? {
              "batched-bench": atLeast(0.95),
              "batched-bench -kvu": atLeast(0.95),
              "node-llama-cpp": atLeast(2),
            }
          : {};
      const metrics = [
        {
          metric: `decode, ${sequences} sequence${sequences === 1 ? "" : "s"}`,
          unit: "tokens/s",
          bars,
        },
      ];
      const found = await compare(bench, {
        rounds: bench.bars ? bench.fewRounds(4) : bench.rounds,
        trial: "decode-many",
        model: bench.model,
        subjects,
        metrics,
        sequences,
        notes: NOTES,
      });
      return withBest(found);
    },
  );
}
