// `r1-native worker`: takes rows from a queue, computes them on this machine, and writes them into a
// shard of its own. Main thread; the model works on its own.
import type { Command } from "commander";
import { documentAddress } from "../../base/documents.js";
import { R1Error } from "../../base/errors.js";
import { runWorker } from "../../queue.js";
import type { WorkerOptions, WorkerSummary } from "../../queue.js";
import { progressJson } from "../batch-progress.js";
import { COMMAND_FLAGS } from "../command-flags.js";
import { Interrupted, watchSignals } from "../exit.js";
import { addFlags, collect, setWords, type OptionBag } from "../flags.js";
import { callOptions, longCommand } from "../long-command.js";
import { queueOf, showDashboard } from "../queue-batch.js";

const HELP = `
How rows are computed stands in the queue, where r1-native batch INPUT --queue URL put it. A worker
takes as many rows as it has sequences, writes each result to its own SHARD before it reports it,
and ends when all rows are done. Started again with the same SHARD it goes on.

Examples:
  r1-native worker --queue redis://queue:6379 -m model.gguf -np 8 -c 65536 -o shard-1.jsonl
  r1-native worker --queue redis://queue:6379 --dashboard

Exit codes: 0 all rows done, 1 failed, 2 wrong usage or another model, 130 interrupted by Ctrl-C.
See ${documentAddress("guide/queue.md")} for details.`;

const STOPPING = "Ending. A second Ctrl-C ends at once.";

function summaryText({ done, failed, tokens, shard }: WorkerSummary): string {
  const failures = failed === 0 ? "" : `; ${failed} failed`;
  return `All rows are done; this worker did ${done}${failures}, ${tokens} tokens. Results: ${shard}`;
}

async function work(bag: OptionBag): Promise<void> {
  const { isJson, options: shared, open, run } = longCommand(bag, STOPPING);
  const options = {
    ...callOptions(bag),
    ...queueOf(bag, shared.signal),
    ...shared,
  } as WorkerOptions;
  const summary = await run(
    () => runWorker(open, options),
    () => "The rows that were running are back in the queue. The same command goes on.",
  );
  if (isJson) process.stderr.write(progressJson(summary));
  else shared.onNotice(summaryText(summary));
}

async function start(command: Command): Promise<void> {
  const bag = collect(command);
  if (bag.run["queue"] === undefined) throw missing("--queue URL");
  if (bag.run["dashboard"] !== true) {
    if (bag.run["shard"] === undefined) throw missing("-o SHARD");
    return work(bag);
  }
  const watch = watchSignals(() => undefined);
  try {
    await showDashboard(queueOf(bag, watch.signal));
  } catch (error) {
    if (watch.exitCode === undefined) throw error;
    throw new Interrupted(watch.exitCode);
  } finally {
    watch.stop();
  }
}

const missing = (flag: string): R1Error =>
  new R1Error(
    "INVALID_ARGUMENT",
    `${flag} is missing: r1-native worker --queue URL -m MODEL -o SHARD.`,
  );

/** Adds the command to the program. */
export function register(program: Command): void {
  const command = program
    .command("worker")
    .addHelpText("after", HELP)
    .action(() => start(command));
  addFlags(command, COMMAND_FLAGS.worker);
  setWords(command, { shard: "--output" });
}
