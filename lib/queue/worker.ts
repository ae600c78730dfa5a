// runWorker: takes rows from a queue, computes them, and writes them into a shard of its own. Runs on
// the JavaScript thread; the model works on its own.
import { hostname } from "node:os";
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BatchConfig } from "../batch/config.js";
import type { RunHeader } from "../batch/header.js";
import { Journals } from "../batch/journals.js";
import { Ledger } from "../batch/ledger.js";
import { withModel, type ModelSource, type ReadyModel } from "../batch/model-source.js";
import { RowSamples } from "../batch/plan-samples.js";
import { ProgressCounter, type BatchProgress } from "../batch/progress.js";
import { runRows } from "../batch/run-batch.js";
import { openOutput, settleHeader } from "../batch/run-file.js";
import type { FileConfig } from "../batch/file-config.js";
import type { BatchOutcome } from "../batch/runner.js";
import { filledRows, readHeader, settleModel, type QueueHeader } from "./control.js";
import { WorkerBeat } from "./beat.js";
import { RowFeed } from "./feed.js";
import { LOST, placeOf, processorOf, STOPPED } from "./process-row.js";
import { QueueLink } from "./link.js";
import { batchOf, normalizeWorker, rowsAtATime } from "./worker-config.js";
import type { WorkerConfig, WorkerOptions } from "./worker-config.js";

/** How often the queue is asked whether anything is left. Unit: milliseconds. */
const LOOK_MS = 1000;

/** How a worker ended. */
export interface WorkerSummary extends BatchProgress {
  /** Its name in the queue. */
  readonly worker: string;
  readonly shard: string;
}

/**
 * Takes rows from a queue until all are done, and computes them with a model. Each record is on the
 * disk of this machine, in the worker's shard, before the queue hears of it. Rows of a worker that
 * dies are given to others: a row is computed at least once, and stands once in the merged output.
 *
 * @param model - A model, which stays open; or a function that loads one, which is called once there
 * is something to do, again after a crash of an isolated engine, and whose model is closed.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `RUN_MISMATCH` when the queue's rows are
 * computed by another model, or the shard belongs to another batch; `QUEUE_UNREACHABLE`,
 * `QUEUE_UNSAFE`, `PACKAGE_MISSING`; `FILE_BUSY` when another process writes the shard; `NO_SPACE`,
 * `IO_FAILED` when it cannot be written on: rows that were taken go back to the queue. An abort
 * rejects with `signal.reason`.
 * @example
 * ```ts
 * await runWorker(() => loadModel("R1.gguf", { sequences: 8 }), {
 *   queue: "redis://queue:6379", shard: "shard-1.jsonl",
 * });
 * ```
 */
