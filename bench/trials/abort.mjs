// A request that is given up at a random moment of its prompt of 4,000 tokens: milliseconds until it has ended.
import { atMost, judge } from "../core/rows.mjs";
import { median, percentile } from "../core/stats.mjs";
import { onGpu, withProcess } from "../core/subjects.mjs";

export const title = "giving up in a prompt of 4,000 tokens";

/** Micro-batches, in tokens: the default, which the bar is set for, and in full also half of it, since an abort waits for one operation over a micro-batch. */
const SIZES = { whole: [512, 256], bars: [512] };

export async function run(bench) {
  const path = await bench.path(bench.model);
  const rows = [];
  for (const ubatchSize of bench.bars || bench.quick ? SIZES.bars : SIZES.whole) {
    const { latencies, late } = await withProcess(bench, "probes/abort.mjs", (probe) =>
      probe.call("run", { path, threads: bench.threads, count: bench.quick ? 20 : 100, ubatchSize, ...onGpu(bench) }),
    );
    const common = { trial: "abort", model: bench.model, subject: "r1-native", unit: "ms", samples: latencies };
    const p99 = percentile(latencies, 99);
    const name = ubatchSize === 512 ? "latency" : `latency, ubatchSize ${ubatchSize}`;
    rows.push(
      { ...common, metric: `${name}, median`, value: median(latencies), note: late > 0 ? `${late} had ended before` : "" },
      { ...common, metric: `${name}, 99th percentile`, value: p99, bar: ubatchSize === 512 ? judge(bench, atMost(100), p99) : undefined },
    );
  }
  return rows;
}
