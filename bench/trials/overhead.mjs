// What a token of the embedded model costs beside llama_decode: this library to `for await` against llama-bench, which decodes and does not sample; after 200 and 20,000 tokens.
import { medianOf, takeTurns } from "../core/pairs.mjs";
import { atMost, judge } from "../core/rows.mjs";
import { median } from "../core/stats.mjs";
import { withProcess } from "../core/subjects.mjs";
import { llamaBench } from "../drivers/upstream.mjs";

export const title = "cost of a token beside llama_decode, after 200 and after 20,000";

const DEPTHS = [200, 20_000];
const TOKENS = 256;

export async function run(bench) {
  const path = await bench.path("tiny-r1");
  return withProcess(bench, "probes/overhead.mjs", async (probe) => {
    // One thread: what is measured is our code, not two workers waiting for each other.
    await probe.call("open", { path, threads: 1 });
    const rows = [];
    const common = { trial: "overhead", model: "tiny-r1", unit: "µs a token" };
    for (const depth of DEPTHS) {
      await probe.call("run", { depth, tokens: TOKENS });
      const subjects = {
        ours: () => probe.call("run", { depth, tokens: TOKENS }),
        theirs: async () => 1e6 / (await llamaBench(bench, { path, generate: TOKENS, depth, threads: 1 })),
      };
      const { samples, others } = await takeTurns(bench, subjects, bench.rounds);
      const overhead = median(samples.ours.map(({ whole }, i) => whole - samples.theirs[i]));
      const after = `after ${depth.toLocaleString("en-US")}`;
      rows.push(
        { ...common, subject: "r1-native", metric: `for await, ${after}`, value: medianOf(samples.ours, ({ whole }) => whole), others },
        { ...common, subject: "llama-bench", metric: `llama_decode, ${after}`, value: medianOf(samples.theirs), others },
        {
          ...common,
          subject: "r1-native",
          metric: `overhead, ${after}`,
          value: overhead,
          others,
          bar: depth === 200 ? judge(bench, atMost(30), overhead) : undefined,
        },
        { ...common, subject: "r1-native", metric: `of it JavaScript, ${after}`, value: medianOf(samples.ours, ({ javascript }) => javascript), others },
      );
    }
    rows.push(...(await growth(bench, probe, common)));
    await probe.call("close");
    return rows;
  });
}

/** JavaScript's work around token 200 and token 20,000 of one reply. */
async function growth(bench, probe, common) {
  if (bench.quick) return [];
  const replies = [];
  for (let i = 0; i < 3; i++) {
    bench.progress(`reply ${i + 1} of 3 with 20,500 tokens`);
    replies.push(await probe.call("growth", { length: 20_500, places: [600, 20_000], window: 800 }));
  }
  const [early, late] = [0, 1].map((i) => median(replies.map((reply) => reply[i])));
  const ratio = median(replies.map((reply) => reply[1] / reply[0]));
  return [
    { ...common, subject: "r1-native", metric: "JavaScript, tokens 200 to 1,000 of one reply", value: early },
    {
      ...common,
      subject: "r1-native",
      metric: "JavaScript, tokens 19,600 to 20,400 of it",
      value: late,
      bar: judge(bench, atMost(1.05), ratio, " x the early ones"),
      note: `${ratio.toFixed(3)} x`,
    },
  ];
}
