// What a worker takes, checked and completed; and its batch, as the queue's header has it. Any
// JavaScript thread.
import { callback, fileName, flagOf, integer, knownKeys, object } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { normalizeFile, type FileConfig } from "../batch/file-config.js";
import type { Verifier } from "../batch/config.js";
import type { BatchOutcome } from "../batch/runner.js";
import type { BatchProgress } from "../batch/progress.js";
import type { QueueHeader } from "./control.js";
import { integerOr, normalizeQueue, QUEUE_KEYS } from "./options.js";
import type { QueueConfig, QueueOptions } from "./options.js";

/** Options of {@link runWorker}. How rows are computed stands in the queue. */
export interface WorkerOptions extends QueueOptions {
  /** The worker's own output: results are appended to it. Beside it lie its header and its errors. */
  readonly shard: string | URL;
  /** The verifier, where the batch has one: a function, or the path of a module. */
  readonly verify?: Verifier | string | URL | undefined;
  /** Longest time of one call of it. Unit: milliseconds. @defaultValue 10,000 */
  readonly verifyTimeoutMs?: number | undefined;
  /** Rows that are taken at a time. Range: 1 .. 4096. @defaultValue the model's sequences */
  readonly concurrency?: number | undefined;
  /**
   * After so long without a sign of life of its worker a row is given to another one. Unit:
   * milliseconds. Range: 1,000 .. 86,400,000. @defaultValue 60,000
   */
  readonly lockMs?: number | undefined;
  /**
   * A row whose worker died so often is not tried again. Range: 1 .. 1000. @defaultValue 5
   */
  readonly maxLost?: number | undefined;
  /** Waits for further rows when all are done. @defaultValue false */
  readonly stay?: boolean | undefined;
  /** How long running rows may go on after the signal. Unit: milliseconds. @defaultValue 0 */
  readonly drainMs?: number | undefined;
  /** Moves broken lines of the shard into a file of their own. @defaultValue false */
  readonly repair?: boolean | undefined;
  /** Gets each outcome once it is on the disk. */
  readonly onOutcome?: ((outcome: BatchOutcome) => void) | undefined;
  /** Gets how far this worker is, about four times a second. */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined;
}

const OWN_KEYS = [
  "shard",
  "verify",
  "verifyTimeoutMs",
  "concurrency",
  "lockMs",
  "maxLost",
  "stay",
  "drainMs",
  "repair",
  "onOutcome",
  "onProgress",
] as const;

/** Every option with its value. */
export interface WorkerConfig extends QueueConfig {
  readonly shard: string;
  readonly concurrency: number | undefined;
  readonly lockMs: number;
  readonly maxLost: number;
  readonly stay: boolean;
  /** The options that its batch takes from here. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`. */
export function normalizeWorker(options: unknown): WorkerConfig {
  const given = object(options, "options");
  knownKeys(given, "runWorker", [...QUEUE_KEYS, ...OWN_KEYS]);
  for (const key of ["onOutcome", "onProgress"])
    if (given[key] !== undefined) callback(given[key], key);
  return Object.freeze({
    ...normalizeQueue(given),
    shard: fileName(given["shard"], "shard"),
    concurrency:
      given["concurrency"] === undefined
        ? undefined
        : integer(given["concurrency"], "concurrency", 1, 4096),
    lockMs: integerOr(given, "lockMs", 60_000, 1000, 86_400_000),
    maxLost: integerOr(given, "maxLost", 5, 1, 1000),
    stay: flagOf(given, "stay"),
    given,
  });
}

const TAKEN = ["verify", "verifyTimeoutMs", "drainMs", "repair", "onOutcome", "onNotice", "signal"];

/**
 * The batch of a worker: options of the queue's header, its own shard and callbacks.
 *
 * @throws {R1Error} `RUN_MISMATCH` when one of both has a verifier and the other has none;
 * `INVALID_ARGUMENT`, `UNKNOWN_OPTION` for a header that this version does not understand.
 */
export function batchOf(config: WorkerConfig, { options }: QueueHeader): FileConfig {
  const { verify, ...shape } = options;
  if ((verify === undefined) !== (config.given["verify"] === undefined))
    throw new R1Error(
      "RUN_MISMATCH",
      verify === undefined
        ? `The batch in the queue "${config.name}" has no verifier: leave \`verify\` out.`
        : `The batch in the queue "${config.name}" has a verifier, and it is not taken from the queue: name it by \`verify\`.`,
      { details: { name: config.name } },
    );
  const own = Object.fromEntries(
    TAKEN.filter((key) => config.given[key] !== undefined).map((key) => [key, config.given[key]]),
  );
  const batch = normalizeFile({
    ...shape,
    ...own,
    // Not a file; the header of the shard shows it.
    input: `the queue ${config.name}`,
    output: config.shard,
    onProgress: config.given["onProgress"],
  });
  return Object.freeze({ ...batch, verifierName: verify === undefined ? undefined : "a module" });
}

/**
 * The batch of a queue for those who compute nothing, such as a collector.
 *
 * @throws {R1Error} as {@link batchOf} does for the header.
 */
export function batchOfHeader({ options }: QueueHeader, output: string): FileConfig {
  const { verify, ...shape } = options;
  const verifier = verify === undefined ? {} : { verify: () => false };
  return normalizeFile({ ...shape, ...verifier, input: "the queue", output });
}

/** Rows to take at a time, so that every sequence of the model has work. */
export function rowsAtATime(config: WorkerConfig, batch: FileConfig, sequences: number): number {
  const { samples, untilVerified } = batch.batch;
  const each = untilVerified ?? samples;
  // Rows of several samples fill the model with fewer rows; one more stands ready.
  const needed = each === 1 ? sequences : Math.ceil(sequences / each) + 1;
  return config.concurrency ?? Math.min(sequences, needed);
}
