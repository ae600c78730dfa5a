// Requests to the Hub: the token to its own host only, patience with limits and failures, typed
// errors.
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

/** What a client is made of. */
export interface ClientOptions extends RetryPolicy {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

/** An answer whose body is still to come; `stop` must be called when it is read or given up. */
export interface OpenAnswer {
  readonly response: Response;
  /** Something came: the silence begins anew. */
  readonly kick: () => void;
  readonly stop: () => void;
}

/** Asks one Hub, for one download. */
export class HubClient {
  readonly endpoint: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly #options: ClientOptions;
  readonly #origin: string;
  readonly #gate = new Gate();
  /** A server has answered: what fails from now on may pass. */
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

  /** A failed connection, as `attempts` takes it. */
  failure(url: string, error: unknown): Failure {
    return {
      error: connectionError(url, error, this.timeoutMs),
      reason: error instanceof Silence ? "no answer" : connectionReason(error),
      host: hostOf(url),
      isHopeless: !this.#hasAnswered && isNobodyThere(error),
    };
  }

  /**
   * Opens an answer with a status of 2xx or 416; tries again while `attempts` lasts.
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

  /** `fetch` for the Hub's own library: whole answers, tried again when they are cut. */
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
    const kick = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(new Silence("silence")), this.timeoutMs);
    };
    const stop = (): void => {
      clearTimeout(timer);
      this.signal.removeEventListener("abort", onAbort);
    };
    this.signal.addEventListener("abort", onAbort, { once: true });
    kick();
    try {
      // A redirect to another host loses the authorization, as fetch has it.
      const { token } = this.#options;
      const isOwn = new URL(url).origin === this.#origin;
      const all = {
        "user-agent": "r1-native",
        ...headers,
        ...(token !== undefined && isOwn ? { authorization: `Bearer ${token}` } : {}),
      };
      const response = await this.#options.fetch(url, { headers: all, signal: controller.signal });
      kick();
      return { response, kick, stop };
    } catch (error) {
      stop();
      throw controller.signal.aborted ? controller.signal.reason : error;
    }
  }
}
