// Requests that arrive at random (a Poisson process), with prompts of 16 to 512 tokens and 16 to
// 128 new tokens each, up to 16 at the same time; compared with llama-server over loopback.
import { wordsPrompt } from "../core/prompts.mjs";
import { compare } from "../core/rows.mjs";
import { between, poissonGap, random } from "../core/stats.mjs";
import { withSubjects } from "../core/subjects.mjs";
import { noticed } from "./streams.mjs";

export const title = "requests arriving by chance";

/** Arrivals a second: about 70 % of what the 0.5B model can serve on two threads. */
const RATE = 1;

export async function run(bench) {
  const path = await bench.path(bench.model);
  const count = bench.quick ? 12 : 40;
  return withSubjects(
    bench,
    ["llama-server"],
    { path, sequences: 16, contextSize: 16 * 768 },
    async (open) => {
      let round = 0;
      const requests = () => {
        const next = random(9000 + Math.floor(round++ / Object.keys(open).length));
        let time = 0;
        return Array.from({ length: count }, (_, i) => ({
          prompt: wordsPrompt(between(next, 16, 512), round * 1000 + i),
          maxTokens: between(next, 16, 128),
          seed: i,
          delayMs: (time += poissonGap(next, RATE)),
        }));
      };
      const subjects = Object.fromEntries(
        Object.entries(open).map(([name, subject]) => [
          name,
          async () => noticed(await subject.generate(requests())),
        ]),
      );
      const metrics = [
        { metric: "time to first token, median", unit: "ms", pick: (sample) => sample.first },
        {
          metric: "time to first token, 95th percentile",
          unit: "ms",
          pick: (sample) => sample.firstLate,
        },
        { metric: "tokens over the whole", unit: "tokens/s", pick: (sample) => sample.rate },
      ];
      return compare(bench, {
        trial: "arrivals",
        model: bench.model,
        subjects,
        metrics,
        rounds: Math.min(bench.rounds, 3),
      });
    },
  );
}
