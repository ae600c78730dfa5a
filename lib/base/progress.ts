// Hands progress to a user's callback, not more often than a screen can show it. Runs on any
// JavaScript thread.

/** Least time between two calls, in milliseconds: one frame of a 60 Hz screen. */
const FRAME_MS = 16;

/**
 * Makes a reporter of values from 0 to 1 that never go down and come at most once a frame; 1 is
 * always reported.
 *
 * @param callback - The user's; what it throws goes to `onError`, after which nothing is reported
 * any more.
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
