// A request that is given up at a random moment of its prompt of 4,000 tokens: milliseconds until it has ended.
import { atMost, judge } from "../core/rows.mjs";
import { median, percentile } from "../core/stats.mjs";
import { onGpu, withProcess } from "../core/subjects.mjs";

export const title = "giving up in a prompt of 4,000 tokens";

export async function run(bench) {
  const path = await bench.path(bench.model);
  const { latencies, late } = await withProcess(bench, "probes/abort.mjs", (probe) =>
    probe.call("run", { path, threads: bench.threads, count: bench.quick ? 20 : 100, ...onGpu(bench) }),
  );
  const common = { trial: "abort", model: bench.model, subject: "r1-native", unit: "ms", samples: latencies };
  const p99 = percentile(latencies, 99);
  return [
    { ...common, metric: "latency, median", value: median(latencies), note: late > 0 ? `${late} had ended before` : "" },
    { ...common, metric: "latency, 99th percentile", value: p99, bar: judge(bench, atMost(100), p99) },
  ];
}
