// 16 users at once, prompts of 32 to 256 tokens, 48 to 96 tokens each (with --bars half of that):
// in this process, compared with llama-server from the same tree over loopback.
import { wordsPrompt } from "../core/prompts.mjs";
import { atLeast, atMost, compare } from "../core/rows.mjs";
import { between, median, percentile, random } from "../core/stats.mjs";
import { warmUp, withSubjects } from "../core/subjects.mjs";

export const title = "16 streams at once, against llama-server";

const STREAMS = 16;
const CONTEXT = 16 * 512;

/** What a user notices of one run. */
export function noticed({ rows, wallMs }) {
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  const firsts = rows.map((row) => row.firstMs);
  return {
    rate: (tokens / wallMs) * 1000,
    first: median(firsts),
    firstLate: percentile(firsts, 95),
  };
}

export async function run(bench) {
  const path = await bench.path(bench.model);
  const size = (tokens) => (bench.bars ? tokens / 2 : tokens);
  return withSubjects(
    bench,
    ["llama-server"],
    { path, sequences: STREAMS, contextSize: CONTEXT },
    async (open) => {
      let round = 0;
      const requests = () => {
        const next = random(7000 + Math.floor(round++ / Object.keys(open).length));
        return Array.from({ length: STREAMS }, (_, i) => ({
          prompt: wordsPrompt(between(next, size(32), size(256)), round * 100 + i),
          maxTokens: between(next, size(48), size(96)),
          seed: i,
        }));
      };
      const subjects = Object.fromEntries(
        Object.entries(open).map(([name, subject]) => [
          name,
          async () => noticed(await subject.generate(requests())),
        ]),
      );
      for (const subject of Object.values(open)) await warmUp(subject, 1);
      const metrics = [
        {
          metric: "tokens over the whole",
          unit: "tokens/s",
          pick: (sample) => sample.rate,
          bars: { "llama-server": atLeast(1.05) },
        },
        {
          metric: "time to first token, median",
          unit: "ms",
          pick: (sample) => sample.first,
          bars: { "llama-server": atMost(0.8) },
        },
        {
          metric: "time to first token, 95th percentile",
          unit: "ms",
          pick: (sample) => sample.firstLate,
        },
      ];
      return compare(bench, {
        rounds: bench.fewRounds(3),
        trial: "streams",
        model: bench.model,
        subjects,
        metrics,
        sequences: STREAMS,
      });
    },
  );
}
