// Values that are either ready or promised: lets one code path serve short work at once and long
// work later, without a turn of the event loop where none is needed.

/** A value that is ready, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** Goes on with a value: in the same call when it is ready, else when its promise resolves. */
export function whenReady<T, U>(
  value: Awaitable<T>,
  next: (value: T) => Awaitable<U>,
): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
