// A queue with one reader: whoever produces never waits, whoever reads gets a promise for each
// item. Runs on any JavaScript thread.

const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });

/**
 * Hands items from a producer that must not wait to one asynchronous reader. While the reader lags,
 * `merge` may fold a new item into the last unread one, so that a slow reader costs neither memory
 * per item nor a promise per item.
 */
export class AsyncQueue<T> {
  #items: T[] = [];
  #head = 0;
  #waiter:
    | { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: unknown) => void }
    | undefined;
  #isEnded = false;
  #failure: { error: unknown } | undefined;
  readonly #merge: ((last: T, next: T) => boolean) | undefined;

  /**
   * @param merge - Folds `next` into the unread `last` and says true, or leaves both as they are
   * and says false.
   */
  constructor(merge?: (last: T, next: T) => boolean) {
    this.#merge = merge;
  }

  /** Items that wait for the reader. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Adds an item. After `end` or `fail` it is dropped. */
  push(item: T): void {
    this.stage(item);
    this.wake();
  }

  /**
   * Adds an item and lets a waiting reader sleep on until `wake`, so that several items that come
   * at once are one where they can be merged.
   */
  stage(item: T): void {
    if (this.#isEnded) return;
    if (
      this.#merge !== undefined &&
      this.size > 0 &&
      this.#merge(this.#items[this.#items.length - 1] as T, item)
    )
      return;
    this.#items.push(item);
  }

  /** Hands a waiting reader what was staged. */
  wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined || this.size === 0) return;
    this.#waiter = undefined;
    waiter.resolve({ value: this.#take(), done: false });
  }

  /** No more items come; those that wait are still read. */
  end(): void {
    if (this.#isEnded) return;
    this.wake();
    this.#isEnded = true;
    this.#waiter?.resolve(DONE);
    this.#waiter = undefined;
  }

  /** Drops what waits and makes the next read throw `error`; the reads after that find the end. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    this.clear();
    this.#isEnded = true;
    if (this.#waiter === undefined) this.#failure = { error };
    else this.#waiter.reject(error);
    this.#waiter = undefined;
  }

  /** Drops what waits. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  /** The first item; there is one. */
  #take(): T {
    const value = this.#items[this.#head] as T;
    this.#items[this.#head++] = undefined as T;
    if (this.#head === this.#items.length) this.clear();
    return value;
  }

  /** The next item; one read at a time. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#head < this.#items.length)
      return Promise.resolve({ value: this.#take(), done: false });
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reader gets what was given to fail(), untouched
      return Promise.reject(error);
    }
    if (this.#isEnded) return Promise.resolve(DONE);
    const previous = this.#waiter;
    return new Promise((resolve, reject) => {
      // Two reads at once (legal for an async iterator, though `for await` never does it): the
      // later one waits behind the earlier.
      this.#waiter =
        previous === undefined
          ? { resolve, reject }
          : {
              resolve: (result) => {
                previous.resolve(result);
                this.next().then(resolve, reject);
              },
              reject: (error) => {
                previous.reject(error);
                resolve(DONE);
              },
            };
    });
  }
}
