// One sample that is to be computed, as the runner and its crash ward hand it on. Types only.
import type { RowSamples } from "./plan-samples.js";
import type { BatchRow } from "./row.js";

/** One sample of a row. */
export interface Task {
  readonly row: BatchRow;
  readonly sample: number;
  readonly samples: RowSamples;
  /** Times an engine died while it ran. */
  crashes: number;
}
