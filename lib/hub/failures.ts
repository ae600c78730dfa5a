// How requests to a server fail, as errors and in words. No word of them holds a secret: no query
// of an address, no token, no password.
import { R1Error } from "../base/errors.js";

/** The end of a request whose server was silent for too long. */
export class Silence extends Error {}

/** An address for people: without user, password and query, which may open a private file. */
export function shown(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1").replace(/[?#].*$/s, "");
}

/** The host of an address, for people. */
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

/** Codes of failures that come before any answer and that waiting does not mend. */
const HOPELESS: readonly string[] = ["ENOTFOUND", "ECONNREFUSED"];

function causeOf(error: unknown): unknown {
  return (error as { cause?: unknown } | null)?.cause ?? error;
}

function codeOf(error: unknown): string {
  const { code } = (causeOf(error) ?? {}) as NodeJS.ErrnoException;
  return typeof code === "string" ? code : "";
}

/** Whether nobody is there to answer: fewer tries are made then. */
export function isNobodyThere(error: unknown): boolean {
  return HOPELESS.includes(codeOf(error));
}

/** Whether the request itself cannot be sent, however often it is tried. */
export function isUnsendable(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof Error && /^bad port$|invalid url|credentials|header/i.test(cause.message);
}

/**
 * Why a `fetch` failed, in a few words. What the platform says of a header that cannot be sent, or
 * of an address with a password, repeats it; that is left out.
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

/** A failed connection as an error. */
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

/** The words that a server gives with a refusal, fit for a terminal. */
function serverWords(response: Response, token: string | undefined): string {
  const words = (response.headers.get("x-error-message") ?? "")
    .replace(/[^\x20-\x7e]/g, " ")
    .slice(0, 200)
    .replaceAll(token ?? "\0", "***")
    .trim();
  return words === "" ? "" : ` The server says: ${words.replace(/[.\s]+$/, "")}.`;
}

/** A refusal as an error. */
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
