// fillQueue: looks a whole input through, then puts its rows into a queue. Started again it adds what
// is missing. Runs on the JavaScript thread.
import { setTimeout as sleep } from "node:timers/promises";
import { fileName, object, oneOf } from "../base/check.js";
import { normalizeBatch, type BatchConfig, type BatchOptions } from "../batch/config.js";
import { shapeOf, type OutputFormat } from "../batch/file-config.js";
import { Ledger } from "../batch/ledger.js";
import { lookThrough, wantedRows } from "../batch/look-through.js";
import { packageVersion } from "../batch/origin.js";
import type { BatchRow } from "../batch/row.js";
import { markFilled, markFilling, settleOptions } from "./control.js";
import { jobIdOf, QueueLink, type RowQueue } from "./link.js";
import { integerOr, normalizeQueue, QUEUE_KEYS, type QueueOptions } from "./options.js";

/** Options of {@link fillQueue}: those of a batch, which all workers then go by. */
export interface FillOptions
  extends
    Omit<BatchOptions, "verify" | "verifyTimeoutMs" | "reload" | "drainMs" | "onProgress">,
    QueueOptions {
  /** The rows: JSONL, or CSV or Parquet by the end of its name. */
  readonly input: string | URL;
  /** What lines of the output will be. @defaultValue `"r1"` */
  readonly format?: OutputFormat | undefined;
  /** Name of a verifier. Each worker must be started with one: code never comes from the queue. */
  readonly verify?: string | URL | undefined;
  /**
   * Most rows that wait in the queue; more are added as workers take them. Range: 1 .. 10,000,000.
   * @defaultValue 100,000
   */
  readonly maxWaiting?: number | undefined;
  /** Gets how many rows are in the queue, after each group. */
  readonly onRows?: ((rows: number, total: number) => void) | undefined;
}

/** What a queue was filled with. */
export interface FillSummary {
  /** Rows of the input, each id once. */
  readonly rows: number;
  /** Of these, rows that this call added. */
  readonly added: number;
  /** Rows without an id that say the same as an earlier one. */
  readonly repeated: number;
}

const OWN_KEYS = [...QUEUE_KEYS, "input", "format", "maxWaiting", "onRows"] as const;
/** Rows that are added by one command. */
const GROUP = 500;
/** How often a full queue is looked at. Unit: milliseconds. */
const FULL_MS = 1000;

/** The options of a batch, as the queue's header has them. */
function batchShape(options: unknown) {
  const given = object(options, "options");
  const { verify } = given;
  const verifierName = verify === undefined ? undefined : fileName(verify, "verify");
  const batch = normalizeBatch(
    verify === undefined ? given : { ...given, verify: () => false },
    "fillQueue",
    OWN_KEYS,
  );
  const format =
    given["format"] === undefined
      ? ("r1" as const)
      : oneOf(given["format"], "format", ["r1", "openai"]);
  // Workers have the verifier where they have it: its path is their own.
  const name = verifierName === undefined ? undefined : "a module";
  const shape = shapeOf({ batch, format, shard: undefined, verifierName: name });
  return { given, batch, shape };
}

/**
 * Puts the rows of a file into a queue. The whole input is looked through first, as a batch does it.
 * A row that is in the queue already, done or not, is not added again: after a kill the same call
 * goes on.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `INPUT_INVALID` for wrong rows, before
 * anything is added; `RUN_MISMATCH` when the queue holds a batch with other options;
 * `QUEUE_UNREACHABLE`, `QUEUE_UNSAFE`, `PACKAGE_MISSING`. An abort throws `signal.reason`.
 */
export async function fillQueue(options: FillOptions): Promise<FillSummary> {
  const { given, batch, shape } = batchShape(options);
  const config = normalizeQueue(given);
  const input = fileName(given["input"], "input");
  const maxWaiting = integerOr(given, "maxWaiting", 100_000, 1, 10_000_000);
  const ledger = new Ledger();
  const { repeated } = await lookThrough(input, batch.read, ledger, {
    samples: batch.samples,
    shard: undefined,
    signal: config.signal,
  });
  const link = await QueueLink.open(config.address, config.name, config.onNotice);
  try {
    await settleOptions(link, packageVersion(), shape);
    await markFilling(link);
    const before = await known(link);
    const rows = wantedRows(input, batch.read, undefined, ledger, () => true);
    await addAll(link, rows, { batch, maxWaiting, total: ledger.size, onRows: options.onRows });
    const after = await known(link);
    // Rows of an earlier input count as well.
    await markFilled(link, after);
    return { rows: ledger.size, added: after - before, repeated };
  } catch (error) {
    config.signal?.throwIfAborted();
    throw link.failure(error);
  } finally {
    await link.close();
  }
}

/** Rows that the queue knows, whatever became of them. */
async function known(link: QueueLink): Promise<number> {
  const { waiting, active, completed, failed } = await link.counts();
  return waiting + active + completed + failed;
}

interface Adding {
  readonly batch: BatchConfig;
  readonly maxWaiting: number;
  readonly total: number;
  readonly onRows: FillOptions["onRows"];
}

async function addAll(
  link: QueueLink,
  rows: AsyncIterable<BatchRow>,
  { batch, maxWaiting, total, onRows }: Adding,
): Promise<void> {
  const { signal } = batch;
  let group: BatchRow[] = [];
  let added = 0;
  const flush = async (): Promise<void> => {
    signal?.throwIfAborted();
    await addRows(link.rows, group);
    added += group.length;
    group = [];
    onRows?.(added, total);
    while ((await link.counts()).waiting >= maxWaiting) await sleep(FULL_MS, undefined, { signal });
  };
  for await (const row of rows) {
    group.push(row);
    if (group.length >= Math.min(GROUP, maxWaiting)) await flush();
  }
  if (group.length > 0) await flush();
}

/** Adds rows; those that are there stay as they are. */
async function addRows(queue: RowQueue, rows: readonly BatchRow[]): Promise<void> {
  await queue.addBulk(
    rows.map(({ id, source }) => ({
      name: "row",
      data: { row: source },
      opts: { jobId: jobIdOf(id) },
    })),
  );
}
