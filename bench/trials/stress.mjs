// 2,000 requests of random lengths over 16 sequences, some of them cancelled or timed out: all must
// be accounted for, memory must stay flat, and no cell may be lost.
import { judge } from "../core/rows.mjs";
import { median } from "../core/stats.mjs";
import { withProcess } from "../core/subjects.mjs";

export const title = "2,000 requests with aborts and timeouts";

const MIB = 2 ** 20;

export async function run(bench) {
  const path = await bench.path("tiny-r1");
  const count = bench.quick ? 200 : 2000;
  const found = await withProcess(bench, "probes/stress.mjs", (probe) =>
    probe.call("run", { path, count }),
  );
  const half = found.rss.slice(Math.floor(found.rss.length / 2));
  const quarter = Math.max(1, Math.floor(half.length / 2));
  const growth = median(half.slice(quarter)) / median(half.slice(0, quarter));
  const { stats, after, ended, ends, whole } = found;
  const is = (text, pass) => judge(bench, { text, holds: () => pass }, 0);
  const common = { trial: "stress", model: "tiny-r1", subject: "r1-native" };
  const spread = Object.entries(ends).map(([reason, n]) => `${n} ${reason}`);
  const clean =
    stats.running === 0 &&
    stats.waiting === 0 &&
    after.running === 0 &&
    stats.cellsUsed <= stats.cellsTotal &&
    whole.tokens === 4;
  return [
    {
      ...common,
      metric: "requests that ended",
      unit: `of ${count}`,
      value: ended,
      bar: is("all accounted for", ended === count && stats.requests === count),
      note: spread.join(", "),
    },
    {
      ...common,
      metric: "memory, last quarter / the one before",
      unit: "x",
      value: growth,
      bar: is("flat: <= 1.02", growth <= 1.02),
      note: `${Math.round(found.rss.at(-1) / MIB)} MiB at the end`,
    },
    {
      ...common,
      metric: "cells kept for later prompts at the end",
      unit: `of ${stats.cellsTotal}`,
      value: stats.cellsUsed,
      bar: is("none lost", clean),
      note: `a prompt that needs all cells afterwards: ${whole.finishReason}, ${whole.tokens} tokens`,
    },
    {
      ...common,
      metric: "tokens over the whole",
      unit: "tokens/s",
      value: (found.tokens / found.wallMs) * 1000,
    },
  ];
}
