// What a token of the embedded model costs in addition to llama_decode: this library up to `for
// await`, compared with llama-bench, which decodes and does not sample; after 200 and 20,000
// tokens.
import { medianOf, ratioOf, takeTurns } from "../core/pairs.mjs";
import { atMost, judge } from "../core/rows.mjs";
import { median } from "../core/stats.mjs";
import { withProcess } from "../core/subjects.mjs";
import { llamaBench } from "../drivers/upstream.mjs";

export const title = "cost of a token beside llama_decode, after 200 and after 20,000";

/** With --bars only what the bar is set for: to come to 20,000 takes minutes. */
const DEPTHS = { whole: [200, 20_000], bars: [200] };
const TOKENS = 256;

export async function run(bench) {
  const path = await bench.path("tiny-r1");
  return withProcess(bench, "probes/overhead.mjs", async (probe) => {
    // One thread: what is measured is our code, not two workers waiting for each other.
    await probe.call("open", { path, threads: 1 });
    const rows = [];
    const common = { trial: "overhead", model: "tiny-r1", unit: "µs a token" };
    for (const depth of bench.bars ? DEPTHS.bars : DEPTHS.whole) {
      await probe.call("run", { depth, tokens: TOKENS });
      const subjects = {
        ours: () => probe.call("run", { depth, tokens: TOKENS }),
        theirs: async () =>
          1e6 / (await llamaBench(bench, { path, generate: TOKENS, depth, threads: 1 })),
      };
      // A sample at a depth of 200 is a second.
      const { samples, others } = await takeTurns(
        bench,
        subjects,
        depth === 200 ? bench.fineRounds : bench.rounds,
      );
      const { length: rounds } = samples.ours;
      const overhead = median(samples.ours.map(({ whole }, i) => whole - samples.theirs[i]));
      const after = `after ${depth.toLocaleString("en-US")}`;
      rows.push(
        {
          ...common,
          subject: "r1-native",
          metric: `for await, ${after}`,
          value: medianOf(samples.ours, ({ whole }) => whole),
          others,
          rounds,
        },
        {
          ...common,
          subject: "llama-bench",
          metric: `llama_decode, ${after}`,
          value: medianOf(samples.theirs),
          others,
          rounds,
        },
        {
          ...common,
          subject: "r1-native",
          metric: `overhead, ${after}`,
          value: overhead,
          others,
          rounds,
          bar: depth === 200 ? judge(bench, atMost(30), overhead) : undefined,
        },
        {
          ...common,
          subject: "r1-native",
          metric: `of it JavaScript, ${after}`,
          value: medianOf(samples.ours, ({ javascript }) => javascript),
          others,
          rounds,
        },
      );
    }
    rows.push(...(await growth(bench, probe, common)));
    await probe.call("close");
    return rows;
  });
}

/**
 * Whether a token costs more because many of its reply came before it. Attention makes every model
 * slower with depth, so both windows lie at the same depth: tokens 200 to 600 of a reply to a long
 * prompt, and tokens 20,000 to 20,400 of a reply to a short one.
 */
async function growth(bench, probe, common) {
  if (bench.quick) return [];
  const window = 400;
  const early = () => probe.call("inside", { depth: 19_801, from: 200, window });
  const late = () => probe.call("inside", { depth: 1, from: 20_000, window });
  const { samples, others } = await takeTurns(
    bench,
    { early, late },
    Math.min(bench.fewRounds(1), 3),
  );
  const [whole, javascript] = ["whole", "javascript"].map((name) => (sample) => sample[name]);
  const ratio = ratioOf(samples.late, samples.early, whole);
  const row = (metric, from, pick) => ({
    ...common,
    subject: "r1-native",
    metric,
    value: medianOf(from, pick),
    others,
    rounds: from.length,
  });
  return [
    row("for await, tokens 200 to 600 of a reply", samples.early, whole),
    {
      ...row("for await, tokens 20,000 to 20,400, same depth", samples.late, whole),
      bar: judge(bench, atMost(1.05), ratio, " x"),
      note: `${ratio.toFixed(3)} x`,
    },
    row("of it JavaScript, tokens 200 to 600", samples.early, javascript),
    row("of it JavaScript, tokens 20,000 to 20,400", samples.late, javascript),
  ];
}
