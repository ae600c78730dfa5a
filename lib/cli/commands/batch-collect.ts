// `r1-native batch collect`: merges the shards of a queue's workers by what the queue knows. Main
// thread.
import type { Command } from "commander";
import { R1Error } from "../../base/errors.js";
import { collectQueue, type CollectOptions, type CollectSummary } from "../../queue.js";
import { EXIT, Interrupted, watchSignals } from "../exit.js";
import { sayMerged } from "../merge-report.js";
import { reportText } from "../report-json.js";
import { say } from "../queue-batch.js";

interface Flags extends Pick<CollectOptions, "queueName" | "requeue" | "retryErrors" | "force"> {
  readonly queue?: string;
  readonly json?: boolean;
}

function report(target: string, summary: CollectSummary): void {
  const { rows, left, givenUp, missing, missingFrom, requeued } = summary;
  sayMerged(target, summary);
  if (left > 0) say(`${left} of ${rows} rows are not done yet.`);
  if (givenUp > 0)
    say(`${givenUp} rows were given up after their workers died; --retry-errors puts them back.`);
  for (const { host, shard, rows: count } of missingFrom)
    say(
      `${count} rows are done, but their records are in none of these shards: ` +
        `${host} wrote them to ${shard}.`,
    );
  if (requeued > 0)
    say(`${requeued} rows are back in the queue: start workers, then collect again.`);
  else if (missing > 0)
    say("Name that shard as well, or pass --requeue if it is lost: its rows are computed again.");
}

async function run(files: string[], { queue, json, ...flags }: Flags): Promise<void> {
  const target = files.at(-1);
  if (queue === undefined || target === undefined || files.length < 2)
    throw new R1Error(
      "INVALID_ARGUMENT",
      "Expected one shard or more, the file to write, and the queue: " +
        "r1-native batch collect a.jsonl b.jsonl all.jsonl --queue URL.",
      { details: { option: "shards" } },
    );
  const watch = watchSignals(() => undefined);
  try {
    const { signal } = watch;
    const shards = files.slice(0, -1);
    const summary = await collectQueue({ ...flags, queue, shards, target, signal, onNotice: say });
    if (json === true) process.stdout.write(reportText("batch-collect", summary, 0));
    else report(target, summary);
    // The merged output is not whole.
    if (summary.left + summary.missing > 0) throw new Interrupted(EXIT.failed);
  } catch (error) {
    if (watch.exitCode === undefined) throw error;
    throw new Interrupted(watch.exitCode);
  } finally {
    watch.stop();
  }
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("batch-collect")
    .name("batch collect")
    .argument("<files...>", "the workers' shards, and last the file to write")
    .option("--queue <url>", "redis://, rediss:// or postgres://")
    .option("--queue-name <name>", "name of the batch on its server (default: batch)")
    .option("--requeue", "compute rows again whose records are in none of the shards")
    .option("--retry-errors", "compute rows again that were given up")
    .option("--force", "overwrite an existing file")
    .option("--json", "report the result as JSON")
    .addHelpText(
      "after",
      "\nExit codes: 0 the file has all rows, 1 rows are missing or not done yet, or it failed, " +
        "2 wrong usage.",
    )
    .action(run);
}
