// `r1-native batch merge`: several outputs of a batch into one. Main thread.
import type { Command } from "commander";
import { mergeBatches } from "../../batch.js";
import type { MergeBatchOptions } from "../../batch.js";
import { R1Error } from "../../base/errors.js";
import { sayMerged } from "../merge-report.js";
import { reportText } from "../report-json.js";

interface Flags extends MergeBatchOptions {
  readonly json?: boolean;
}

async function run(files: string[], { json, ...flags }: Flags): Promise<void> {
  const target = files.at(-1);
  if (target === undefined || files.length < 2)
    throw new R1Error(
      "INVALID_ARGUMENT",
      "Expected one output or more, and the file to write: r1-native batch merge a.jsonl b.jsonl all.jsonl.",
      { details: { option: "outputs" } },
    );
  const summary = await mergeBatches(files.slice(0, -1), target, flags);
  if (json === true) process.stdout.write(reportText("batch-merge", summary, 0));
  else sayMerged(target, summary);
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("batch-merge")
    .name("batch merge")
    .argument("<files...>", "the outputs, and last the file to write")
    .option("--allow-change", "also outputs of different models")
    .option("--force", "overwrite an existing file")
    .option("--json", "report the result as JSON")
    .action(run);
}
