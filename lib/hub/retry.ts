// Decides when to retry and how long to wait first. Asynchronous.
import { setTimeout as sleep } from "node:timers/promises";

/** Why a download waits before a retry. */
export interface RetryNotice {
  /** What failed, in words; it contains no secrets. */
  readonly reason: string;
  /** Host that was contacted. */
  readonly host: string;
  /** Number of the next attempt, from 1. */
  readonly attempt: number;
  /** Maximum number of attempts. */
  readonly attempts: number;
  /** The delay before the attempt. Unit: milliseconds. */
  readonly waitMs: number;
}

/** A failure, as seen by requests that wait for a retry. */
export interface Failure {
  readonly error: unknown;
  /** What failed, in words. */
  readonly reason: string;
  readonly host: string;
  /** Waiting cannot help: no server is there to answer. Fewer attempts are made. */
  readonly isHopeless: boolean;
}

/** How long and how often a download retries. */
export interface RetryPolicy {
  /**
   * Number of consecutive failures, without a byte between them, after which the download fails.
   */
  readonly retries: number;
  /** First delay; it doubles with each further failure. Unit: milliseconds. */
  readonly retryDelayMs: number;
  /** Time without data after which a request fails. Unit: milliseconds. */
  readonly timeoutMs: number;
  /** Called before each wait. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
}

/** Number of retries after failures that waiting cannot fix, such as an unknown host name. */
const HOPELESS_RETRIES = 2;

/** Longest delay between two attempts. Unit: milliseconds. */
const LONGEST_DELAY_MS = 30_000;
/** Longest delay that a server may request. Unit: milliseconds. */
const LONGEST_ASKED_MS = 600_000;

/** Waits, but ends early if the signal aborts. @throws The signal's reason. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}

/**
 * Returns the delay that `Retry-After` requests, in milliseconds, from seconds or a date; undefined
 * if there is none.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Holds back all requests of a download until the time that a server requested. */
export class Gate {
  #opensAt = 0;

  close(ms: number): void {
    this.#opensAt = Math.max(this.#opensAt, performance.now() + ms);
  }

  async pass(signal: AbortSignal): Promise<void> {
    for (
      let left = this.#opensAt - performance.now();
      left > 0;
      left = this.#opensAt - performance.now()
    )
      await pause(Math.ceil(left), signal);
    signal.throwIfAborted();
  }
}

/** Counts failures in a row and waits between them. */
export class Attempts {
  #failures = 0;
  readonly #policy: RetryPolicy;
  readonly #signal: AbortSignal;
  readonly #gate: Gate;

  constructor(policy: RetryPolicy, gate: Gate, signal: AbortSignal) {
    this.#policy = policy;
    this.#gate = gate;
    this.#signal = signal;
  }

  /** Data arrived: the next failure counts as the first again. */
  succeeded(): void {
    this.#failures = 0;
  }

  /**
   * Waits after a failure that may be temporary.
   *
   * @param askedMs - The delay that the server requested; it applies to all requests.
   * @throws `failure.error` if there were too many failures, or if the server requests too long a
   * delay; the signal's reason.
   */
  async failed({ error, reason, host, isHopeless }: Failure, askedMs?: number): Promise<void> {
    this.#signal.throwIfAborted();
    const { retries, onRetry } = this.#policy;
    const most = isHopeless ? Math.min(retries, HOPELESS_RETRIES) : retries;
    if (++this.#failures > most || (askedMs ?? 0) > LONGEST_ASKED_MS) throw error;
    const notify = (waitMs: number): void =>
      onRetry?.({
        reason,
        host,
        attempt: this.#failures + 1,
        attempts: most + 1,
        waitMs: Math.round(waitMs),
      });
    if (askedMs !== undefined) {
      notify(askedMs);
      this.#gate.close(askedMs);
      await this.#gate.pass(this.#signal);
      return;
    }
    const longest = Math.min(
      LONGEST_DELAY_MS,
      this.#policy.retryDelayMs * 2 ** (this.#failures - 1),
    );
    // Randomised, so that requests that failed together do not retry together.
    const waitMs = longest * (0.5 + Math.random() / 2);
    notify(waitMs);
    await pause(waitMs, this.#signal);
  }
}
