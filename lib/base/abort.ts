// Waiting for work that a signal may give up. Runs on any JavaScript thread.

/**
 * Milliseconds that native work gets to stop by itself after an abort before the caller is answered
 * without it.
 */
const GRACE_MS = 150;

/**
 * Waits for `work`, but not longer than a moment after `signal` aborts: then throws
 * `signal.reason`, untouched, and hands a late result to `discard`.
 *
 * @param onAbort - Asks the work to stop; called once, as soon as the signal aborts.
 * @param discard - Frees a result that nobody will get.
 */
export async function waitOrAbort<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort: () => void,
  discard: (late: T) => void,
): Promise<T> {
  if (signal === undefined) return work;
  let isGivenUp = false;
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      onAbort();
      timer = setTimeout(() => {
        isGivenUp = true;
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the platform's way: the reason as it is
        reject(signal.reason);
      }, GRACE_MS);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  const guarded = work.then(
    (value) => {
      if (isGivenUp || signal.aborted) {
        discard(value);
        throw signal.reason;
      }
      return value;
    },
    (error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    },
  );
  try {
    return await Promise.race([guarded, aborted]);
  } finally {
    guarded.catch(() => undefined);
    aborted.catch(() => undefined);
    clearTimeout(timer);
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}
