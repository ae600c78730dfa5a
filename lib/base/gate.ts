// Lets only so many asynchronous pieces of work run at once; the others wait in order.

/** A bound on work that runs side by side. */
export class Gate {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param most - Pieces of work that run at once; at least 1. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Runs `work` when there is room, and passes on how it ends. */
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
