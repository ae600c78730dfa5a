// collectQueue: merges the shards of workers by what the queue knows of them: which rows are left,
// which were given up, and whose records are in no shard that was given. Runs on the JavaScript
// thread.
import { array, fileName, flagOf, knownKeys, object, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { BatchConfig } from "../batch/config.js";
import { changedOptions, readHeader as readRunHeader } from "../batch/header.js";
import { Ledger } from "../batch/ledger.js";
import { mergeOutputs, type MergeSummary } from "../batch/merge.js";
import { parseRow } from "../batch/parse-row.js";
import { RowSamples } from "../batch/plan-samples.js";
import { errorRecordOf } from "../batch/record.js";
import { filledRows, markFilled, markFilling, readHeader, type QueueHeader } from "./control.js";
import { givenUp } from "./given-up.js";
import { QueueLink, type JobOfRow } from "./link.js";
import { normalizeQueue, QUEUE_KEYS, type QueueOptions } from "./options.js";
import { batchOfHeader } from "./worker-config.js";

/** Options of {@link collectQueue}. */
export interface CollectOptions extends QueueOptions {
  /** The shards of the workers, in any order. */
  readonly shards: readonly (string | URL)[];
  /** The merged output. */
  readonly target: string | URL;
  /**
   * Puts rows that the queue knows as done, and whose records are in none of the shards, back into
   * the queue. @defaultValue false
   */
  readonly requeue?: boolean | undefined;
  /** Puts rows that were given up back into the queue. @defaultValue false */
  readonly retryErrors?: boolean | undefined;
  /** Replaces a file of the target's name. @defaultValue false */
  readonly force?: boolean | undefined;
}

/** A shard that has rows which are in none of the given shards. */
export interface MissingShard {
  /** Name of the machine on which its worker ran. */
  readonly host: string;
  /** Path of the shard on that machine. */
  readonly shard: string;
  /** Number of these rows. */
  readonly rows: number;
}

/** What was collected. */
export interface CollectSummary extends MergeSummary {
  /** Rows of the batch that the queue knows; those that were put back included. */
  readonly rows: number;
  /** Rows that are not done yet. */
  readonly left: number;
  /** Rows that were given up: they have an error record unless they were put back. */
  readonly givenUp: number;
  /** Rows that are done, but whose records are in none of the shards. */
  readonly missing: number;
  /** The same rows, counted by the shard that their workers wrote them to. */
  readonly missingFrom: readonly MissingShard[];
  /** Rows that were put back into the queue. */
  readonly requeued: number;
}

const KEYS = [
  ...QUEUE_KEYS,
  "shards",
  "target",
  "requeue",
  "retryErrors",
  "force",
] as const satisfies readonly (keyof CollectOptions)[];

/**
 * Merges the shards of a queue's workers: the first record of a sample counts, and later ones with
 * another result are reported. Rows that were given up get an error record. A row that is done, but
 * whose record is in none of the shards (the disk of its worker is lost, or its shard was not
 * given), is reported, and put back into the queue with `requeue`. It may run while workers work.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `RUN_MISMATCH` for a shard of another
 * batch; `FILE_EXISTS` without `force`; `FILE_NOT_FOUND`, `JOURNAL_INVALID`, `NO_SPACE`,
 * `IO_FAILED`, `QUEUE_UNREACHABLE`, `QUEUE_UNSAFE`, `PACKAGE_MISSING`. An abort throws
 * `signal.reason`.
 * @example
 * ```ts
 * const { left, missing } = await collectQueue({
 *   queue: "redis://queue:6379", shards: ["a.jsonl", "b.jsonl"], target: "all.jsonl",
 * });
 * ```
 */
export async function collectQueue(options: CollectOptions): Promise<CollectSummary> {
  const given = object(options, "options");
  knownKeys(given, "collectQueue", KEYS);
  const config = normalizeQueue(given);
  const shards = array(given["shards"], "shards", fileName);
  if (shards.length === 0) refuse("shards", "one shard or more", shards);
  const target = fileName(given["target"], "target");
  const link = await QueueLink.open(config.address, config.name, config.onNotice);
  try {
    const header = await readHeader(link);
    if (header === undefined)
      throw new R1Error(
        "INVALID_ARGUMENT",
        `The queue "${config.name}" holds no batch. Is the name right, and was the queue removed?`,
        { details: { option: "queueName" } },
      );
    for (const shard of shards) await checkShard(shard, link.name, header);
    const { batch } = batchOfHeader(header, target);
    return await new Collector(link, batch, config.signal).collect(shards, target, {
      requeue: flagOf(given, "requeue"),
      retryErrors: flagOf(given, "retryErrors"),
      force: flagOf(given, "force"),
    });
  } catch (error) {
    config.signal?.throwIfAborted();
    throw link.failure(error);
  } finally {
    await link.close();
  }
}

/** @throws {R1Error} `RUN_MISMATCH` for a shard that belongs to another batch. */
async function checkShard(shard: string, name: string, { options }: QueueHeader): Promise<void> {
  const header = await readRunHeader(shard);
  const changes = header === undefined ? [] : changedOptions(header.options, options);
  if (changes.length === 0) return;
  throw new R1Error(
    "RUN_MISMATCH",
    `"${shard}" is a shard of another batch than the one in the queue "${name}": ` +
      `${changes.join(", ")} differ. Leave it out.`,
    { details: { path: shard, changes } },
  );
}

interface Wishes {
  readonly requeue: boolean;
  readonly retryErrors: boolean;
  readonly force: boolean;
}

/** One collection. */
class Collector {
  readonly #link: QueueLink;
  readonly #batch: BatchConfig;
  readonly #signal: AbortSignal | undefined;
  /** Rows that were done before the shards were read; then the samples that the shards have. */
  readonly #ledger = new Ledger();
  readonly #back: string[] = [];

  constructor(link: QueueLink, batch: BatchConfig, signal: AbortSignal | undefined) {
    this.#link = link;
    this.#batch = batch;
    this.#signal = signal;
  }

  async collect(
    shards: readonly string[],
    target: string,
    { requeue, retryErrors, force }: Wishes,
  ): Promise<CollectSummary> {
    const link = this.#link;
    // A row that a worker reports later is in no shard as it was read, and is not missing.
    for await (const job of this.#jobs("completed")) this.#ledger.addRow(this.#idOf(job), 0);
    const lost: string[] = [];
    const merged = await mergeOutputs(shards, target, {
      allowChange: false,
      force,
      seen: this.#ledger,
      moreErrors: async () => {
        const errors: string[] = [];
        for await (const job of this.#jobs("failed")) {
          lost.push(job.id ?? "");
          if (!retryErrors) errors.push(...this.#errorsOf(job));
        }
        return errors;
      },
    });
    const { missing, missingFrom } = await this.#missing(requeue);
    if (retryErrors) this.#back.push(...lost);
    const requeued = await this.#putBack();
    const { waiting, active, completed, failed } = await link.counts();
    return {
      ...merged,
      rows: (await filledRows(link)) ?? waiting + active + completed + failed,
      left: waiting + active,
      givenUp: lost.length,
      missing,
      missingFrom,
      requeued,
    };
  }

  async *#jobs(state: "completed" | "failed"): AsyncGenerator<JobOfRow, void> {
    for await (const job of this.#link.jobs(state)) {
      this.#signal?.throwIfAborted();
      yield job;
    }
  }

  /** The samples of a row that no shard has. */
  #open(job: JobOfRow): number[] {
    const row = parseRow(job.data.row, 0, this.#batch.read);
    return new RowSamples(row, this.#batch, this.#ledger).take();
  }

  /** The id of a job's row, whatever is wrong with the row. */
  #idOf({ id, data: { row } }: JobOfRow): string {
    try {
      return parseRow(row, 0, this.#batch.read).id;
    } catch {
      return String(id);
    }
  }

  /** Lines for the errors file: one for each sample that will not come. */
  #errorsOf(job: JobOfRow): string[] {
    const { error, attempt } = givenUp(job);
    let samples = [0];
    try {
      samples = this.#open(job);
    } catch {
      // The row itself is what is wrong.
    }
    const id = this.#idOf(job);
    return samples.map((sample) => JSON.stringify(errorRecordOf(id, { sample, attempt }, error)));
  }

  async #missing(requeue: boolean): Promise<{ missing: number; missingFrom: MissingShard[] }> {
    const from = new Map<string, { host: string; shard: string; rows: number }>();
    let missing = 0;
    for await (const job of this.#jobs("completed")) {
      if (this.#ledger.entry(this.#idOf(job)).line === 0 || this.#open(job).length === 0) continue;
      missing++;
      const { host, shard } = job.returnvalue;
      const key = JSON.stringify([host, shard]);
      const entry = from.get(key) ?? { host, shard, rows: 0 };
      entry.rows++;
      from.set(key, entry);
      if (requeue) this.#back.push(job.id ?? "");
    }
    return { missing, missingFrom: [...from.values()] };
  }

  /** Puts rows back into the queue: as new ones, whose past does not count. */
  async #putBack(): Promise<number> {
    if (this.#back.length === 0) return 0;
    const link = this.#link;
    const rows = await filledRows(link);
    // Workers do not end while rows are on their way.
    await markFilling(link);
    let count = 0;
    for (const id of this.#back) if (await link.again(id)) count++;
    if (rows !== undefined) await markFilled(link, rows);
    return count;
  }
}
