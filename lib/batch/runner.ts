// Runs the rows of a batch over one model, never more than twice its sequences at a time. Runs on
// the JavaScript thread; the model works on its own.
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ERROR_INFO } from "../base/error-info.js";
import { isR1Error, R1Error } from "../base/errors.js";
import type { GenerationResult } from "../base/types.js";
import type { ChatModel } from "../index.js";
import type { BatchConfig, RetriedEnd } from "./config.js";
import { CrashWard } from "./crash-ward.js";
import { seedOf } from "./identity.js";
import type { Ledger } from "./ledger.js";
import { RowSamples } from "./plan-samples.js";
import type { ProgressCounter } from "./progress.js";
import { recordOf, type BatchRecord, type Origin } from "./record.js";
import type { BatchRow } from "./row.js";
import { computeSample } from "./sample.js";
import type { Task } from "./task.js";
import { verifySample } from "./verify.js";

/** What came of one sample. */
export type BatchOutcome =
  | {
      readonly id: string;
      readonly sample: number;
      readonly row: BatchRow;
      readonly record: BatchRecord;
      readonly error?: undefined;
    }
  | {
      readonly id: string;
      readonly sample: number;
      readonly row: BatchRow;
      readonly record?: undefined;
      readonly error: R1Error;
      readonly attempt: number;
    };

/** What a run needs beside its options. */
export interface RunSetup {
  readonly model: ChatModel;
  readonly origin: Origin;
  readonly config: BatchConfig;
  readonly progress: ProgressCounter;
  /** Samples that are done already. */
  readonly done?: Ledger | undefined;
  /** Makes an outcome durable; the sample counts as running until then. What it throws ends the run. */
  readonly commit?: ((outcome: BatchOutcome) => Promise<unknown>) | undefined;
}

/** First wait before another try; doubled each time. Unit: milliseconds. */
const FIRST_WAIT_MS = 250;

/** Runs rows; see {@link BatchRunner.run}. */
export class BatchRunner {
  readonly #setup: RunSetup;
  #model: ChatModel;
  readonly #ward = new CrashWard();
  readonly #waiting: Task[] = [];
  readonly #running = new Set<Task>();
  readonly #ready: BatchOutcome[] = [];
  #failure: { readonly reason: unknown } | undefined;
  #isStopping = false;
  #wake: () => void = () => undefined;
  /** Cancels running samples. */
  readonly #cancel = new AbortController();

  constructor(setup: RunSetup) {
    this.#setup = setup;
    this.#model = setup.model;
    setMaxListeners(0, this.#cancel.signal);
  }

  /** The model that rows run on now: another one after a crash. */
  get model(): ChatModel {
    return this.#model;
  }

  /**
   * Runs all rows. Outcomes come in the order in which they end, once they are durable.
   *
   * @throws what ends the run: `signal.reason` once running rows have ended, a failure of `commit`,
   * an error that every row would end with.
   */
  async *run(rows: AsyncIterable<BatchRow>): AsyncGenerator<BatchOutcome, void> {
    const { signal } = this.#setup.config;
    const iterator = rows[Symbol.asyncIterator]();
    let coming: Promise<void> | undefined;
    let isExhausted = false;
    const onAbort = (): void => this.#stop(signal?.reason);
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        this.#begin();
        for (let outcome = this.#ready.shift(); outcome; outcome = this.#ready.shift())
          yield outcome;
        const isIdle = this.#running.size === 0;
        if (this.#isStopping && isIdle) break;
        if (this.#ward.isOccupied && isIdle && this.#failure === undefined) {
          await this.#reload();
          continue;
        }
        if (isExhausted && isIdle && this.#waiting.length === 0 && !this.#ward.isOccupied) break;
        if (this.#hasRoom() && this.#waiting.length === 0 && !isExhausted)
          coming ??= iterator
            .next()
            .then(
              ({ value, done }) => {
                if (done === true) isExhausted = true;
                else this.#add(value);
              },
              (error: unknown) => this.#fail(error),
            )
            .then(() => {
              coming = undefined;
              this.#wake();
            });
        if (this.#ready.length === 0 && !this.#canBegin())
          await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      if (this.#failure !== undefined) throw this.#failure.reason;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#isStopping = true;
      this.#cancel.abort(this.#failure?.reason);
      while (this.#running.size > 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      // A source that waits for its next row would hold this up.
      if (coming === undefined) await iterator.return?.();
      else iterator.return?.().catch(() => undefined);
    }
  }

  /** No further sample begins; running ones are cancelled after `drainMs`. */
  #stop(reason: unknown): void {
    this.#failure ??= { reason };
    this.#isStopping = true;
    this.#wake();
    const { drainMs } = this.#setup.config;
    if (drainMs === 0) this.#cancel.abort(reason);
    else setTimeout(() => this.#cancel.abort(reason), drainMs).unref();
  }

  /** Something that ends the run at once. */
  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#isStopping = true;
    this.#cancel.abort(reason);
    this.#wake();
  }

  /**
   * Twice the sequences, so that one that comes free finds the next row waiting. A time limit
   * counts from the call: there, none may wait.
   */
  #limit(): number {
    if (this.#ward.isOccupied) return 1;
    return this.#model.info.sequences * (this.#setup.config.timeoutMs > 0 ? 1 : 2);
  }

  #hasRoom(): boolean {
    return !this.#isStopping && this.#running.size + this.#ready.length < this.#limit();
  }

  #canBegin(): boolean {
    return (
      this.#hasRoom() && !this.#ward.isClosed && (this.#ward.isOccupied || this.#waiting.length > 0)
    );
  }

  #add(row: BatchRow): void {
    const { config, done } = this.#setup;
    const samples = new RowSamples(row, config, done);
    for (const sample of samples.take()) this.#waiting.push({ row, sample, samples, crashes: 0 });
  }

  #begin(): void {
    while (this.#canBegin()) {
      const task = this.#ward.isOccupied ? this.#ward.next() : this.#waiting.shift();
      if (task === undefined) return;
      this.#running.add(task);
      this.#setup.progress.begin(task);
      void this.#runTask(task)
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#running.delete(task);
          this.#setup.progress.leave(task);
          this.#wake();
        });
    }
  }

