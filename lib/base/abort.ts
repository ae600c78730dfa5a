// Waits for work that an abort signal can cancel.

/**
 * Time that native work has to stop after an abort. After that the caller gets its answer without
 * it. Unit: milliseconds.
 */
const GRACE_MS = 150;

/**
 * Waits for `work`, but only briefly after `signal` aborts: then throws `signal.reason` unchanged
 * and passes a late result to `discard`.
 *
 * @param onAbort - Asks the work to stop; called once, as soon as the signal aborts.
 * @param discard - Frees a result that is no longer needed.
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
