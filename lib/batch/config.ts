// What a batch takes: every option once, checked and completed in one place. Any JavaScript thread.
import {
  array,
  boolean,
  callback,
  integer,
  knownKeys,
  object,
  oneOf,
  refuse,
  signal,
  string,
} from "../base/check.js";
import { CHAT_OPTION_NAMES, checkChatOptions } from "../checks.js";
import type { ChatModel, ChatOptions } from "../index.js";
import { MAX_SEED } from "./identity.js";
import type { BatchRecord } from "./record.js";
import type { ReadOptions, RowMap } from "./parse-row.js";
import { MAX_SAMPLES } from "./row.js";
import type { BatchProgress } from "./progress.js";

/** What a verifier says of a result: whether it is right. */
export type Verifier = (
  row: Readonly<Record<string, unknown>>,
  result: BatchRecord,
) => boolean | Promise<boolean>;

/** Ends that are tried again with another seed. */
export type RetriedEnd = "length" | "loop";

/**
 * Options of {@link runBatch}: those of `model.chat` as defaults for every row, and these. A row's
 * own options go before them.
 */
export interface BatchOptions extends Omit<ChatOptions, "seed" | "timeoutMs" | "signal"> {
  /** Results wanted of each row. The prompt is computed once. Range: 1 .. 64. @defaultValue 1 */
  readonly samples?: number | undefined;
  /**
   * With the id of a row and the number of a sample it decides the seed of that sample. Range: 0 ..
   * 4294967294. @defaultValue 0
   */
  readonly seed?: number | undefined;
  /** System prompt of chats that bring none. @defaultValue none */
  readonly system?: string | undefined;
  /** Prompts are raw: they hold the template's own tokens. @defaultValue false */
  readonly raw?: boolean | undefined;
  /** Which columns of a row are the question; the others are carried through. */
  readonly map?: string | RowMap | undefined;
  /**
   * Longest time of one sample, from its start to its last token; one that takes longer ends as an
   * error `TIMEOUT`. Unit: milliseconds. 0: none. @defaultValue 0
   */
  readonly timeoutMs?: number | undefined;
  /** Ends that are tried again with another seed. @defaultValue none: they are results */
  readonly retry?: readonly RetriedEnd[] | undefined;
  /** Most attempts at one sample. Range: 1 .. 100. @defaultValue 3 */
  readonly maxAttempts?: number | undefined;
  /** Says of each result whether it is right; called once for each sample. */
  readonly verify?: Verifier | undefined;
  /** Longest time of one call of `verify`. Unit: milliseconds. @defaultValue 10,000 */
  readonly verifyTimeoutMs?: number | undefined;
  /** Samples each row until so many are verified. Range: 1 .. 64. */
  readonly untilVerified?: number | undefined;
  /** Most samples of one row with `untilVerified`. Range: 1 .. 64. @defaultValue 16 */
  readonly maxSamples?: number | undefined;
  /** Loads the model again after its engine crashed; without it such a crash ends the batch. */
  readonly reload?: (() => Promise<ChatModel>) | undefined;
  /** Ends the batch: no further row begins, and running ones are cancelled after `drainMs`. */
  readonly signal?: AbortSignal | undefined;
  /** How long running rows may go on after the signal. Unit: milliseconds. @defaultValue 0 */
  readonly drainMs?: number | undefined;
  /** Gets how far the batch is, about four times a second. */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined;
}

const BATCH_KEYS = [
  "samples",
  "seed",
  "system",
  "raw",
  "map",
  "timeoutMs",
  "retry",
  "maxAttempts",
  "verify",
  "verifyTimeoutMs",
  "untilVerified",
  "maxSamples",
  "reload",
  "signal",
  "drainMs",
  "onProgress",
] as const satisfies readonly (keyof BatchOptions)[];

/** Every option of a batch with its value. */
export interface BatchConfig {
  /** Options of each generation, in the library's words. */
  readonly generate: Readonly<Record<string, unknown>>;
  readonly read: ReadOptions;
  readonly samples: number;
  readonly seed: number;
  readonly timeoutMs: number;
  readonly retry: readonly RetriedEnd[];
  readonly maxAttempts: number;
  readonly verify: Verifier | undefined;
  readonly verifyTimeoutMs: number;
  readonly untilVerified: number | undefined;
  readonly maxSamples: number;
  readonly reload: (() => Promise<ChatModel>) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly drainMs: number;
  readonly onProgress: ((progress: BatchProgress) => void) | undefined;
}

