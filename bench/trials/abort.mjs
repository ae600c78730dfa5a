// Cancels a request at a random moment of its prompt of 4,000 tokens: milliseconds until it has
// ended.
import { atMost, judge } from "../core/rows.mjs";
import { median, percentile } from "../core/stats.mjs";
import { onGpu, withProcess } from "../core/subjects.mjs";

export const title = "giving up in a prompt of 4,000 tokens";

/**
 * Tokens of a micro-batch: the default, which the bar is set for, and in full also half of it,
 * since an abort waits for one operation over a micro-batch.
 */
const DEFAULT_SIZE = 512;
const HALF_SIZE = 256;

export async function run(bench) {
  const path = await bench.path(bench.model);
  const rows = [];
  for (const ubatchSize of bench.bars || bench.quick ? [DEFAULT_SIZE] : [DEFAULT_SIZE, HALF_SIZE]) {
    const { latencies, late } = await withProcess(bench, "probes/abort.mjs", (probe) =>
      probe.call("run", {
        path,
        threads: bench.threads,
        count: bench.quick ? 20 : 100,
        ubatchSize,
        ...onGpu(bench),
      }),
    );
    const common = {
      trial: "abort",
      model: bench.model,
      subject: "r1-native",
      unit: "ms",
      samples: latencies,
    };
    const p99 = percentile(latencies, 99);
    const name = ubatchSize === DEFAULT_SIZE ? "latency" : `latency, ubatchSize ${ubatchSize}`;
    rows.push(
      {
        ...common,
        metric: `${name}, median`,
        value: median(latencies),
        note: late > 0 ? `${late} had ended before` : "",
      },
      {
        ...common,
        metric: `${name}, 99th percentile`,
        value: p99,
        bar: ubatchSize === DEFAULT_SIZE ? judge(bench, atMost(100), p99) : undefined,
      },
    );
  }
  return rows;
}
