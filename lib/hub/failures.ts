// How requests to a server fail, as errors and in words. The messages contain no secrets: no query
// of an address, no token, no password.
import { R1Error } from "../base/errors.js";

/** The error of a request whose server sent nothing for too long. */
export class Silence extends Error {}

/**
 * Formats an address for people: without user, password and query, which may give access to a
 * private file.
 */
export function shown(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1").replace(/[?#].*$/s, "");
}

/** Returns the host of an address, for people. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : shown(url);
}

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name server does not answer",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network is unreachable",
  ETIMEDOUT: "no answer",
  UND_ERR_CONNECT_TIMEOUT: "no answer",
};

/** Codes of failures before any answer that waiting does not fix. */
const HOPELESS: readonly string[] = ["ENOTFOUND", "ECONNREFUSED"];

function causeOf(error: unknown): unknown {
  return (error as { cause?: unknown } | null)?.cause ?? error;
}

function codeOf(error: unknown): string {
  const { code } = (causeOf(error) ?? {}) as NodeJS.ErrnoException;
  return typeof code === "string" ? code : "";
}

/** Whether no server is there to answer; such requests are retried fewer times. */
export function isNobodyThere(error: unknown): boolean {
  return HOPELESS.includes(codeOf(error));
}

/** Whether the request itself can never be sent, even with retries. */
export function isUnsendable(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof Error && /^bad port$|invalid url|credentials|header/i.test(cause.message);
}

/**
 * Describes in a few words why a `fetch` failed. The platform's messages about an invalid header or
 * an address with a password repeat the secret, so they are left out.
 */
export function connectionReason(error: unknown): string {
  const cause = causeOf(error);
  const code = codeOf(error);
  const words = WORDS[code];
  if (words !== undefined) return words;
  if (!(cause instanceof Error)) return String(cause);
  if (/header/i.test(cause.message)) return "a header holds characters that cannot be sent";
  if (/credentials/i.test(cause.message)) return "the address holds a user or password";
  return shown(cause.message) || code || cause.name;
}

/** Converts a failed connection to an error. */
export function connectionError(url: string, error: unknown, timeoutMs: number): R1Error {
  const what =
    error instanceof Silence
      ? `${shown(url)} was silent for ${timeoutMs / 1000} seconds`
      : `The connection to ${shown(url)} failed: ${connectionReason(error)}`;
  const advice = isUnsendable(error)
    ? "Check the address."
    : isNobodyThere(error)
      ? "Check the address, the network, and HTTPS_PROXY if a proxy leads out of it."
      : "Try again; what has come is kept.";
  return new R1Error("NETWORK_FAILED", `${what}. ${advice}`, {
    cause: error,
    details: { path: shown(url) },
  });
}

/** Returns the text of a server's refusal, safe for a terminal. */
function serverWords(response: Response, token: string | undefined): string {
  const words = (response.headers.get("x-error-message") ?? "")
    .replace(/[^\x20-\x7e]/g, " ")
    .slice(0, 200)
    .replaceAll(token ?? "\0", "***")
    .trim();
  return words === "" ? "" : ` The server says: ${words.replace(/[.\s]+$/, "")}.`;
}

/** Converts a refusal to an error. */
export function refusalError(url: string, response: Response, token: string | undefined): R1Error {
  const { status } = response;
  const details = {
    path: shown(url),
    status,
    retryAfter: response.headers.get("retry-after") ?? undefined,
  };
  const says = serverWords(response, token);
  if (status === 401 || status === 403) {
    const what =
      token !== undefined
        ? "The token may not read it; if the repository is gated, accept its terms on its page first"
        : "There is no such repository, or it is private or gated: then set HF_TOKEN to a token " +
          "that may (or give it as the option `token`)";
    const message = `${shown(url)} may not be read (HTTP ${status}).${says} ${what}.`;
    return new R1Error("FILE_UNREADABLE", message, { details });
  }
  if (status === 404 || status === 410)
    return new R1Error(
      "FILE_NOT_FOUND",
      `There is nothing at ${shown(url)} (HTTP ${status}).${says} Check the names of repository and revision.`,
      { details },
    );
  if (status === 407)
    return new R1Error(
      "NETWORK_FAILED",
      `The proxy wants a user and password before it asks ${shown(url)} (HTTP 407). ` +
        "Write them into its address: http://user:password@proxy:8080.",
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
