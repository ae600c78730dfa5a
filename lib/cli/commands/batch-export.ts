// `r1-native batch export`: the results of a batch as a table or a set for training. Main thread.
import type { Command } from "commander";
import { exportBatch } from "../../batch.js";
import type { ChatExport, ExportOptions } from "../../batch.js";

interface Flags extends Omit<ExportOptions, "chat"> {
  chat?: ChatExport | true;
}

async function run(output: string, target: string, { chat, ...flags }: Flags): Promise<void> {
  const options: ExportOptions =
    chat === undefined ? flags : { ...flags, chat: chat === true ? "reasoning" : chat };
  const { records, path } = await exportBatch(output, target, options);
  process.stderr.write(`wrote ${records} records to ${path}\n`);
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("batch-export")
    .name("batch export")
    .description("write the results of a batch as JSONL, CSV, Parquet or OpenAI's lines")
    .argument("<output>", "the output of a batch")
    .argument("<target>", "the file to write")
    .option("--format <format>", "jsonl, csv, parquet or openai (default: by the target's ending)")
    .option("--order <order>", "finished, input or id (default: finished)")
    .option("--input <file>", "the batch's input, for --order input (default: as its header says)")
    .option("--chat [reasoning|answer]", "conversations for fine-tuning, with or without reasoning")
    .option("--verified", "only results that the verifier passed")
    .option("--finished", "only results that ended by themselves")
    .option("--force", "overwrite an existing file")
    .action(run);
}
