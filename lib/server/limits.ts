// Bounds on what a request may ask for, with their defaults.
import { integer, knownKeys, object } from "../base/check.js";

/** Bounds on requests; every one is on by default. */
export interface ServerLimits {
  /** Bytes of a body. @defaultValue 8 MiB */
  readonly maxBodyBytes: number;
  /** Nested objects and arrays of a body. @defaultValue 64 */
  readonly maxDepth: number;
  /** Messages of a conversation. @defaultValue 4096 */
  readonly maxMessages: number;
  /** Tools of a request. @defaultValue 128 */
  readonly maxTools: number;
  /** Characters of the JSON text of one schema. @defaultValue 262144 */
  readonly maxSchemaLength: number;
  /** `n` of a request. @defaultValue 16 */
  readonly maxChoices: number;
  /** Alternatives with each token. @defaultValue 20 */
  readonly maxLogprobs: number;
  /** Strings of `stop`. @defaultValue 16 */
  readonly maxStop: number;
  /** Prompts of one completion request. @defaultValue 16 */
  readonly maxPrompts: number;
  /** Requests that wait for a model. @defaultValue 2048 */
  readonly maxQueue: number;
  /** Of these, requests of one key. @defaultValue 1024 */
  readonly maxQueuePerKey: number;
  /** Requests of one key that run at once. @defaultValue 64 */
  readonly maxRunningPerKey: number;
  /** Longest wait for a turn. Unit: seconds; 0: no limit. @defaultValue 600 */
  readonly maxWait: number;
  /** Responses of /v1/responses that are kept for later requests. @defaultValue 1000 */
  readonly maxStored: number;
  /** Of these, responses of one key. @defaultValue 500 */
  readonly maxStoredPerKey: number;
  /** JSON text of all that are kept. Unit: bytes. @defaultValue 64 MiB */
  readonly maxStoredBytes: number;
  /** A response is kept that long. Unit: seconds. @defaultValue 86400 */
  readonly maxStoredAge: number;
}

/** The bounds unless the user sets others. */
export const DEFAULT_LIMITS: ServerLimits = Object.freeze({
  maxBodyBytes: 8 * 2 ** 20,
  maxDepth: 64,
  maxMessages: 4096,
  maxTools: 128,
  maxSchemaLength: 262_144,
  maxChoices: 16,
  maxLogprobs: 20,
  maxStop: 16,
  maxPrompts: 16,
  maxQueue: 2048,
  maxQueuePerKey: 1024,
  maxRunningPerKey: 64,
  maxWait: 600,
  maxStored: 1000,
  maxStoredPerKey: 500,
  maxStoredBytes: 64 * 2 ** 20,
  maxStoredAge: 86_400,
});

/** Largest value of a bound; of some the engine sets a lower one. */
const MOST: Partial<Record<keyof ServerLimits, number>> = {
  maxChoices: 64,
  maxLogprobs: 20,
  maxStop: 64,
  maxTools: 128,
  maxDepth: 1000,
};

/** Bounds that may be 0. */
const MAY_BE_NONE: ReadonlySet<string> = new Set([
  "maxWait",
  "maxQueue",
  "maxQueuePerKey",
  "maxLogprobs",
  "maxStored",
]);

/** Checks and completes bounds. @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION` */
export function normalizeLimits(value: unknown, path: string): ServerLimits {
  const given = object(value, path);
  const names = Object.keys(DEFAULT_LIMITS) as (keyof ServerLimits)[];
  knownKeys(given, path, names);
  const limits = { ...DEFAULT_LIMITS } as Record<keyof ServerLimits, number>;
  for (const name of names)
    if (given[name] !== undefined)
      limits[name] = integer(
        given[name],
        `${path}.${name}`,
        MAY_BE_NONE.has(name) ? 0 : 1,
        MOST[name] ?? 2 ** 31 - 1,
      );
  return Object.freeze(limits);
}
