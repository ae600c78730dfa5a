// 16 requests at once that share a prefix of 1,000 tokens: time to first token of the last one,
// with and without the prefix cache.
import { sharedPrompts } from "../core/prompts.mjs";
import { atLeast, judge } from "../core/rows.mjs";
import { medianOf, ratioOf, takeTurns } from "../core/pairs.mjs";
import { openSubject } from "../core/subjects.mjs";

export const title = "16 requests that share a prefix of 1,000 tokens";

const SHARED = 1000;
const OWN = 16;

export async function run(bench) {
  const path = await bench.path(bench.model);
  const config = { path, sequences: 16, contextSize: 16 * 1280 };
  const cached = await openSubject(bench, "r1-native", { ...config, prefixCache: true });
  const plain = await openSubject(bench, "r1-native", config);
  try {
    let seed = 1;
    const sample = (subject) => async () => {
      const prompts = sharedPrompts(16, SHARED, OWN, seed++);
      const { rows } = await subject.generate(
        prompts.map((prompt, i) => ({ prompt, maxTokens: 4, seed: i })),
      );
      return {
        last: rows.at(-1).firstMs,
        slowest: Math.max(...rows.map((row) => row.firstMs)),
        cached: rows.reduce((sum, row) => sum + row.cachedTokens, 0),
      };
    };
    const { samples, others } = await takeTurns(
      bench,
      { cached: sample(cached), plain: sample(plain) },
      bench.fewRounds(1),
    );
    const common = {
      trial: "prefix",
      model: bench.model,
      metric: "time to first token of the 16th",
      unit: "ms",
      others,
      rounds: samples.cached.length,
    };
    const pick = (row) => row.last;
    const shorter = ratioOf(samples.plain, samples.cached, pick);
    return [
      {
        ...common,
        subject: "r1-native",
        value: medianOf(samples.cached, pick),
        samples: samples.cached.map(pick),
        bar: judge(bench, atLeast(8), shorter, " x shorter"),
        note: `${shorter.toFixed(1)} x shorter; ${Math.round(medianOf(samples.cached, (row) => row.cached))} tokens from the cache`,
      },
      {
        ...common,
        subject: "r1-native without the cache",
        value: medianOf(samples.plain, pick),
        samples: samples.plain.map(pick),
      },
    ];
  } finally {
    await cached.close();
    await plain.close();
  }
}
