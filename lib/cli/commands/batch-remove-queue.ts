// `r1-native batch remove-queue`: removes a finished batch from its server. Main thread.
import type { Command } from "commander";
import { R1Error } from "../../base/errors.js";
import { removeQueue, type RemoveOptions } from "../../queue.js";
import { say } from "../queue-batch.js";
import { reportText } from "../report-json.js";

interface Flags extends Partial<RemoveOptions> {
  readonly json?: boolean;
}

async function run({ json, ...flags }: Flags): Promise<void> {
  const { queue, queueName = "batch" } = flags;
  if (queue === undefined)
    throw new R1Error(
      "INVALID_ARGUMENT",
      "--queue URL is missing: r1-native batch remove-queue --queue URL.",
      { details: { option: "queue" } },
    );
  const { rows } = await removeQueue({ ...flags, queue, onNotice: say });
  if (json === true) {
    process.stdout.write(reportText("batch-remove-queue", { queue: queueName, rows }, 0));
    return;
  }
  say(
    rows === 0
      ? `The server holds no queue "${queueName}".`
      : `removed the queue "${queueName}" with ${rows} rows; ` +
          "the workers' shards stay where they are",
  );
}

/** Adds the command to the program. */
export function register(program: Command): void {
  program
    .command("batch-remove-queue")
    .name("batch remove-queue")
    .option("--queue <url>", "redis://, rediss:// or postgres://")
    .option("--queue-name <name>", "name of the batch on its server (default: batch)")
    .option("--force", "also with rows left, and while workers run")
    .option("--json", "report the result as JSON")
    .action(run);
}
