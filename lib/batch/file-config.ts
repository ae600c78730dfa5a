// What a batch of files takes beside the options of runBatch, checked and completed. Any JavaScript
// thread.
import { boolean, callback, fileName, integer, object, oneOf, refuse } from "../base/check.js";
import { normalizeBatch, type BatchConfig, type BatchOptions, type Verifier } from "./config.js";
import type { Shard } from "./identity.js";
import type { BatchOutcome } from "./runner.js";
import { startVerifier, type RunningVerifier } from "./verify-module.js";

/** What lines of an output are: records of ours, or OpenAI's batch output lines. */
export type OutputFormat = "r1" | "openai";

/** Options of {@link runBatchFile}. */
export interface BatchFileOptions extends Omit<BatchOptions, "verify"> {
  /** The rows: JSONL, or CSV or Parquet by the end of its name. */
  readonly input: string | URL;
  /** The file that results are appended to. Beside it lie its header and its errors. */
  readonly output: string | URL;
  /** @defaultValue `"r1"` */
  readonly format?: OutputFormat | undefined;
  /** Only the rows of one share of the input, by their ids: `"1/8"` to `"8/8"`. */
  readonly shard?: string | Shard | undefined;
  /** Tries rows again whose errors were written by an earlier run. @defaultValue false */
  readonly retryErrors?: boolean | undefined;
  /** Goes on with another model or other options than the output was made with. */
  readonly allowChange?: boolean | undefined;
  /** Moves broken lines of the output into a file of their own. @defaultValue false */
  readonly repair?: boolean | undefined;
  /**
   * A function, or the path of a module whose default export is one. A module runs in a process of
   * its own, which is ended when a call takes too long.
   */
  readonly verify?: Verifier | string | URL | undefined;
  /** Gets each outcome once it is on the disk. */
  readonly onOutcome?: ((outcome: BatchOutcome) => void) | undefined;
  /** Gets what a person should know: a torn line, rows that say the same. */
  readonly onNotice?: ((text: string) => void) | undefined;
}

const FILE_KEYS = [
  "input",
  "output",
  "format",
  "shard",
  "retryErrors",
  "allowChange",
  "repair",
  "onOutcome",
  "onNotice",
] as const satisfies readonly (keyof BatchFileOptions)[];

/** Every option with its value. */
export interface FileConfig {
  readonly input: string;
  readonly output: string;
  readonly format: OutputFormat;
  readonly shard: Shard | undefined;
  readonly retryErrors: boolean;
  readonly allowChange: boolean;
  readonly repair: boolean;
  /** What decides about results, as the header names it. */
  readonly verifierName: string | undefined;
  /** Starts the process of a verifier that is a module. */
  readonly startVerifier: (() => RunningVerifier) | undefined;
  readonly onOutcome: ((outcome: BatchOutcome) => void) | undefined;
  readonly onNotice: (text: string) => void;
  readonly batch: BatchConfig;
}

const MOST_SHARDS = 100_000;

/** @throws {R1Error} `INVALID_ARGUMENT` */
function checkShard(value: unknown): Shard | undefined {
  if (value === undefined) return undefined;
  const expected = 'a share such as "1/8", counted from 1';
  let given: { index?: unknown; count?: unknown };
  if (typeof value === "string") {
    const match = /^(\d+)\/(\d+)$/.exec(value);
    if (match === null) refuse("shard", expected, value);
    given = { index: Number(match[1]), count: Number(match[2]) };
  } else given = object(value, "shard");
  const count = integer(given.count, "shard", 1, MOST_SHARDS);
  if (given.index === 0) refuse("shard", expected, value);
  return Object.freeze({ index: integer(given.index, "shard", 1, count), count });
}

/** @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`. */
export function normalizeFile(options: unknown): FileConfig {
  const given = object(options, "options");
  const { verify } = given;
  const isModule = typeof verify === "string" || verify instanceof URL;
  // A module stands in for its function until it has started.
  const asFunction = isModule ? { ...given, verify: () => false } : given;
  const batch = normalizeBatch(asFunction, "runBatchFile", FILE_KEYS);
  const modulePath = isModule ? fileName(verify, "verify") : undefined;
  const or = <T>(
    key: (typeof FILE_KEYS)[number],
    fallback: T,
    check: (value: unknown, path: string) => T,
  ): T => (given[key] === undefined ? fallback : check(given[key], key));
  return Object.freeze({
    input: fileName(given["input"], "input"),
    output: fileName(given["output"], "output"),
    format: or("format", "r1" as const, (value, path) => oneOf(value, path, ["r1", "openai"])),
    shard: checkShard(given["shard"]),
    retryErrors: or("retryErrors", false, boolean),
    allowChange: or("allowChange", false, boolean),
    repair: or("repair", false, boolean),
    verifierName: modulePath ?? (verify === undefined ? undefined : "a function"),
    startVerifier:
      modulePath === undefined ? undefined : () => startVerifier(modulePath, batch.verifyTimeoutMs),
    onOutcome: or("onOutcome", undefined as FileConfig["onOutcome"], (value, path) =>
      callback<(outcome: BatchOutcome) => void>(value, path),
    ),
    onNotice: or(
      "onNotice",
      () => undefined,
      (value, path) => callback<(text: string) => void>(value, path),
    ),
    batch,
  });
}

/** Every option that shapes what is written, for the header. */
export function shapeOf({
  batch,
  format,
  shard,
  verifierName,
}: Pick<FileConfig, "batch" | "format" | "shard" | "verifierName">): Record<string, unknown> {
  const { generate, read, samples, seed, timeoutMs, retry, maxAttempts } = batch;
  const { untilVerified, maxSamples } = batch;
  const { map, raw, system } = read;
  return JSON.parse(
    JSON.stringify({
      ...generate,
      ...(map === undefined ? {} : { map }),
      raw,
      ...(system === undefined ? {} : { system }),
      ...(untilVerified === undefined ? { samples } : { untilVerified, maxSamples }),
      seed,
      timeoutMs,
      retry,
      maxAttempts,
      format,
      ...(verifierName === undefined ? {} : { verify: verifierName }),
      ...(shard === undefined ? {} : { shard: `${shard.index}/${shard.count}` }),
    }),
  ) as Record<string, unknown>;
}
