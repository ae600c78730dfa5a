// watchQueue: what a queue holds and who works on it, again and again. Runs on the JavaScript thread.
import { setTimeout as sleep } from "node:timers/promises";
import { knownKeys, object } from "../base/check.js";
import { BEAT_MS } from "./beat.js";
import { filledRows, readWorkers, type WorkerReport } from "./control.js";
import { QueueLink, type RowCounts } from "./link.js";
import { integerOr, normalizeQueue, QUEUE_KEYS, type QueueOptions } from "./options.js";

/** A worker as those who watch see it. */
export interface WatchedWorker extends Omit<WorkerReport, "state" | "at"> {
  /** `silent`: it has not reported for a while; it was killed, stopped, or is cut off. */
  readonly state: "working" | "ended" | "silent";
  /** Since its last report. By the clocks of two machines. */
  readonly silentSeconds: number;
}

/** A queue at one moment. */
export interface QueueState extends RowCounts {
  /** Rows of the batch; undefined while they are being put in. */
  readonly total: number | undefined;
  /** All rows are in, and none is left. */
  readonly isDone: boolean;
  readonly workers: readonly WatchedWorker[];
  /** Of all workers that report. */
  readonly tokensPerSecond: number;
  /** By the rows that were done since the watch began; undefined while nothing can be said. */
  readonly secondsLeft: number | undefined;
}

/** Options of {@link watchQueue}. */
export interface WatchOptions extends QueueOptions {
  /** Unit: milliseconds. Range: 100 .. 3,600,000. @defaultValue 1,000 */
  readonly everyMs?: number | undefined;
}

/** A worker that says nothing for so many of its beats is silent. */
const SILENT_BEATS = 5;

function watched({ state, at, ...rest }: WorkerReport, now: number): WatchedWorker {
  const silentMs = Math.max(0, now - at);
  const isSilent = state === "working" && silentMs > SILENT_BEATS * BEAT_MS;
  return { ...rest, state: isSilent ? "silent" : state, silentSeconds: silentMs / 1000 };
}

/** What a queue holds now. */
export async function stateOf(
  link: QueueLink,
  since?: { readonly at: number; readonly done: number },
): Promise<QueueState> {
  const [counts, total, reports] = [
    await link.counts(),
    await filledRows(link),
    await readWorkers(link),
  ];
  const workers = reports.map((report) => watched(report, Date.now()));
  const left = counts.waiting + counts.active;
  const done = counts.completed + counts.failed;
  const gone = since === undefined ? 0 : done - since.done;
  const seconds = since === undefined ? 0 : (performance.now() - since.at) / 1000;
  return {
    ...counts,
    total,
    isDone: total !== undefined && left === 0,
    workers,
    tokensPerSecond: workers
      .filter(({ state }) => state === "working")
      .reduce((sum, { tokensPerSecond }) => sum + tokensPerSecond, 0),
    secondsLeft: gone > 0 ? (left * seconds) / gone : undefined,
  };
}

/**
 * Watches a queue. The loop goes on after the last row is done, until it is left or aborted.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `QUEUE_UNREACHABLE`, `QUEUE_UNSAFE`,
 * `PACKAGE_MISSING`. An abort throws `signal.reason`.
 */
export async function* watchQueue(options: WatchOptions): AsyncGenerator<QueueState, void> {
  const given = object(options, "options");
  knownKeys(given, "watchQueue", [...QUEUE_KEYS, "everyMs"]);
  const config = normalizeQueue(given);
  const everyMs = integerOr(given, "everyMs", 1000, 100, 3_600_000);
  const link = await QueueLink.open(config.address, config.name, config.onNotice);
  try {
    let since: { at: number; done: number } | undefined;
    for (;;) {
      config.signal?.throwIfAborted();
      const state = await stateOf(link, since);
      since ??= { at: performance.now(), done: state.completed + state.failed };
      yield state;
      await sleep(everyMs, undefined, { signal: config.signal });
    }
  } catch (error) {
    config.signal?.throwIfAborted();
    throw link.failure(error);
  } finally {
    await link.close();
  }
}
