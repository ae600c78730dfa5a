// Reports progress to a user's callback, no more often than a screen can show it.

/** Minimum time between two calls, in milliseconds: one frame of a 60 Hz screen. */
const FRAME_MS = 16;

/**
 * Creates a reporter of values from 0 to 1. The values never decrease and are reported at most once
 * per frame; 1 is always reported.
 *
 * @param callback - The user's callback. If it throws, the error is passed to `onError` and nothing
 * more is reported.
 */
export function progressReporter(
  callback: ((progress: number) => void) | undefined,
  onError: (error: unknown) => void,
): (progress: number) => void {
  if (callback === undefined) return () => undefined;
  let last = -1;
  let lastTime = -Infinity;
  let isOver = false;
  return (progress) => {
    const value = Math.min(1, Math.max(0, progress));
    const now = performance.now();
    if (isOver || value <= last || (value < 1 && now - lastTime < FRAME_MS)) return;
    last = value;
    lastTime = now;
    isOver = value === 1;
    try {
      callback(value);
    } catch (error) {
      isOver = true;
      onError(error);
    }
  };
}
