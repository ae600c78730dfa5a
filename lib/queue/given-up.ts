// Why a row of a queue was given up, as an error. Pure; any JavaScript thread.
import { R1Error } from "../base/errors.js";
import type { JobOfRow } from "./link.js";

/** BullMQ's own words for a job whose worker died too often. */
const STALLED = /stalled more than/;

/** The error of a row that is not tried again, and the number of its last attempt. */
export function givenUp({
  failedReason,
  stalledCounter,
}: Pick<JobOfRow, "failedReason" | "stalledCounter">): {
  readonly error: R1Error;
  readonly attempt: number;
} {
  if (!STALLED.test(failedReason))
    return { error: new R1Error("INVALID_ARGUMENT", failedReason), attempt: 1 };
  return {
    error: new R1Error(
      "WORKER_LOST",
      `The row was given up: each of the ${stalledCounter} workers that computed it was lost, ` +
        "so the row may be the cause.",
    ),
    attempt: stalledCounter,
  };
}