export async function runWorker(
  model: ModelSource,
  options: WorkerOptions,
): Promise<WorkerSummary> {
  const config = normalizeWorker(options);
  const { signal } = config;
  signal?.throwIfAborted();
  const link = await QueueLink.open(config.address, config.name, config.onNotice);
  try {
    const file = batchOf(config, await awaitHeader(link, config));
    const ledger = new Ledger();
    const opened = await openOutput(file, ledger, 0);
    try {
      return await new QueueWorker(link, config, file, ledger).run(model, opened.header);
    } finally {
      await opened.release();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw link.failure(error);
  } finally {
    await link.close();
  }
}

/** The batch of the queue; a worker may be there before it. */
async function awaitHeader(
  link: QueueLink,
  { onNotice, signal }: WorkerConfig,
): Promise<QueueHeader> {
  for (let looks = 0; ; looks++) {
    const header = await readHeader(link);
    if (header !== undefined) return header;
    if (looks === 0)
      onNotice(
        `The queue "${link.name}" holds no batch yet; this worker waits for one. r1-native batch INPUT --queue URL fills it.`,
      );
    await sleep(LOOK_MS, undefined, { signal });
  }
}

/** One worker at work. */
class QueueWorker {
  readonly #link: QueueLink;
  readonly #config: WorkerConfig;
  readonly #file: FileConfig;
  readonly #ledger: Ledger;
  readonly #feed = new RowFeed();
  readonly #progress = new ProgressCounter();
  readonly #name = randomUUID().slice(0, 8);

  constructor(link: QueueLink, config: WorkerConfig, file: FileConfig, ledger: Ledger) {
    this.#link = link;
    this.#config = config;
    this.#file = file;
    this.#ledger = ledger;
  }

  async run(source: ModelSource, header: RunHeader | undefined): Promise<WorkerSummary> {
    const file = this.#file;
    await withModel(source, file, async (ready) => {
      await settleModel(this.#link, ready.origin);
      await settleHeader(file, header, ready.origin);
      const journals = await Journals.open(file, ready.origin);
      try {
        await this.#work(ready, journals);
      } finally {
        await journals.close();
      }
    });
    return { ...this.#progress.snapshot(), worker: this.#name, shard: this.#config.shard };
  }

  async #work({ model, origin, batch, onModel }: ReadyModel, journals: Journals): Promise<void> {
    const link = this.#link;
    const { sequences } = model.info;
    const beat = new WorkerBeat(link, this.#progress, {
      name: this.#name,
      host: hostname(),
      pid: process.pid,
      shard: resolve(this.#config.shard),
      sequences,
    });
    const setup = {
      model,
      origin,
      progress: this.#progress,
      done: this.#ledger,
      commit: (outcome: BatchOutcome) => this.#commit(journals, batch, outcome),
    };
    const outcomes = this.#drain(runRows(this.#feed, setup, batch, onModel));
    const { lockMs, maxLost } = this.#config;
    const puller = link.work(processorOf(link, this.#feed, batch, this.#ledger, beat), {
      name: this.#name,
      concurrency: rowsAtATime(this.#config, this.#file, sequences),
      lockDuration: lockMs,
      stalledInterval: lockMs / 2,
      maxStalledCount: maxLost,
      drainDelay: 1,
      runRetryDelay: 2000,
    });
    puller.on("lockRenewalFailed", (ids) => ids.forEach((id) => puller.cancelJob(id, LOST)));
    beat.start();
    const ending = new AbortController();
    try {
      await Promise.race([outcomes, this.#untilDone(ending.signal)]);
      this.#feed.end();
      // What was left running, after a failure or an abort, is not done.
      await outcomes;
    } finally {
      ending.abort();
      await puller.pause(true);
      this.#feed.end();
      await outcomes.catch(() => undefined);
      this.#feed.rejectAll(STOPPED);
      await puller.close();
      await beat.stop();
    }
  }

  /** Runs until the feed ends; throws what ends the run. */
  async #drain(outcomes: AsyncIterable<BatchOutcome>): Promise<void> {
    for await (const outcome of outcomes) this.#file.onOutcome?.(outcome);
  }

  /** Writes an outcome, and ends its job when it was the last of its row. */
  async #commit(journals: Journals, batch: BatchConfig, outcome: BatchOutcome): Promise<void> {
    const { id, sample, row, record } = outcome;
    const written = await journals.write(outcome);
    this.#ledger.addSample(id, sample, record?.verified === true);
    this.#feed.place(row, placeOf(sample, written));
    if (!new RowSamples(row, batch, this.#ledger).isOpen) this.#feed.finish(row);
  }

  /** Resolves once all rows are in the queue and none of them is left. */
  async #untilDone(signal: AbortSignal): Promise<void> {
    const { stay } = this.#config;
    while (!signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
      // A server that is away for a while is BullMQ's to reach again.
      if (!stay && !signal.aborted && (await isDone(this.#link).catch(() => false))) return;
    }
  }
}

/** Whether all rows of a queue are in, and none is left. */
async function isDone(link: QueueLink): Promise<boolean> {
  if ((await filledRows(link)) === undefined) return false;
  const { waiting, active } = await link.counts();
  return waiting + active === 0;
}