  async #runTask(task: Task): Promise<void> {
    const { row, sample, samples } = task;
    const { config, origin, progress, commit } = this.#setup;
    const isAlone = this.#ward.isOccupied;
    let outcome: BatchOutcome;
    let attempt = 1;
    let isPoison = false;
    try {
      const made = await this.#attempts(task, (now) => (attempt = now));
      const verdict = await verifySample(
        config,
        row,
        recordOf(row, made, { sample, attempt }, origin),
      );
      const record = recordOf(row, made, { sample, attempt, ...verdict }, origin);
      outcome = { id: row.id, sample, row, record };
    } catch (error) {
      if (this.#cancel.signal.aborted) return;
      if (row.signal?.aborted === true && !isR1Error(error, "ENGINE_CRASHED")) {
        if (isAlone) this.#ward.leave();
        return;
      }
      if (isR1Error(error, "ENGINE_CRASHED")) {
        task.crashes++;
        isPoison = this.#ward.take(task, isAlone);
        if (!isPoison) return;
      } else if (!isR1Error(error) || ERROR_INFO[error.code].batch === "stop") throw error;
      outcome = { id: row.id, sample, row, error, attempt };
    }
    if (isAlone && !isPoison) this.#ward.leave();
    await commit?.(outcome);
    const passed = outcome.record?.verified === true;
    if (outcome.record === undefined) progress.error();
    else progress.result(outcome.record.finish_reason, passed, outcome.record.verify_error);
    samples.end(passed);
    const more = samples.take();
    // A row that must pass goes on until it does; how often was not known.
    progress.addExpected(config.untilVerified === undefined ? 0 : more.length);
    for (const next of more.reverse())
      this.#waiting.unshift({ row, sample: next, samples, crashes: 0 });
    this.#ready.push(outcome);
  }

  /** Tries a sample as often as its failures and ends allow. */
  async #attempts(task: Task, onAttempt: (attempt: number) => void): Promise<GenerationResult> {
    const { row, sample } = task;
    const { config, progress } = this.#setup;
    const { signal: all } = this.#cancel;
    const signal = row.signal === undefined ? all : AbortSignal.any([all, row.signal]);
    /** Attempts that ended, but in a way that asks for another seed. */
    let seeds = 1;
    for (let attempt = 1; ; attempt++) {
      onAttempt(attempt);
      try {
        const result = await computeSample(this.#model, row, {
          generate: config.generate,
          seed: seedOf(config.seed, row.id, sample, seeds, row.seed),
          timeoutMs: config.timeoutMs,
          signal,
          onTokens: (count) => progress.add(count),
        });
        const isRetried = config.retry.includes(result.finishReason as RetriedEnd);
        if (!isRetried || attempt >= config.maxAttempts) return result;
        seeds++;
      } catch (error) {
        if (!isR1Error(error) || ERROR_INFO[error.code].batch !== "retry") throw error;
        // The model is gone: the ward has another one loaded.
        if (error.code === "ENGINE_CRASHED" || attempt >= config.maxAttempts) throw error;
        await sleep(FIRST_WAIT_MS * 2 ** (attempt - 1), undefined, { signal });
      }
    }
  }

  /** Loads the model again after its engine died, when nothing runs any more. */
  async #reload(): Promise<void> {
    const { reload } = this.#setup.config;
    if (!this.#ward.isClosed) return;
    if (reload === undefined) {
      this.#fail(
        new R1Error(
          "ENGINE_CRASHED",
          "The engine died, and the batch has no `reload` to load the model again. Start the same batch again: what is done stays done.",
        ),
      );
      return;
    }
    try {
      await this.#model.close().catch(() => undefined);
      this.#model = await reload();
      this.#ward.open();
    } catch (error) {
      this.#fail(error);
    }
  }
}
