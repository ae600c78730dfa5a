// `r1-native batch export`: the results of a batch as a table or a set for training. Main thread.
import type { Command } from "commander";
import { exportBatch } from "../../batch.js";
import type { ChatExport, ExportOptions } from "../../batch.js";
import { reportText } from "../report-json.js";

interface Flags extends Omit<ExportOptions, "chat"> {
  chat?: ChatExport | true;
  json?: boolean;
}

function leftOutText(leftOut: number, { verified, finished }: Flags): string {
  if (leftOut === 0) return "";
  const by = [...(verified ? ["--verified"] : []), ...(finished ? ["--finished"] : [])];
  return `; ${leftOut} left out by ${by.join(" and ")}`;
}

async function run(output: string, target: string, { chat, json, ...flags }: Flags): Promise<void> {
  const options: ExportOptions =
    chat === undefined ? flags : { ...flags, chat: chat === true ? "reasoning" : chat };
  const { records, path, leftOut } = await exportBatch(output, target, options);
  if (json === true)
    process.stdout.write(reportText("batch-export", { records, path, leftOut }, 0));
  else process.stderr.write(`wrote ${records} records to ${path}${leftOutText(leftOut, flags)}\n`);
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("batch-export")
    .name("batch export")
    .argument("<output>", "the output of a batch")
    .argument("<target>", "the file to write")
    .option("--format <format>", "jsonl, csv, parquet or openai (default: by the target's ending)")
    .option("--order <order>", "finished, input or id (default: finished)")
    .option("--input <file>", "the batch's input, for --order input (default: as its header says)")
    .option("--chat [reasoning|answer]", "conversations for fine-tuning, with or without reasoning")
    .option("--verified", "only results that the verifier passed")
    .option("--finished", "only results that ended by themselves")
    .option("--force", "overwrite an existing file")
    .option("--json", "report the result as JSON")
    .action(run);
}
