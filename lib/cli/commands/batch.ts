// `r1-native batch`: runs the rows of a file through a model into an output file that stays valid
// if the process is killed at any moment. Main thread; the model runs on its own thread.
import type { Command } from "commander";
import { R1Error } from "../../base/errors.js";
import { runBatchFile } from "../../batch.js";
import type { BatchFileOptions, BatchSummary } from "../../batch.js";
import type { Model } from "../../index.js";
import { progressView } from "../batch-progress.js";
import { Interrupted, watchSignals } from "../exit.js";
import { addFlags, collect, setWords } from "../flags.js";
import { answerFlags } from "../flags-answer.js";
import { batchFlags } from "../flags-batch.js";
import { generateFlags } from "../flags-generate.js";
import { loadFlags } from "../flags-load.js";
import { conversationFlags } from "../flags-run.js";
import { batchQueueFlags } from "../flags-queue.js";
import { useProxy } from "../network.js";
import { openModel } from "../open-model.js";
import { runQueued } from "../queue-batch.js";
import { loadOptionsOf } from "../settings.js";
import { forTerminal } from "../wrap.js";

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
130 interrupted by Ctrl-C. See docs/batch.md for details.`;

const SEQUENCES = 4;
/** Flags that are not options of runBatchFile. */
const OWN_FLAGS = ["verbose", "jsonProgress", "proxy", "hfRepo", "hfFile", "sequences"];

/** Quotes a word for a shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** Returns the command that continues this run. */
const againText = (): string => `r1-native ${process.argv.slice(2).map(quoted).join(" ")}`;

function summaryText(summary: BatchSummary): string {
  const { total, done, before, failed, verified, ends, tokens, output, errors } = summary;
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
    ...(verified > 0 ? [`${verified} verified`] : []),
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
    `Expected no <output> beside --queue but received ${JSON.stringify(given)}: each worker writes ` +
      "its own, which r1-native worker -o names.",
    { details: { option: "output" } },
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

async function run(input: string, given: string | undefined, command: Command): Promise<void> {
  const bag = collect(command);
  if (bag.run["queue"] !== undefined) {
    refuseOutput(given);
    return runQueued(input, bag);
  }
  const output = outputOf(given);
  const { seed, timeoutMs, ...generate } = bag.generate;
  const { sequences = SEQUENCES } = bag.run;
  const load = { sequences, ...loadOptionsOf(bag) };
  useProxy(bag.run["proxy"] as string | undefined);
  const isJson = bag.run["jsonProgress"] === true;
  const view = progressView(isJson);
  const say = (text: string): void =>
    view.say(
      isJson ? JSON.stringify({ event: "notice", text }) : forTerminal(text, process.stderr),
    );
  const watch = watchSignals(() => {
    view.stop();
    if (!isJson) process.stderr.write("Stopping. Press Ctrl-C again to stop at once.\n");
  });
  const own = Object.fromEntries(
    Object.entries(bag.run).filter(
      ([key]) => !OWN_FLAGS.includes(key) && !key.startsWith("accepted:"),
    ),
  );
  const options = {
    ...generate,
    ...own,
    ...(seed === undefined ? {} : { seed }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    input,
    output,
    signal: watch.signal,
    onProgress: (progress: Parameters<typeof view.update>[0]) => view.update(progress),
    onNotice: say,
  } as BatchFileOptions;
  const open = (): Promise<Model> =>
    openModel(load, { isVerbose: bag.run["verbose"] === true, signal: watch.signal });
  try {
    const summary = await runBatchFile(open, options);
    view.stop();
    if (isJson) process.stderr.write(`${JSON.stringify({ ...summary, event: "summary" })}\n`);
    else say(summaryText(summary));
  } catch (error) {
    view.stop();
    if (watch.exitCode === undefined) throw error;
    const text = `The results so far are in ${output}. To continue:\n  ${againText()}`;
    say(text);
    throw new Interrupted(watch.exitCode);
  } finally {
    watch.stop();
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("batch")
    .description("run the rows of a file; no result is lost, even if the run is killed")
    .argument("<input>", "JSONL, CSV or Parquet")
    .argument("[output]", "JSONL; results are appended to it; none with --queue")
    .addHelpText("after", HELP)
    .action((input: string, output: string | undefined) => run(input, output, command));
  addFlags(command, [
    ...batchFlags,
    ...batchQueueFlags,
    ...conversationFlags,
    ...loadFlags,
    ...answerFlags,
    ...generateFlags,
  ]);
  setWords(command, { maxDraft: "--ngram-draft" });
}
