// How much time hostile grammars and schemas add to the steps of another stream, with R1's 129,280
// tokens, compared with a request without one.
import { atMost, judge } from "../core/rows.mjs";
import { withProcess } from "../core/subjects.mjs";

export const title = "steps of another stream beside grammars, R1's vocabulary";

/** Milliseconds a step. */
const BAR = 5;

export async function run(bench) {
  const path = await bench.path("r1-cells");
  const { plain, found } = await withProcess(bench, "probes/grammars.mjs", (probe) =>
    probe.call("run", { path, threads: bench.threads }),
  );
  const row = (metric, value, note, bar) => ({
    trial: "grammars",
    model: "r1-cells",
    subject: "r1-native",
    metric,
    unit: "ms",
    value,
    bar,
    note,
  });
  const rest = Math.max(...plain.map(({ median }) => median));
  const tail = Math.max(...plain.map(({ p95 }) => p95));
  const rows = [row("a step beside a free request, median", rest, `p95 ${tail.toFixed(1)} ms`)];
  for (const { name, outcome, steps, median, p95, max } of found) {
    if (steps === 0) continue;
    const note = `${steps} steps, p95 ${p95.toFixed(1)} ms, longest ${max.toFixed(1)} ms; ${outcome}`;
    const over = median - rest;
    rows.push(
      row(`beside ${name}, median`, median, note, judge(bench, atMost(BAR), over, " ms over")),
    );
  }
  return rows;
}
