// How fast texts are tokenised on one core with R1's whole vocabulary, compared with llama.cpp's
// own tokeniser on the same English text.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../core/processes.mjs";
import { atLeast, judge } from "../core/rows.mjs";
import { median } from "../core/stats.mjs";
import { withProcess } from "../core/subjects.mjs";
import { tool } from "../drivers/upstream.mjs";
import { english } from "../probes/text.mjs";

export const title = "tokenising on one core, R1's vocabulary";

/** Megabytes a second of English. */
const BAR = 10;

/**
 * Megabytes a second of llama-tokenize: what two texts of different lengths take, without its load.
 */
async function upstreamSpeed(bench, path) {
  const program = tool(bench, "llama-tokenize");
  const folder = mkdtempSync(join(tmpdir(), "r1-bench-"));
  try {
    const timed = async (megabytes) => {
      const file = join(folder, `${megabytes}.txt`);
      writeFileSync(file, english({ megabytes }));
      const start = performance.now();
      await runProgram(program, ["-m", path, "-f", file, "--log-disable", "--ids", "--no-bos"]);
      return (performance.now() - start) / 1000;
    };
    const short = await timed(1);
    return 2 / ((await timed(3)) - short);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function run(bench) {
  const path = await bench.path("r1-cells");
  const rounds = bench.quick ? 3 : 9;
  const found = await withProcess(bench, "probes/text.mjs", (probe) =>
    probe.call("run", { path, rounds }),
  );
  const row = (subject, metric, value, bar, note) => ({
    trial: "text",
    model: "r1-cells",
    subject,
    metric,
    unit: "MB/s",
    value,
    bar,
    note,
  });
  const rows = Object.entries(found).map(([name, speeds], i) => {
    const value = median(speeds);
    const bar = i === 0 ? judge(bench, atLeast(BAR), value) : undefined;
    return row("r1-native", name, value, bar, `best ${Math.max(...speeds).toFixed(1)} MB/s`);
  });
  if (bench.drivers.includes("upstream"))
    rows.push(
      row(
        "llama-tokenize",
        Object.keys(found)[0],
        await upstreamSpeed(bench, path),
        undefined,
        "what two megabytes more take, its output of ids included",
      ),
    );
  return rows;
}
