// When to try again, and how long to wait first. Runs on the JavaScript thread; waits are
// asynchronous.
import { setTimeout as sleep } from "node:timers/promises";

/** Why a download waits before it tries again. */
export interface RetryNotice {
  /** What failed, in words; nothing in it is secret. */
  readonly reason: string;
  /** Host that was asked. */
  readonly host: string;
  /** The try that comes next, counted from 1. */
  readonly attempt: number;
  /** Tries in all. */
  readonly attempts: number;
  /** How long it waits first. Unit: milliseconds. */
  readonly waitMs: number;
}

/** A failure as those who wait for another try see it. */
export interface Failure {
  readonly error: unknown;
  /** What failed, in words. */
  readonly reason: string;
  readonly host: string;
  /** Waiting cannot help: nothing is there to answer. Fewer tries are made. */
  readonly isHopeless: boolean;
}

/** How patient a download is. */
export interface RetryPolicy {
  /** Failures in a row, without a byte between them, after which it gives up. */
  readonly retries: number;
  /** First wait; each further one is twice as long. Unit: milliseconds. */
  readonly retryDelayMs: number;
  /** Longest silence of a server. Unit: milliseconds. */
  readonly timeoutMs: number;
  /** Called before each wait. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
}

/** Tries again after failures that waiting cannot mend, such as a host name that nobody knows. */
const HOPELESS_RETRIES = 2;

/** Longest wait between two tries. Unit: milliseconds. */
const LONGEST_DELAY_MS = 30_000;
/** Longest wait that a server may ask for. Unit: milliseconds. */
const LONGEST_ASKED_MS = 600_000;

/** Waits, but not longer than until the signal aborts. @throws The signal's reason. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}

/**
 * What `Retry-After` asks for, in milliseconds: seconds or a date; undefined when there is none.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * Until when nobody asks a server that has asked for patience; shared by all requests of a
 * download.
 */
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

  /** Something came: the next failure is the first again. */
  succeeded(): void {
    this.#failures = 0;
  }

  /**
   * Waits after a failure that may pass.
   *
   * @param askedMs - What the server asked for; holds for all requests.
   * @throws `failure.error` when it was one too many, or the server asks for more patience than
   * there is; the signal's reason.
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
    // Spread, so that requests that failed together do not come back together.
    const waitMs = longest * (0.5 + Math.random() / 2);
    notify(waitMs);
    await pause(waitMs, this.#signal);
  }
}
