// The connections of one process to a queue: its rows, what all sides agree on, and BullMQ's worker.
// Runs on the JavaScript thread.
import type { Job, Queue, Worker, WorkerOptions } from "bullmq";
import { hash } from "node:crypto";
import { R1Error } from "../base/errors.js";
import { withoutSecrets, type QueueAddress } from "./address.js";
import { keyOf } from "../batch/identity.js";
import {
  checkServer,
  loadBullMQ,
  postgresOptions,
  redisOptions,
  serverFailure,
  type BullMQ,
} from "./server.js";

/** Keys of ours in a Redis that others use as well. */
const PREFIX = "r1-native";

/** Jobs that are read at a time. */
const PAGE = 500;

/** What a job of the queue carries: a row, as it stood in the input. */
export interface RowJob {
  readonly row: Readonly<Record<string, unknown>>;
}

/** Where the record of one sample lies. */
export interface Place {
  readonly sample: number;
  /** Which file of the shard: its results or its errors. */
  readonly file: "output" | "errors";
  /** Unit: bytes. */
  readonly offset: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a worker returns for a row. */
export interface RowReport {
  readonly worker: string;
  readonly host: string;
  readonly shard: string;
  readonly places: readonly Place[];
}

export type RowQueue = Queue<RowJob, RowReport>;
export type JobOfRow = Job<RowJob, RowReport>;

/** Computes the row of a job; the signal aborts when its lock is lost. */
export type RowProcessor = (
  job: JobOfRow,
  token: string | undefined,
  signal: AbortSignal | undefined,
) => Promise<RowReport>;

/** The id of a row's job. BullMQ forbids colons and numbers. */
export const jobIdOf = (id: string): string =>
  `r1-${keyOf(id)
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("")}`;

/** Says something to the person who runs the command, once a minute at most. */
function quietly(say: (text: string) => void): (text: string) => void {
  const said = new Map<string, number>();
  return (text) => {
    const key = hash("sha256", text, "hex");
    if (performance.now() - (said.get(key) ?? -Infinity) < 60_000) return;
    if (said.size > 100) said.clear();
    said.set(key, performance.now());
    say(text);
  };
}

/** An open queue. */
export class QueueLink {
  readonly name: string;
  readonly rows: RowQueue;
  readonly control: Queue<unknown>;
  readonly address: QueueAddress;
  readonly #bull: BullMQ;
  readonly #onError: (error: Error) => void;
  #worker: Worker<RowJob, RowReport> | undefined;

  private constructor(
    name: string,
    address: QueueAddress,
    bull: BullMQ,
    say: (text: string) => void,
  ) {
    this.name = name;
    this.address = address;
    this.#bull = bull;
    const sayOnce = quietly(say);
    this.#onError = ({ message }) => sayOnce(`Queue: ${withoutSecrets(message, address)}`);
    this.rows = this.#queue(name) as RowQueue;
    this.control = this.#queue(`${name}-control`);
  }

  /**
   * Connects to a queue.
   *
   * @param say - Gets what a person should know, without credentials.
   * @throws {R1Error} `QUEUE_UNREACHABLE`, `QUEUE_UNSAFE`, `PACKAGE_MISSING`.
   */
  static async open(
    address: QueueAddress,
    name: string,
    say: (text: string) => void,
  ): Promise<QueueLink> {
    const { notices } = await checkServer(address);
    notices.forEach((notice) => say(notice));
    const link = new QueueLink(name, address, await loadBullMQ(), say);
    try {
      // One after the other: each prepares the tables of a new database.
      await link.rows.waitUntilReady();
      await link.control.waitUntilReady();
      return link;
    } catch (error) {
      await link.close();
      throw serverFailure(error, address);
    }
  }

  /** Starts to take rows from the queue. */
  work(process: RowProcessor, options: Partial<WorkerOptions>): Worker<RowJob, RowReport> {
    const { Worker: BullWorker } = this.#bull;
    const full = { ...this.#connection(), ...options } as WorkerOptions;
    // BullMQ passes a signal to processors that name three parameters only.
    const made = new BullWorker<RowJob, RowReport>(
      this.name,
      (job, token, signal) => process(job, token, signal),
      full,
      this.#factory() as never,
    );
    made.on("error", this.#onError);
    this.#worker = made;
    return this.#worker;
  }

  /** Gives a row back for others to take; its processor ends with what this throws. */
  async giveBack(job: JobOfRow, token: string | undefined): Promise<never> {
    await job.moveToWait(token);
    throw new this.#bull.WaitingError();
  }

  /** Ends a processor whose row others have by now; nothing is reported. */
  leave(): never {
    throw new this.#bull.WaitingError();
  }

  /** Rows by what became of them. */
  async counts(): Promise<RowCounts> {
    const found = await this.rows.getJobCounts();
    const sum = (...states: string[]): number =>
      states.reduce((total, state) => total + (found[state] ?? 0), 0);
    return {
      waiting: sum("waiting", "paused", "delayed", "prioritized", "waiting-children"),
      active: sum("active"),
      completed: sum("completed"),
      failed: sum("failed"),
    };
  }

  /** Rows that have ended, the ones that ended first before the others. */
  async *jobs(state: "completed" | "failed"): AsyncGenerator<JobOfRow, void> {
    for (let start = 0; ; start += PAGE) {
      const page = await this.rows.getJobs([state], start, start + PAGE - 1, true);
      for (const job of page) yield job;
      if (page.length < PAGE) return;
    }
  }

  /** Puts a row that has ended back into the queue, as a new one; false if it is not there. */
  async again(jobId: string): Promise<boolean> {
    const job = await this.rows.getJob(jobId);
    if (job === undefined) return false;
    await job.remove();
    await this.rows.add("row", job.data, { jobId });
    return true;
  }

  /** Removes the rows and what all sides agreed on. */
  async remove(): Promise<void> {
    for (const queue of [this.rows, this.control]) await queue.obliterate({ force: true });
  }

  /** A failure of the server, in words; errors of ours stay what they are. */
  failure(error: unknown): unknown {
    const isOurs = error instanceof R1Error || (error as Error).name === "AbortError";
    return isOurs ? error : serverFailure(error, this.address);
  }

  async close(): Promise<void> {
    for (const one of [this.#worker, this.rows, this.control])
      await one?.close().catch(() => undefined);
  }

  #queue(name: string): Queue<unknown> {
    const { Queue: BullQueue } = this.#bull;
    const options = this.#connection() as never;
    const queue = new BullQueue<unknown>(name, options, this.#factory() as never);
    queue.on("error", this.#onError);
    return queue;
  }

  #connection(): Record<string, unknown> {
    const { address } = this;
    return address.kind === "redis"
      ? { connection: redisOptions(address), prefix: PREFIX }
      : { connection: postgresOptions(address) };
  }

  #factory(): unknown {
    return this.address.kind === "redis" ? undefined : this.#bull.createPostgresBackend;
  }
}

/** Rows of a queue by what became of them. */
export interface RowCounts {
  readonly waiting: number;
  readonly active: number;
  readonly completed: number;
  /** Rows that are not tried again, since their workers died too often. */
  readonly failed: number;
}
