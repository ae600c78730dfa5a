// removeQueue: removes a batch from its server when it is done. Runs on the JavaScript thread.
import { flagOf, knownKeys, object } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { QueueLink } from "./link.js";
import { normalizeQueue, QUEUE_KEYS, type QueueOptions } from "./options.js";
import { stateOf } from "./watch.js";

/** Options of {@link removeQueue}. */
export interface RemoveOptions extends QueueOptions {
  /** Also removes rows that are left, and a queue that workers are using. @defaultValue false */
  readonly force?: boolean | undefined;
}

/** What was removed. */
export interface RemoveSummary {
  /** Number of rows that the queue had, done or not; 0 if there was no such queue. */
  readonly rows: number;
}

/**
 * Removes the rows of a queue and everything else of its batch from the server. Shards are files of
 * the workers, and stay.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, also while rows are left or workers use the queue, unless
 * `force` is given; `UNKNOWN_OPTION`, `QUEUE_UNREACHABLE`, `QUEUE_UNSAFE`, `PACKAGE_MISSING`. An
 * abort throws `signal.reason`.
 */
export async function removeQueue(options: RemoveOptions): Promise<RemoveSummary> {
  const given = object(options, "options");
  knownKeys(given, "removeQueue", [...QUEUE_KEYS, "force"]);
  const config = normalizeQueue(given);
  const force = flagOf(given, "force");
  const link = await QueueLink.open(config.address, config.name, config.onNotice);
  try {
    const { waiting, active, completed, failed, workers } = await stateOf(link);
    const left = waiting + active;
    const working = workers.filter(({ state }) => state === "working").length;
    if (!force && (left > 0 || working > 0))
      throw new R1Error(
        "INVALID_ARGUMENT",
        `The queue "${link.name}" is in use: ${left} rows are left, and ${working} workers run. ` +
          "Wait until they have ended, or pass `force` to remove it all the same.",
        { details: { option: "force" } },
      );
    await link.remove();
    return { rows: left + completed + failed };
  } catch (error) {
    config.signal?.throwIfAborted();
    throw link.failure(error);
  } finally {
    await link.close();
  }
}
