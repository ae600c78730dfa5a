// What the sides of a queue take: every option once, checked and completed. Any JavaScript thread.
import { callback, integer, refuse, signal } from "../base/check.js";
import { parseAddress, type QueueAddress } from "./address.js";

/** Options of everything that uses a queue. */
export interface QueueOptions {
  /** `redis://`, `rediss://` or `postgres://`. Credentials in it are never shown. */
  readonly queue: string | URL;
  /**
   * One server holds many batches; each has a name. Letters, digits, `-`, `_` and `.`; at most 100.
   * @defaultValue `"batch"`
   */
  readonly queueName?: string | undefined;
  /** Aborts the call, which then throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Receives warnings about the server and the connection, without credentials. */
  readonly onNotice?: ((text: string) => void) | undefined;
}

export const QUEUE_KEYS = ["queue", "queueName", "signal", "onNotice"] as const;

/** The options with their values. */
export interface QueueConfig {
  readonly address: QueueAddress;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  readonly onNotice: (text: string) => void;
}

/** @throws {R1Error} `INVALID_ARGUMENT`, whose message does not hold the URL. */
export function normalizeQueue(given: Readonly<Record<string, unknown>>): QueueConfig {
  const name = given["queueName"] ?? "batch";
  if (typeof name !== "string" || !/^[\w.-]{1,100}$/.test(name))
    refuse("queueName", "a name of 1 to 100 letters, digits, `-`, `_` and `.`", name);
  return Object.freeze({
    address: parseAddress(given["queue"]),
    name,
    signal: given["signal"] === undefined ? undefined : signal(given["signal"], "signal"),
    onNotice:
      given["onNotice"] === undefined
        ? () => undefined
        : callback<(text: string) => void>(given["onNotice"], "onNotice"),
  });
}

/** An integer of an option, or its default. */
export const integerOr = (
  given: Readonly<Record<string, unknown>>,
  key: string,
  fallback: number,
  min: number,
  max: number,
): number => (given[key] === undefined ? fallback : integer(given[key], key, min, max));
