// Computes the row of one job: reads it, hands it to the runner, and reports where its records lie.
// Runs on the JavaScript thread.
import { hash } from "node:crypto";
import { hostname } from "node:os";
import { R1Error } from "../base/errors.js";
import type { BatchConfig } from "../batch/config.js";
import type { WrittenLine } from "../batch/journals.js";
import type { Ledger } from "../batch/ledger.js";
import { parseRow } from "../batch/parse-row.js";
import { RowSamples } from "../batch/plan-samples.js";
import type { BatchRow } from "../batch/row.js";
import type { WorkerBeat } from "./beat.js";
import type { RowFeed } from "./feed.js";
import { jobIdOf, type JobOfRow, type Place, type QueueLink, type RowProcessor } from "./link.js";

/** Why a row's promise rejects when its lock is lost: others have it. */
export const LOST = "the lock of the row was lost";
/** Why it rejects when the worker ends: the row goes back to the queue. */
export const STOPPED = "the worker ends";

/** Where the line of a sample lies, with what identifies it. */
export const placeOf = (sample: number, { file, start, line }: WrittenLine): Place => ({
  sample,
  file,
  offset: start,
  bytes: Buffer.byteLength(line),
  sha256: hash("sha256", line, "hex"),
});

/** What computes the jobs of a worker. */
export function processorOf(
  link: QueueLink,
  feed: RowFeed,
  config: BatchConfig,
  ledger: Ledger,
  { name, shard }: Pick<WorkerBeat, "name" | "shard">,
): RowProcessor {
  return async (job, token, signal) => {
    const row = { ...rowOf(job, config), signal };
    let places: readonly Place[] = [];
    try {
      // A worker that died between a record and its report finds the record in its own shard.
      if (new RowSamples(row, config, ledger).isOpen) places = await feed.submit(row);
    } catch (error) {
      if (error === STOPPED) return link.giveBack(job, token);
      return link.leave();
    }
    return { worker: name, host: hostname(), shard, places };
  };
}

/**
 * The row of a job. It was checked when the queue was filled, and is checked again, since others may
 * write to the server as well.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` and others of a wrong row: the job fails with it.
 */
function rowOf(job: JobOfRow, config: BatchConfig): BatchRow {
  const row = parseRow(job.data.row, 0, config.read);
  if (jobIdOf(row.id) === job.id) return row;
  throw new R1Error(
    "INVALID_ARGUMENT",
    `The job ${String(job.id)} of the queue holds the row ${JSON.stringify(row.id)}, which has another id.`,
  );
}
