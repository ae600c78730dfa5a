// Waits for the generations of a closing engine, up to a deadline. Runs on the JavaScript thread
// that made the engine.
import { integer, knownKeys, object } from "../base/check.js";
import type { Generation } from "./generation.js";

/** Options of `model.close`. */
export interface CloseOptions {
  /**
   * How long running and waiting generations may continue. Those still running after that end with
   * `DISPOSED`. Unit: milliseconds, 0 to 2147483647. @defaultValue 0
   */
  readonly drainMs?: number | undefined;
}

/** Longest delay that a timer accepts. Unit: milliseconds. */
const MAX_DRAIN_MS = 2 ** 31 - 1;

/** @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`. */
export function normalizeClose(options: unknown): number {
  const given = object(options, "options");
  knownKeys(given, "close", ["drainMs"]);
  const { drainMs } = given;
  return drainMs === undefined ? 0 : integer(drainMs, "drainMs", 0, MAX_DRAIN_MS);
}

/** A wait for generations, with a deadline that can be moved forward. */
export class Drain {
  /** Resolves when all generations have ended, or at the deadline. Never rejects. */
  readonly ended: Promise<void>;
  #finish!: () => void;
  #deadline = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(generations: readonly Generation[], drainMs: number) {
    this.ended = new Promise((resolve) => {
      this.#finish = () => {
        clearTimeout(this.#timer);
        resolve();
      };
    });
    void Promise.allSettled(generations.map((each) => each.result())).then(() => this.#finish());
    this.hasten(drainMs);
  }

  /** Ends the wait `drainMs` from now, unless it ends sooner. */
  hasten(drainMs: number): void {
    const deadline = performance.now() + drainMs;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    clearTimeout(this.#timer);
    if (drainMs === 0) this.#finish();
    // Only the generations keep the process alive, not this timer.
    else this.#timer = setTimeout(this.#finish, drainMs).unref();
  }
}
