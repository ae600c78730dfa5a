// runBatch: rows in, results out, over one model. Runs on the JavaScript thread; the model works on
// its own.
import { refuse } from "../base/check.js";
import type { ChatModel } from "../index.js";
import { normalizeBatch, type BatchConfig, type BatchOptions } from "./config.js";
import { originOf } from "./origin.js";
import { parseRow, type ReadOptions } from "./parse-row.js";
import { ProgressCounter } from "./progress.js";
import { BatchRunner, type BatchOutcome, type RunSetup } from "./runner.js";
import type { BatchRow } from "./row.js";

/** How often progress is reported. Unit: milliseconds. */
const REPORT_MS = 250;

async function* parsed(
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  read: ReadOptions,
): AsyncGenerator<BatchRow, void> {
  for await (const row of rows) yield parseRow(row, 0, read);
}

/**
 * Runs rows that are read already, with reports of progress.
 *
 * @param setup - All but the options, which are `config`.
 */
export async function* runRows(
  rows: AsyncIterable<BatchRow>,
  setup: Omit<RunSetup, "config">,
  config: BatchConfig,
  onModel?: (model: ChatModel) => void,
): AsyncGenerator<BatchOutcome, void> {
  const runner = new BatchRunner({ ...setup, config });
  const report = (): void => config.onProgress?.(setup.progress.snapshot());
  let failure: { readonly error: unknown } | undefined;
  const timer =
    config.onProgress === undefined
      ? undefined
      : setInterval(() => {
          try {
            report();
          } catch (error) {
            // What a callback throws ends the batch, at the next outcome.
            failure = { error };
            clearInterval(timer);
          }
        }, REPORT_MS);
  try {
    for await (const outcome of runner.run(rows)) {
      if (failure !== undefined) throw failure.error;
      yield outcome;
    }
    report();
  } finally {
    clearInterval(timer);
    onModel?.(runner.model);
  }
}

/**
 * Runs rows through a model. Never more than twice the model's sequences are in flight; rows are
 * taken as there is room, and memory does not depend on their number. Outcomes come in the order in
 * which they end: a failed row is an outcome with `error`, and does not stop the others.
 *
 * @param rows - OpenAI's batch lines (`{ custom_id, body }`), or plain rows
 * (`{ id?, prompt | messages, ...options }`), or any objects together with `map`.
 * @throws {R1Error} at the call: `INVALID_ARGUMENT`, `UNKNOWN_OPTION`. In the loop: those and
 * `INVALID_MESSAGE` for a wrong row; what every row would end with, such as `DISPOSED`;
 * `ENGINE_CRASHED` without `reload`. An abort throws `signal.reason`.
 * @example
 * ```ts
 * for await (const { id, record, error } of runBatch(model, rows, { samples: 4, seed: 1 }))
 *   console.log(id, record?.answer ?? error?.code);
 * ```
 */
export function runBatch(
  model: ChatModel,
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  options: BatchOptions = {},
): AsyncGenerator<BatchOutcome, void> {
  const config = normalizeBatch(options, "runBatch");
  if (
    typeof rows !== "object" ||
    rows === null ||
    !(Symbol.asyncIterator in rows || Symbol.iterator in rows)
  )
    refuse("rows", "an iterable or async iterable of rows", rows);
  return start(model, rows, config);
}

async function* start(
  model: ChatModel,
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  config: BatchConfig,
): AsyncGenerator<BatchOutcome, void> {
  const origin = await originOf(model);
  const progress = new ProgressCounter();
  yield* runRows(parsed(rows, config.read), { model, origin, progress }, config);
}
