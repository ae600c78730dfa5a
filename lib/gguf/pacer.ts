// Splits long synchronous work into slices, so that the event loop keeps running.

/** Longest slice of work between two turns of the event loop, in milliseconds. */
const SLICE_MS = 4;

/** Decides when a loop should pause, and pauses it. One pacer serves one task. */
export class Pacer {
  #sliceStart = performance.now();
  readonly #signal: AbortSignal | undefined;

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Whether the slice is used up. It reads the clock: check only once in some hundred steps. */
  isDue(): boolean {
    return performance.now() - this.#sliceStart >= SLICE_MS;
  }

  /**
   * Lets the event loop run once.
   *
   * @throws the signal's reason if it is aborted.
   */
  async breathe(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.throwIfAborted();
    this.#sliceStart = performance.now();
  }

  /** @throws the signal's reason if it is aborted. */
  throwIfAborted(): void {
    this.#signal?.throwIfAborted();
  }
}
