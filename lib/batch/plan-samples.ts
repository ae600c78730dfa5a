// Decides which samples of a row are still to compute: a fixed number, or as many as it takes until
// enough are verified. Pure; any JavaScript thread.
import { isShardOf, type Shard } from "./identity.js";
import type { Ledger } from "./ledger.js";
import type { BatchRow } from "./row.js";

/** How many samples are wanted. */
export interface Wanted {
  readonly samples: number;
  readonly untilVerified: number | undefined;
  readonly maxSamples: number;
}

/** The samples of one row. */
export class RowSamples {
  readonly #row: BatchRow;
  readonly #done: Ledger | undefined;
  readonly #most: number;
  /** Results that must pass; undefined: all samples are computed. */
  readonly #goal: number | undefined;
  #next = 0;
  #passed: number;
  #outstanding = 0;

  constructor(row: BatchRow, wanted: Wanted, done: Ledger | undefined) {
    this.#row = row;
    this.#done = done;
    this.#goal = wanted.untilVerified;
    this.#most = this.#goal === undefined ? (row.samples ?? wanted.samples) : wanted.maxSamples;
    this.#passed = done?.entry(row.id).passed ?? 0;
  }

  /** Whether any sample is left to begin. */
  get isOpen(): boolean {
    if (!this.#isWanted()) return false;
    for (let sample = this.#next; sample < this.#most; sample++)
      if (this.#done?.isDone(this.#row.id, sample) !== true) return true;
    return false;
  }

  /** The numbers of samples to begin now. */
  take(): number[] {
    const taken: number[] = [];
    for (; this.#next < this.#most && this.#isWanted(); this.#next++) {
      if (this.#done?.isDone(this.#row.id, this.#next) === true) continue;
      taken.push(this.#next);
      this.#outstanding++;
    }
    return taken;
  }

  /** A sample that was taken has ended. */
  end(passed: boolean): void {
    this.#outstanding--;
    if (passed) this.#passed++;
  }

  /** Never more at a time than could still be needed. */
  #isWanted(): boolean {
    return this.#goal === undefined || this.#passed + this.#outstanding < this.#goal;
  }
}

/** How much there is to do. */
export interface Work {
  /** Samples in all; with `untilVerified` the fewest that can do. */
  readonly total: number;
  /** Of these, samples that are there. */
  readonly done: number;
}

/**
 * How much of a batch is done, by what the ledger knows.
 *
 * @param samples - Samples of all rows of the shard, where their number is fixed.
 */
export function countWork(
  ledger: Ledger,
  { untilVerified, maxSamples }: Wanted,
  shard: Shard | undefined,
  samples: number,
): Work {
  let done = 0;
  let total = untilVerified === undefined ? samples : 0;
  ledger.eachRow((row, word) => {
    if (shard !== undefined && !isShardOf(word, shard)) return;
    done += row.done;
    if (untilVerified === undefined) return;
    const wanted = Math.max(0, untilVerified - row.passed);
    total += row.done + Math.min(wanted, Math.max(0, maxSamples - row.done));
  });
  return { total, done: Math.min(done, total) };
}
