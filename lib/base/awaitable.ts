// Values that are either ready or promised. One code path can then run short work synchronously and
// long work later, without an unnecessary turn of the event loop.

/** A value that is ready, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** Continues with a value: synchronously if it is ready, otherwise when its promise resolves. */
export function whenReady<T, U>(
  value: Awaitable<T>,
  next: (value: T) => Awaitable<U>,
): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
