// `r1-native batch`: runs the rows of a file through a model into an output file that stays valid
// if the process is killed at any moment. Main thread; the model runs on its own thread.
import type { Command } from "commander";
import { existsSync } from "node:fs";
import { nearest } from "../../base/check.js";
import { documentAddress } from "../../base/documents.js";
import { R1Error } from "../../base/errors.js";
import { runBatchFile } from "../../batch.js";
import type { BatchFileOptions, BatchSummary } from "../../batch.js";
import type { CommandTable } from "../command-file.js";
import { COMMAND_FLAGS } from "../command-flags.js";
import { addFlags, collect, setWords } from "../flags.js";
import { callOptions, longCommand } from "../long-command.js";
import { reportText } from "../report-json.js";
import { runQueued } from "../queue-batch.js";

const HELP = `
INPUT has one JSON object per line: {"id": "a", "prompt": "What is 1+1?"} or a line of OpenAI's batch
format. By its extension it can also be CSV or Parquet. Results are appended to OUTPUT as they arrive.
After a stop or a kill, the same command continues where it was.

Examples:
  r1-native batch questions.jsonl answers.jsonl -m model.gguf -np 8 -c 65536
  r1-native batch problems.csv traces.jsonl -m model.gguf --map problem --samples 4 --seed 1
  r1-native batch problems.jsonl traces.jsonl -m model.gguf --verify ./verify.mjs --until-verified 2
  r1-native batch export traces.jsonl traces.parquet

Exit codes: 0 done (failed rows are in OUTPUT.errors.jsonl), 1 failed, 2 wrong usage or wrong rows,
130 interrupted by Ctrl-C.
See ${documentAddress("guide/batch.md")} for details.`;

const STOPPING = "Stopping. Press Ctrl-C again to stop at once.";

/** Quotes a word for a shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** Returns the command that continues this run. */
const againText = (): string => `r1-native ${process.argv.slice(2).map(quoted).join(" ")}`;

function summaryText(summary: BatchSummary, isVerified: boolean): string {
  const { total, done, before, failed, verified, verifyErrors, ends } = summary;
  const { tokens, output, errors } = summary;
  if (summary.isNothing)
    return total === 0
      ? "The input has no rows. There is nothing to do."
      : `All ${done} are already done. There is nothing to do.`;
  const reasons = Object.entries(ends)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(", ");
  const parts = [
    `${done} of ${total ?? done} done${before > 0 ? ` (${before} of them before)` : ""}`,
    ...(reasons === "" ? [] : [`ended by ${reasons}`]),
    ...(isVerified ? [`${verified} verified`] : []),
    ...(verifyErrors > 0 ? [`the verifier failed on ${verifyErrors}, see verify_error`] : []),
    `${tokens} tokens`,
    ...(failed > 0 ? [`${failed} failed, see ${errors}`] : []),
  ];
  return `${parts.join("; ")}. Results: ${output}`;
}

/** Refuses an output beside --queue: each worker writes its own. */
function refuseOutput(given: string | undefined): void {
  if (given === undefined) return;
  throw new R1Error(
    "INVALID_ARGUMENT",
    `Expected no <output> beside --queue but received ${JSON.stringify(given)}: each worker ` +
      "writes its own, which r1-native worker -o names.",
    { details: { option: "output" } },
  );
}

/** A word that is no file may be a command that begins with `batch`, misspelt. */
function refuseMisspelt(input: string, all: CommandTable): void {
  const commands = Object.keys(all).flatMap((name) => /^batch (.+)/.exec(name)?.[1] ?? []);
  const near = /^[\w-]+$/.test(input) ? nearest(input, commands) : undefined;
  if (near === undefined || existsSync(input)) return;
  throw new R1Error(
    "INVALID_ARGUMENT",
    `There is no file and no command "${input}". Did you mean r1-native batch ${near}?`,
    { details: { option: "input", nearest: near } },
  );
}

/** Without --queue the output is required. */
function outputOf(given: string | undefined): string {
  if (given !== undefined) return given;
  throw new R1Error(
    "INVALID_ARGUMENT",
    "<output> is missing: r1-native batch <input> <output>. Only with --queue there is none.",
    { details: { option: "output" } },
  );
}

async function start(input: string, given: string | undefined, command: Command): Promise<void> {
  const bag = collect(command);
  if (bag.run["queue"] !== undefined) {
    refuseOutput(given);
    return runQueued(input, bag);
  }
  const output = outputOf(given);
  const { seed, timeoutMs, ...generate } = bag.generate;
  const { isJson, options: shared, open, run } = longCommand(bag, STOPPING);
  const options = {
    ...generate,
    ...callOptions(bag),
    ...(seed === undefined ? {} : { seed }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    input,
    output,
    ...shared,
  } as BatchFileOptions;
  const summary = await run(
    () => runBatchFile(open, options),
    () => `The results so far are in ${output}. To continue:\n  ${againText()}`,
  );
  if (isJson)
    process.stderr.write(reportText("batch-progress", { ...summary, event: "summary" }, 0));
  else shared.onNotice(summaryText(summary, bag.run["verify"] !== undefined));
}

/** Adds the command to the program. */
export function register(program: Command, all: CommandTable): void {
  const command = program
    .command("batch")
    .argument("<input>", "JSONL, CSV or Parquet")
    .argument("[output]", "JSONL; results are appended to it; none with --queue")
    .addHelpText("after", HELP)
    .action((input: string, output: string | undefined) => {
      refuseMisspelt(input, all);
      return start(input, output, command);
    });
  addFlags(command, COMMAND_FLAGS.batch);
  setWords(command, { maxDraft: "--ngram-draft" });
}
