// Hands rows of a queue to a batch runner, and tells each one's job when the row is done. Pure; on
// the JavaScript thread.
import type { BatchRow } from "../batch/row.js";
import type { Place } from "./link.js";

/** A row that was submitted and is not settled yet. */
interface Pending {
  readonly places: Place[];
  readonly resolve: (places: readonly Place[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** Rows of jobs as a source of rows. */
export class RowFeed implements AsyncIterable<BatchRow> {
  readonly #waiting: BatchRow[] = [];
  readonly #pending = new Map<BatchRow, Pending>();
  #isEnded = false;
  #closed: { readonly reason: unknown } | undefined;
  #wake: () => void = () => undefined;

  /**
   * Submits a row.
   *
   * @returns Where its records lie, once all its samples are done. Rejects with the reason of the
   * row's signal, or with that of {@link rejectAll}.
   */
  submit(row: BatchRow): Promise<readonly Place[]> {
    return new Promise((resolve, reject) => {
      const { signal } = row;
      const onAbort = (): void => this.#take(row)?.reject(signal?.reason);
      if (signal?.aborted === true) return reject(signal.reason as Error);
      this.#pending.set(row, { places: [], resolve, reject });
      // A job may still come while its worker ends.
      if (this.#closed !== undefined) return this.rejectAll(this.#closed.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(row);
      this.#wake();
    });
  }

  /** Notes the place of one sample of a row. */
  place(row: BatchRow, place: Place): void {
    this.#pending.get(row)?.places.push(place);
  }

  /** All samples of a row are done. */
  finish(row: BatchRow): void {
    const pending = this.#take(row);
    pending?.resolve(pending.places);
  }

  /** Rejects every row that is not done, and every one that comes later. */
  rejectAll(reason: unknown): void {
    this.#closed ??= { reason };
    for (const row of [...this.#pending.keys()]) this.#take(row)?.reject(reason);
  }

  /** No further row comes. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<BatchRow, void> {
    for (;;) {
      for (let row = this.#waiting.shift(); row !== undefined; row = this.#waiting.shift())
        // A row whose job was lost while it waited is not begun.
        if (this.#pending.has(row)) yield row;
      if (this.#isEnded) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #take(row: BatchRow): Pending | undefined {
    const pending = this.#pending.get(row);
    this.#pending.delete(row);
    return pending;
  }
}
