// The event loop's delay while 16 requests run and while a model loads, against the same process
// idle.
import { atMost, judge } from "../core/rows.mjs";
import { median } from "../core/stats.mjs";
import { onGpu, withProcess } from "../core/subjects.mjs";

export const title = "event-loop delay, 16 running and loading";

/**
 * Loads, each in a fresh process: code that runs for the first time takes longest, and one moment
 * of another program decides a single maximum.
 */
const LOADS = 5;

export async function run(bench) {
  const path = await bench.path(bench.model);
  const found = await withProcess(bench, "probes/event-loop.mjs", (probe) =>
    probe.call("run", {
      path,
      threads: bench.threads,
      seconds: bench.quick ? 3 : 10,
      ...onGpu(bench),
    }),
  );
  const longest = [];
  for (let i = 0; i < (bench.quick ? 1 : LOADS); i++) {
    longest.push(
      await withProcess(bench, "probes/event-loop.mjs", (probe) =>
        probe.call("load", { path, threads: bench.threads, ...onGpu(bench) }),
      ),
    );
  }
  const row = (metric, value, bar, note) => ({
    trial: "event-loop",
    model: bench.model,
    subject: "r1-native",
    metric,
    unit: "ms",
    value,
    bar,
    note,
  });
  const over = found.running.p99 - found.idleAfter.p99;
  return [
    row("p99, idle before loading", found.idle.p99),
    row("max, idle before loading", found.idle.max),
    row(
      "max, loading",
      median(longest),
      judge(bench, atMost(20), median(longest)),
      `each load's: ${longest.map((ms) => ms.toFixed(1)).join(", ")} ms`,
    ),
    row("p99, idle with the model loaded", found.idleAfter.p99),
    row(
      "p99, 16 running",
      found.running.p99,
      judge(bench, atMost(2), over, " ms over idle"),
      `${over.toFixed(2)} ms over idle, ${found.tokens} tokens`,
    ),
    row("max, 16 running", found.running.max),
  ];
}
