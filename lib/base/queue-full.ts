// The error of a request for which an engine has no place left. Any thread.
import { R1Error } from "./errors.js";

/** How full an engine is; the `details` of `QUEUE_FULL`. */
export interface QueueCounts {
  /** Requests that can run at once. */
  readonly sequences: number;
  /** Requests that may wait in addition. */
  readonly maxQueue: number;
  /** Requests that have not ended: running, waiting, and in preparation. */
  readonly underWay: number;
  /** Those beyond `sequences`. */
  readonly waiting: number;
  /** Those whose prompt or form is still prepared. */
  readonly preparing: number;
}

/** `QUEUE_FULL`, with the counts in words and in `details`. */
export function queueFull(counts: QueueCounts): R1Error {
  const { sequences, maxQueue, underWay } = counts;
  return new R1Error(
    "QUEUE_FULL",
    `The queue is full: ${underWay} under way, of at most ${sequences + maxQueue} ` +
      `(\`sequences\` ${sequences}, \`maxQueue\` ${maxQueue}). ` +
      "Try again later, or raise `maxQueue`.",
    { details: { ...counts } },
  );
}
