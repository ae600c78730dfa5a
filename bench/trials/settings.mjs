// How threads and polling change decoding: one sequence and eight, with 1 and 2 threads, with
// polling 0, 50 and 100.
import { medianOf, ratioOf, takeTurns } from "../core/pairs.mjs";
import { wordsPrompt } from "../core/prompts.mjs";
import { openSubject } from "../core/subjects.mjs";
import { decodeRate } from "../drivers/streams.mjs";

export const title = "threads and polling";

const SETTINGS = [
  { threads: 2, poll: 50 },
  { threads: 2, poll: 0 },
  { threads: 2, poll: 100 },
  { threads: 1, poll: 50 },
];

export async function run(bench) {
  const path = await bench.path(bench.model);
  const rows = [];
  for (const sequences of [1, 8]) {
    const open = {};
    try {
      for (const setting of SETTINGS) {
        open[`${setting.threads} thread${setting.threads === 1 ? "" : "s"}, poll ${setting.poll}`] =
          await openSubject(bench, "r1-native", {
            path,
            sequences,
            contextSize: 512 * sequences,
            ...setting,
          });
      }
      let seed = 1;
      const sample = (subject) => async () => {
        const requests = Array.from({ length: sequences }, (_, i) => ({
          prompt: wordsPrompt(16, seed++),
          maxTokens: 97,
          seed: i,
        }));
        return decodeRate((await subject.generate(requests)).rows);
      };
      const subjects = Object.fromEntries(
        Object.entries(open).map(([name, subject]) => [name, sample(subject)]),
      );
      const { samples, others } = await takeTurns(bench, subjects, Math.min(bench.rounds, 5));
      const [first] = Object.keys(subjects);
      for (const name of Object.keys(subjects)) {
        const note =
          name === first
            ? "the default here"
            : `${ratioOf(samples[name], samples[first]).toFixed(3)} x the default`;
        const metric = `decode, ${sequences} sequence${sequences === 1 ? "" : "s"}`;
        rows.push({
          trial: "settings",
          model: bench.model,
          subject: name,
          metric,
          unit: "tokens/s",
          value: medianOf(samples[name]),
          others,
          note,
        });
      }
    } finally {
      for (const subject of Object.values(open)) await subject.close();
    }
  }
  return rows;
}
