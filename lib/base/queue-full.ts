// The error for a request when an engine has no place left.
import { R1Error } from "./errors.js";

/** How full an engine is; the `details` of `QUEUE_FULL`. */
export interface QueueCounts {
  /** Requests that can run at once. */
  readonly sequences: number;
  /** Requests that may wait in addition. */
  readonly maxQueue: number;
  /** Requests that have not ended: running, waiting, and in preparation. */
  readonly underWay: number;
  /** Requests beyond `sequences`. */
  readonly waiting: number;
  /** Requests whose prompt or grammar is still being prepared. */
  readonly preparing: number;
}

/** Creates `QUEUE_FULL`, with the counts in words and in `details`. */
export function queueFull(counts: QueueCounts): R1Error {
  const { sequences, maxQueue, underWay } = counts;
  return new R1Error(
    "QUEUE_FULL",
    `The queue is full: it has ${underWay} requests, of at most ${sequences + maxQueue} ` +
      `(\`sequences\` ${sequences}, \`maxQueue\` ${maxQueue}). ` +
      "Try again later, or raise `maxQueue`.",
    { details: { ...counts } },
  );
}
