// The longest delay of the event loop over loading, long texts, hostile schemas, grammars and
// conversations, and saved sessions of 500 MB, against the same process idle.
import { atMost, judge } from "../core/rows.mjs";
import { withProcess } from "../core/subjects.mjs";

export const title = "longest event-loop gaps: inputs, saved sessions, loads";

/** Milliseconds over the longest gap of the idle process. */
const BAR = 20;

const longest = (found) => found.reduce((a, b) => (b.gap > a.gap ? b : a));

function rowsOf(bench, place, found, note = "") {
  const { idle, ...sections } = found;
  const rest = longest(idle).gap;
  const row = (metric, value, bar, said) => ({
    trial: "gaps",
    model: "r1-cells",
    subject: "r1-native",
    metric: `${place}: ${metric}`,
    unit: "ms",
    value,
    bar,
    note: said,
  });
  const made = [row("idle", rest)];
  for (const [name, tried] of Object.entries(sections)) {
    const worst = longest(tried);
    const over = worst.gap - rest;
    const second = tried.map(({ gap }) => gap).sort((a, b) => b - a)[1] ?? 0;
    made.push(
      row(
        name,
        worst.gap,
        judge(bench, atMost(BAR), over, " ms over idle"),
        `${tried.length} tried; longest: ${worst.name}, ${worst.outcome}; the next ${second.toFixed(1)} ms${note}`,
      ),
    );
  }
  return made;
}

export async function run(bench) {
  const path = await bench.path("r1-cells");
  const ask = (method, more = {}) =>
    withProcess(bench, "probes/gaps.mjs", (probe) =>
      probe.call(method, { path, threads: bench.threads, ...more }),
    );
  const rows = [];
  const { found, bytes } = await ask("states", { rounds: bench.quick ? 1 : 3 });
  rows.push(...rowsOf(bench, "one process", found, `; ${Math.round(bytes / 1e6)} MB of cells`));
  for (const [place, method] of [
    ["main thread", "inMain"],
    ["worker", "inWorker"],
    ["isolated", "isolated"],
  ])
    rows.push(...rowsOf(bench, place, await ask(method)));
  return rows;
}
