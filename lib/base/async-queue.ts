// A queue with one asynchronous reader. The producer never waits, and the reader gets a promise for
// each item.

const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });

/**
 * Passes items from a producer that must not wait to one asynchronous reader. While the reader
 * lags, `merge` may merge a new item into the last unread one, so that a slow reader costs neither
 * memory nor a promise per item.
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
   * @param merge - Merges `next` into the unread `last` and returns true, or leaves both unchanged
   * and returns false.
   */
  constructor(merge?: (last: T, next: T) => boolean) {
    this.#merge = merge;
  }

  /** Number of unread items. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Adds an item. After `end` or `fail` the item is dropped. */
  push(item: T): void {
    this.stage(item);
    this.wake();
  }

  /**
   * Adds an item without waking the reader before `wake`, so that several items that arrive
   * together can be merged into one.
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

  /** Passes the staged items to a waiting reader. */
  wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined || this.size === 0) return;
    this.#waiter = undefined;
    waiter.resolve({ value: this.#take(), done: false });
  }

  /** Ends the queue; the reader still gets the unread items. */
  end(): void {
    if (this.#isEnded) return;
    this.wake();
    this.#isEnded = true;
    this.#waiter?.resolve(DONE);
    this.#waiter = undefined;
  }

  /** Drops the unread items and makes the next read throw `error`; later reads return the end. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    this.clear();
    this.#isEnded = true;
    if (this.#waiter === undefined) this.#failure = { error };
    else this.#waiter.reject(error);
    this.#waiter = undefined;
  }

  /** Drops the unread items. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  /** Removes the first item; the queue must not be empty. */
  #take(): T {
    const value = this.#items[this.#head] as T;
    this.#items[this.#head++] = undefined as T;
    if (this.#head === this.#items.length) this.clear();
    return value;
  }

  /** Returns the next item; one read at a time. */
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
      // Two concurrent reads (legal for an async iterator, though `for await` never makes them):
      // the later one waits for the earlier one.
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
