// Looks through a whole input before a model loads: every row is read and checked, and its id noted.
// Runs on the JavaScript thread, which other work gets between the pieces of the file.
import { stat } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { ReadOptions } from "./parse-row.js";
import { isInShard, type Shard } from "./identity.js";
import type { Ledger } from "./ledger.js";
import { readRows } from "./read-rows.js";
import type { BatchRow, RowFault } from "./row.js";

/** Faults that are told one by one. */
const MOST_FAULTS = 20;

/** What an input holds. */
export interface Looked {
  /** Rows, of all shards. */
  readonly rows: number;
  /** Samples that rows of the shard ask for, where their number is fixed. */
  readonly samples: number;
  /** Rows without an id that say the same as an earlier one: answered once. */
  readonly repeated: number;
}

/** What the count of samples depends on, and what ends the look. */
export interface LookOptions {
  /** Samples of a row that does not say. */
  readonly samples: number;
  readonly shard: Shard | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Notes every id of an input in the ledger.
 *
 * @throws {R1Error} `INPUT_INVALID` with the first 20 faults and their lines; `INVALID_ARGUMENT`
 * for a pipe; those of reading.
 */
export async function lookThrough(
  path: string,
  read: ReadOptions,
  ledger: Ledger,
  { samples: usual, shard, signal }: LookOptions,
): Promise<Looked> {
  await checkInput(path);
  const faults: RowFault[] = [];
  let count = 0;
  let rows = 0;
  let samples = 0;
  let repeated = 0;
  const note = (fault: RowFault): void => {
    if (count++ < MOST_FAULTS) faults.push(fault);
  };
  for await (const group of readRows(path, read)) {
    for (const { row, fault } of group) {
      if (fault !== undefined) {
        note(fault);
        continue;
      }
      rows++;
      const before = ledger.addRow(row.id, row.line);
      if (before === undefined) {
        if (shard === undefined || isInShard(row.id, shard)) samples += row.samples ?? usual;
        continue;
      }
      if (row.id.startsWith("sha256-")) repeated++;
      else
        note({
          line: row.line,
          message: `the id ${JSON.stringify(row.id)} is that of line ${before} as well`,
        });
    }
    await setImmediate();
    signal?.throwIfAborted();
  }
  if (count > 0) throw invalid(path, faults, count);
  return { rows, samples, repeated };
}

/** An input is read twice: through a pipe nothing would come the second time. */
async function checkInput(input: string): Promise<void> {
  if (/\.(zst|zstd|xz|bz2|zip|parquet\.gz)$/i.test(input))
    refuse("input", "a file that is not compressed, or JSONL or CSV compressed by gzip", input);
  const facts = await stat(input).catch(() => undefined);
  const isStandardInput = input === "-" && facts === undefined;
  if (isStandardInput || (facts !== undefined && !facts.isFile() && !facts.isDirectory()))
    refuse(
      "input",
      "a regular file (the input is read twice: write a pipe to a file first)",
      input,
    );
}

function invalid(path: string, faults: readonly RowFault[], count: number): R1Error {
  // Fields of rows are no options of the caller's: they are not written as those are.
  const plain = (message: string): string => message.replace(/`([^`]*)`/g, '"$1"');
  const lines = faults.map(({ line, message }) => `  line ${line}: ${plain(message)}`).join("\n");
  const more = count > faults.length ? `\n  and ${count - faults.length} more` : "";
  return new R1Error(
    "INPUT_INVALID",
    `"${path}" has ${count} wrong ${count === 1 ? "row" : "rows"}, and nothing was written:\n${lines}${more}`,
    { details: { path, count, faults } },
  );
}

/**
 * The rows of an input that was looked through, one at a time, each id once.
 *
 * @param isWanted - Whether a row has samples left.
 * @throws {R1Error} `INPUT_INVALID` where the file has changed since.
 */
export async function* wantedRows(
  path: string,
  read: ReadOptions,
  shard: Shard | undefined,
  ledger: Ledger,
  isWanted: (row: BatchRow) => boolean,
): AsyncGenerator<BatchRow, void> {
  for await (const group of readRows(path, read)) {
    for (const { row, fault } of group) {
      if (fault !== undefined) throw invalid(path, [fault], 1);
      // Of rows that say the same the first one stands for all.
      if (ledger.entry(row.id).line !== row.line + 1) continue;
      if ((shard === undefined || isInShard(row.id, shard)) && isWanted(row)) yield row;
    }
  }
}
