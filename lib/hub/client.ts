// Requests to the Hub: the token to its own host only, patience with limits and failures, typed errors. Runs on the JavaScript thread.
import { R1Error } from "../base/errors.js";
import { Attempts, Gate, retryAfterMs, type RetryPolicy } from "./retry.js";

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

class Silence extends Error {}

/** The words that a server gives with a refusal, fit for a terminal. */
function serverWords(response: Response): string {
  const words = (response.headers.get("x-error-message") ?? "")
    .replace(/[^\x20-\x7e]/g, " ")
    .slice(0, 200)
    .trim();
  return words === "" ? "" : ` The server says: ${words.replace(/[.\s]+$/, "")}.`;
}

/** A refusal as an error. */
function refusal(url: string, response: Response, hasToken: boolean): R1Error {
  const { status } = response;
  const details = {
    path: url,
    status,
    retryAfter: response.headers.get("retry-after") ?? undefined,
  };
  const says = serverWords(response);
  if (status === 401 || status === 403) {
    const what = hasToken
      ? "The token may not read it; if the repository is gated, accept its terms on its page first"
      : "There is no such repository, or it is private or gated: then set HF_TOKEN to a token that may (or give it as the option `token`)";
    return new R1Error(
      "FILE_UNREADABLE",
      `${shown(url)} may not be read (HTTP ${status}).${says} ${what}.`,
      { details },
    );
  }
  if (status === 404 || status === 410)
    return new R1Error(
      "FILE_NOT_FOUND",
      `There is nothing at ${shown(url)} (HTTP ${status}).${says} Check the names of repository and revision.`,
      { details },
    );
  if (status === 429)
    return new R1Error(
      "NETWORK_FAILED",
      `${shown(url)}: too many requests (HTTP 429), also after waiting. Try again later, or with a token.`,
      { details },
    );
  return new R1Error(
    "NETWORK_FAILED",
    `${shown(url)} answered with HTTP ${status}.${says} Try again later; what has come is kept.`,
    { details },
  );
}

/** An address for people: what follows the question mark is for machines, and may be a signature that opens a private file. */
export function shown(url: string): string {
  return url.replace(/\?.*$/s, "");
}

/** Why a `fetch` failed, in a few words; it tells of the reason by a cause. */
export function connectionReason(error: unknown): string {
  const cause = (error as { cause?: unknown } | null)?.cause ?? error;
  return cause instanceof Error
    ? cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name)
    : String(cause);
}

/** A failed connection as an error. */
export function connectionError(url: string, error: unknown, timeoutMs: number): R1Error {
  const details = { path: url };
  if (error instanceof Silence) {
    return new R1Error(
      "NETWORK_FAILED",
      `${shown(url)} was silent for ${timeoutMs / 1000} seconds. Try again; what has come is kept.`,
      {
        cause: error,
        details,
      },
    );
  }
  return new R1Error(
    "NETWORK_FAILED",
    `The connection to ${shown(url)} failed: ${connectionReason(error)}. Try again; what has come is kept.`,
    {
      cause: error,
      details,
    },
  );
}

/** Asks one Hub, for one download. */
export class HubClient {
  readonly endpoint: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly #options: ClientOptions;
  readonly #origin: string;
  readonly #gate = new Gate();

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
      const answer = await this.#ask(url, headers).catch((error: unknown) => {
        this.signal.throwIfAborted();
        return connectionError(url, error, this.timeoutMs);
      });
      if (answer instanceof R1Error) {
        await attempts.failed(answer);
        continue;
      }
      const { response, stop } = answer;
      if (response.ok || response.status === 416) return answer;
      stop();
      await response.body?.cancel().catch(() => undefined);
      const error = refusal(url, response, this.#options.token !== undefined);
      const mayPass = response.status === 429 || response.status === 408 || response.status >= 500;
      if (!mayPass) throw error;
      await attempts.failed(error, retryAfterMs(response.headers.get("retry-after"), Date.now()));
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
        await attempts.failed(connectionError(url, error, this.timeoutMs));
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
