// Requests to the Hub. Sends the token only to the Hub's own host, waits and retries on limits and
// failures, and throws typed errors.
import {
  connectionError,
  connectionReason,
  hostOf,
  isNobodyThere,
  isUnsendable,
  refusalError,
  Silence,
} from "./failures.js";
import { Attempts, Gate, retryAfterMs, type Failure, type RetryPolicy } from "./retry.js";

/** Settings of a client. */
export interface ClientOptions extends RetryPolicy {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

/**
 * An answer whose body has not been read; `stop` must be called when it is read or no longer
 * needed.
 */
export interface OpenAnswer {
  readonly response: Response;
  /** Data arrived: restarts the timeout for silence. */
  readonly restartTimeout: () => void;
  readonly stop: () => void;
}

/** Sends requests to one Hub, for one download. */
export class HubClient {
  readonly endpoint: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly #options: ClientOptions;
  readonly #origin: string;
  readonly #gate = new Gate();
  /** A server has answered: a later failure may be temporary. */
  #hasAnswered = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.signal = options.signal;
    this.timeoutMs = options.timeoutMs;
    this.#origin = new URL(options.endpoint).origin;
  }

  attempts(): Attempts {
    return new Attempts(this.#options, this.#gate, this.signal);
  }

  /** Describes a failed connection for `attempts`. */
  failure(url: string, error: unknown): Failure {
    return {
      error: connectionError(url, error, this.timeoutMs),
      reason: error instanceof Silence ? "no answer" : connectionReason(error),
      host: hostOf(url),
      isHopeless: !this.#hasAnswered && isNobodyThere(error),
    };
  }

  /**
   * Opens an answer with status 2xx or 416; retries as long as `attempts` allows.
   *
   * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `NETWORK_FAILED`; the signal's reason.
   */
  async open(
    url: string,
    headers: Readonly<Record<string, string>>,
    attempts: Attempts,
  ): Promise<OpenAnswer> {
    for (;;) {
      await this.#gate.pass(this.signal);
      let answer: OpenAnswer;
      try {
        answer = await this.#ask(url, headers);
      } catch (error) {
        this.signal.throwIfAborted();
        const failure = this.failure(url, error);
        if (isUnsendable(error)) throw failure.error;
        await attempts.failed(failure);
        continue;
      }
      this.#hasAnswered = true;
      const { response, stop } = answer;
      if (response.ok || response.status === 416) return answer;
      stop();
      await response.body?.cancel().catch(() => undefined);
      const error = refusalError(url, response, this.#options.token);
      const mayPass = response.status === 429 || response.status === 408 || response.status >= 500;
      if (!mayPass) throw error;
      await attempts.failed(
        { error, reason: `HTTP ${response.status}`, host: hostOf(url), isHopeless: false },
        retryAfterMs(response.headers.get("retry-after"), Date.now()),
      );
    }
  }

  /** A `fetch` for the Hub's own library: returns complete answers and retries interrupted ones. */
  readonly fetch = async (input: string | URL | Request): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    const attempts = this.attempts();
    for (;;) {
      const { response, stop } = await this.open(url, { accept: "application/json" }, attempts);
      try {
        return new Response(await response.arrayBuffer(), {
          status: response.status,
          headers: response.headers,
        });
      } catch (error) {
        await attempts.failed(this.failure(url, error));
      } finally {
        stop();
      }
    }
  };

  async #ask(url: string, headers: Readonly<Record<string, string>>): Promise<OpenAnswer> {
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(this.signal.reason);
    let timer: NodeJS.Timeout | undefined;
    const restartTimeout = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(new Silence("silence")), this.timeoutMs);
    };
    const stop = (): void => {
      clearTimeout(timer);
      this.signal.removeEventListener("abort", onAbort);
    };
    this.signal.addEventListener("abort", onAbort, { once: true });
    restartTimeout();
    try {
      // A redirect to another host drops the authorization, like in fetch.
      const { token } = this.#options;
      const isOwn = new URL(url).origin === this.#origin;
      const all = {
        "user-agent": "r1-native",
        ...headers,
        ...(token !== undefined && isOwn ? { authorization: `Bearer ${token}` } : {}),
      };
      const response = await this.#options.fetch(url, { headers: all, signal: controller.signal });
      restartTimeout();
      return { response, restartTimeout, stop };
    } catch (error) {
      stop();
      throw controller.signal.aborted ? controller.signal.reason : error;
    }
  }
}
