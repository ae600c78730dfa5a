// Limits how many asynchronous operations run at once; the others wait in order.

/** A limit on concurrent work. */
export class Gate {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param most - Maximum number of operations that run at once; at least 1. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Runs `work` when a place is free, and returns its result or error. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
