// What all sides of a queue agree on: the options of its batch, the model, whether all rows are in,
// and who works. Kept as jobs of a second queue that nobody processes, so that it works on every
// server of BullMQ's. Runs on the JavaScript thread.
import { R1Error } from "../base/errors.js";
import { changedOptions, shown } from "../batch/header.js";
import type { QueueLink } from "./link.js";

const FORMAT = 1;
const HEADER = "r1-header";
const MODEL = "r1-model";
const FILLED = "r1-filled";
const WORKER = "r1-worker-";

/** The batch of a queue, written by whoever fills it first. */
export interface QueueHeader {
  readonly format: number;
  /** Version of this package that filled the queue. */
  readonly version: string;
  readonly created: string;
  /** Every option that shapes what is written, in the words of `runBatchFile`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The model of a queue, written by its first worker. */
export interface QueueModel {
  readonly fingerprint: string;
  readonly description: string;
}

/** What a worker reports of itself. */
export interface WorkerReport {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** Path of its shard, on its machine. */
  readonly shard: string;
  readonly sequences: number;
  /** Samples that run now. */
  readonly running: number;
  /** Samples that are done, by this run of the worker. */
  readonly done: number;
  /** Of these, samples that ended as errors. */
  readonly failed: number;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly state: "working" | "ended";
  /** When it reported. Unit: milliseconds since 1970, by its own clock. */
  readonly at: number;
}

/** The value of a control job; undefined if nobody has written it. */
async function valueOf<T>(link: QueueLink, id: string): Promise<T | undefined> {
  return (await link.control.getJob(id))?.data as T | undefined;
}

/** Writes a value unless there is one: of several writers the first counts, and all read the same. */
async function settle<T>(link: QueueLink, id: string, value: T): Promise<T> {
  await link.control.add(id, value, { jobId: id });
  return (await valueOf<T>(link, id)) ?? value;
}

/** The batch of the queue; undefined while nobody has filled it. @throws {R1Error} `RUN_MISMATCH` */
export async function readHeader(link: QueueLink): Promise<QueueHeader | undefined> {
  const header = await valueOf<QueueHeader>(link, HEADER);
  if (header === undefined || header.format === FORMAT) return header;
  throw new R1Error(
    "RUN_MISMATCH",
    `The queue "${link.name}" was filled by another version of r1-native (${header.version}). Use that version, or another --queue-name.`,
    { details: { name: link.name } },
  );
}

/**
 * Settles the options of the queue's batch.
 *
 * @throws {R1Error} `RUN_MISMATCH` naming what differs from the batch that is there.
 */
export async function settleOptions(
  link: QueueLink,
  version: string,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  await readHeader(link);
  const created = new Date().toISOString();
  const header = await settle(link, HEADER, { format: FORMAT, version, created, options });
  const there = header.options;
  const changes = changedOptions(there, options).map(
    (key) => `${key} is ${shown(there[key])} there and ${shown(options[key])} here`,
  );
  if (changes.length === 0) return;
  throw new R1Error(
    "RUN_MISMATCH",
    `The queue "${link.name}" holds a batch with other options: ${changes.join("; ")}. Use the same options, or another --queue-name.`,
    { details: { name: link.name, changes } },
  );
}

/**
 * Settles the model of the queue: the first worker decides.
 *
 * @throws {R1Error} `RUN_MISMATCH` when the queue's rows are computed by another model.
 */
export async function settleModel(link: QueueLink, own: QueueModel): Promise<void> {
  const { fingerprint, description } = await settle(link, MODEL, own);
  if (fingerprint === own.fingerprint) return;
  throw new R1Error(
    "RUN_MISMATCH",
    `The rows of the queue "${link.name}" are computed by ${description} (${fingerprint.slice(0, 16)}), and this worker has ${own.description} (${own.fingerprint.slice(0, 16)}). Give it the same file of the model.`,
    { details: { name: link.name, expected: fingerprint, received: own.fingerprint } },
  );
}

/** Marks that rows are being put in, so that idle workers wait for them. */
export async function markFilling(link: QueueLink): Promise<void> {
  await link.control.remove(FILLED);
}

/** Marks that all rows are in. */
export async function markFilled(link: QueueLink, rows: number): Promise<void> {
  await settle(link, FILLED, { rows });
}

/** How many rows the batch has; undefined while they are being put in. */
export async function filledRows(link: QueueLink): Promise<number | undefined> {
  return (await valueOf<{ readonly rows: number }>(link, FILLED))?.rows;
}

/** Reports what a worker does; a later report replaces an earlier one. */
export async function reportWorker(link: QueueLink, report: WorkerReport): Promise<void> {
  const id = `${WORKER}${report.name}`;
  const job = await link.control.getJob(id);
  if (job === undefined) await link.control.add(WORKER, report, { jobId: id });
  else await job.updateData(report);
}

/** The reports of all workers, by name. */
export async function readWorkers(link: QueueLink): Promise<WorkerReport[]> {
  const jobs = await link.control.getJobs(["waiting"]);
  return jobs
    .filter(({ name }) => name === WORKER)
    .map(({ data }) => data as WorkerReport)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
