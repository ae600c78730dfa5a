// `r1-native batch stats`: how long the results of a batch are and how they ended. Main thread.
import type { Command } from "commander";
import { batchStats, lengthPlot } from "../../batch.js";
import type { BatchStats } from "../../batch.js";
import { writeFileAtomically } from "../../base/files/writer.js";
import { tableText } from "../file-work.js";
import { reportText } from "../report-json.js";

const BAR = 30;

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function report(stats: BatchStats): string {
  const { records, ids, failed, ends, verified, length, histogram } = stats;
  const most = Math.max(1, ...histogram.map(({ count }) => count));
  const facts = [
    `${records} results of ${ids} rows${failed > 0 ? `, ${failed} errors` : ""}`,
    `${stats.promptTokens} tokens of prompts, ${stats.completionTokens} generated, ${stats.reasoningTokens} of them reasoning`,
    ...(verified === undefined
      ? []
      : [
          `${verified.count} of ${verified.of} verified (${percent(verified.count / verified.of)})`,
        ]),
    ...(length === undefined
      ? []
      : [
          `tokens of a result: mean ${length.mean.toFixed(0)}, median ${length.p50}, 90 % up to ${length.p90}, 99 % up to ${length.p99}, longest ${length.max}`,
        ]),
  ];
  const endRows = ends.map(({ reason, count, share }) => [reason, String(count), percent(share)]);
  const lengthRows = histogram.map(({ from, to, count }) => [
    `${from}-${to}`,
    String(count),
    "█".repeat(Math.round((count / most) * BAR)),
  ]);
  return [
    facts.join("\n"),
    tableText([["ended by", "results", "share"], ...endRows], [1, 2]),
    tableText([["tokens", "results", ""], ...lengthRows], [0, 1]),
  ].join("\n\n");
}

async function run(
  output: string,
  flags: { json?: boolean; plot?: string; force?: boolean },
): Promise<void> {
  const stats = await batchStats(output);
  process.stdout.write(
    flags.json === true ? reportText("batch-stats", stats, 0) : `${report(stats)}\n`,
  );
  if (flags.plot !== undefined) {
    await writeFileAtomically(flags.plot, { force: flags.force === true }, async ({ handle }) => {
      await handle.writeFile(lengthPlot(stats));
    });
    process.stderr.write(`wrote ${flags.plot}\n`);
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("batch-stats")
    .name("batch stats")
    .argument("<output>", "the output of a batch")
    .option("--json", "one JSON object")
    .option("--plot <file>", "also write a histogram of lengths as SVG")
    .option("--force", "overwrite an existing plot")
    .action(run);
}