function checkMap(value: unknown): RowMap | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string") return { prompt: string(value, "map") };
  const map = object(value, "map");
  knownKeys(map, "map", ["prompt", "messages", "id", "system"]);
  for (const [key, column] of Object.entries(map))
    if (column !== undefined) string(column, `map.${key}`);
  const { prompt, messages } = map as RowMap;
  if ((prompt === undefined) === (messages === undefined))
    refuse("map", "one of `prompt` and `messages`", value);
  return map;
}

/**
 * Checks and completes the options of a batch.
 *
 * @param alsoKnown - Further option names of the caller's.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`.
 */
export function normalizeBatch(
  options: unknown,
  where: string,
  alsoKnown: readonly string[] = [],
): BatchConfig {
  const given = object(options, "options");
  const own: readonly string[] = [...BATCH_KEYS, ...alsoKnown];
  const generateKeys = CHAT_OPTION_NAMES.filter((key) => !own.includes(key));
  knownKeys(given, where, [...own, ...generateKeys]);
  const or = <T>(
    key: (typeof BATCH_KEYS)[number],
    fallback: T,
    check: (value: unknown, path: string) => T,
  ): T => (given[key] === undefined ? fallback : check(given[key], key));
  const count = (value: unknown, path: string): number => integer(value, path, 1, MAX_SAMPLES);
  const time = (value: unknown, path: string): number => integer(value, path, 0, 2 ** 31 - 1);
  const generate = Object.fromEntries(
    generateKeys.filter((key) => given[key] !== undefined).map((key) => [key, given[key]]),
  );
  const config: BatchConfig = {
    generate: Object.freeze(generate),
    read: Object.freeze({
      map: checkMap(given["map"]),
      raw: or("raw", false, boolean),
      system: or("system", undefined as string | undefined, string),
    }),
    samples: or("samples", 1, count),
    seed: or("seed", 0, (value, path) => integer(value, path, 0, MAX_SEED)),
    timeoutMs: or("timeoutMs", 0, time),
    retry: or("retry", [] as readonly RetriedEnd[], (value, path) =>
      array(value, path, (end, at) => oneOf(end, at, ["length", "loop"])),
    ),
    maxAttempts: or("maxAttempts", 3, (value, path) => integer(value, path, 1, 100)),
    verify: or("verify", undefined as Verifier | undefined, callback<Verifier>),
    verifyTimeoutMs: or("verifyTimeoutMs", 10_000, (value, path) =>
      integer(value, path, 1, 2 ** 31 - 1),
    ),
    untilVerified: or("untilVerified", undefined as number | undefined, count),
    maxSamples: or("maxSamples", 16, count),
    reload: or("reload", undefined as BatchConfig["reload"], (value, path) =>
      callback<() => Promise<ChatModel>>(value, path),
    ),
    signal: or("signal", undefined as AbortSignal | undefined, signal),
    drainMs: or("drainMs", 0, time),
    onProgress: or("onProgress", undefined as BatchConfig["onProgress"], (value, path) =>
      callback<(progress: BatchProgress) => void>(value, path),
    ),
  };
  checkChatOptions(generate);
  checkTogether(config, given);
  return Object.freeze(config);
}

function checkTogether(config: BatchConfig, given: Record<string, unknown>): void {
  const { untilVerified, maxSamples, verify } = config;
  if (untilVerified === undefined) {
    if (given["maxSamples"] !== undefined)
      refuse("maxSamples", "`untilVerified` beside it", maxSamples);
    return;
  }
  if (verify === undefined) refuse("untilVerified", "`verify` beside it", untilVerified);
  if (given["samples"] !== undefined)
    refuse("samples", "no `untilVerified` beside it", given["samples"]);
  if (untilVerified > maxSamples)
    refuse("untilVerified", "a number of at most `maxSamples`", untilVerified);
}
