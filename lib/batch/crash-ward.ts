// Finds the row that ends an engine: those that ran when one died are suspects, and run again one
// by one. Pure; JavaScript thread.
import { R1Error } from "../base/errors.js";
import type { Task } from "./task.js";

/** A row that ended an engine so often is not tried again. */
const POISON = 2;
/** So many poison rows without a good one between them mean that something else is wrong. */
const MOST_POISON = 8;

/** Suspects of crashes. While there are any, nothing else runs. */
export class CrashWard {
  readonly #suspects: Task[] = [];
  /** The engine is dead, and no other one is loaded yet. */
  #isClosed = false;
  /** A suspect runs alone. */
  #isTrying = false;
  #poison = 0;

  /** Whether rows have to run one by one. */
  get isOccupied(): boolean {
    return this.#isClosed || this.#suspects.length > 0 || this.#isTrying;
  }

  /** Whether nothing may run. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Takes in a row whose engine died.
   *
   * @param isAlone - Nothing else ran.
   * @returns Whether the row is poison, and not tried again.
   * @throws {R1Error} `ENGINE_CRASHED` when one row after the other is poison.
   */
  take(task: Task, isAlone: boolean): boolean {
    this.#isClosed = true;
    if (isAlone) this.#isTrying = false;
    if (task.crashes < POISON) {
      this.#suspects.push(task);
      return false;
    }
    if (++this.#poison < MOST_POISON) return true;
    throw new R1Error(
      "ENGINE_CRASHED",
      `The engine died with each of ${MOST_POISON} rows that ran alone: the model, its options or this machine are at fault, not the rows. They will be tried again by the next run.`,
    );
  }

  /** The next suspect to run alone. */
  next(): Task | undefined {
    const task = this.#suspects.shift();
    this.#isTrying = task !== undefined;
    return task;
  }

  /** A suspect that ran alone has ended without a crash. */
  leave(): void {
    this.#isTrying = false;
    this.#poison = 0;
  }

  /** Another engine is there. */
  open(): void {
    this.#isClosed = false;
  }
}
