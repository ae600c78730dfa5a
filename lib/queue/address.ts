// The address of a queue's server: read from a URL once, and shown without its credentials
// everywhere after that. Pure; any JavaScript thread.
import { refuse } from "../base/check.js";

/** Where a queue's Redis is. */
export interface RedisAddress {
  readonly kind: "redis";
  /** For messages: without user, password and parameters. */
  readonly shown: string;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly isTls: boolean;
}

/** Where a queue's PostgreSQL is. */
export interface PostgresAddress {
  readonly kind: "postgres";
  /** For messages: without user, password and parameters. */
  readonly shown: string;
  /** As it was given; never shown. */
  readonly url: string;
}

export type QueueAddress = RedisAddress | PostgresAddress;

const EXPECTED =
  "a URL such as redis://HOST:6379/0, rediss://HOST or postgres://USER@HOST:5432/DATABASE";

/** The value of an option is never shown here, since it may hold a password. */
const wrong = (): never => refuse("queue", EXPECTED, "(not shown, since it may hold a password)");

function decoded(text: string): string | undefined {
  if (text === "") return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return wrong();
  }
}

/**
 * Reads the URL of a queue.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, whose message does not hold the URL.
 */
export function parseAddress(value: unknown): QueueAddress {
  const text = value instanceof URL ? value.href : value;
  if (typeof text !== "string" || !URL.canParse(text)) return wrong();
  const url = new URL(text);
  const { protocol, hostname, port, pathname } = url;
  const place = `${hostname}${port === "" ? "" : `:${port}`}${pathname === "/" ? "" : pathname}`;
  const shown = `${protocol}//${place}`;
  if (protocol === "postgres:" || protocol === "postgresql:")
    return { kind: "postgres", shown, url: text };
  if (protocol !== "redis:" && protocol !== "rediss:") return wrong();
  const db = pathname === "" || pathname === "/" ? 0 : Number(pathname.slice(1));
  if (hostname === "" || !Number.isInteger(db) || db < 0) return wrong();
  return {
    kind: "redis",
    shown,
    // An IPv6 address stands in brackets in a URL only.
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? 6379 : Number(port),
    username: decoded(url.username),
    password: decoded(url.password),
    db,
    isTls: protocol === "rediss:",
  };
}

/**
 * A message of a driver without the secrets of an address.
 *
 * @param text - May hold the URL or the password, as some errors of drivers do.
 */
export function withoutSecrets(text: string, address: QueueAddress): string {
  const secrets =
    address.kind === "redis"
      ? [address.password]
      : [address.url, decoded(new URL(address.url).password), new URL(address.url).password];
  let shown = text;
  for (const secret of secrets)
    if (secret !== undefined && secret !== "") shown = shown.replaceAll(secret, "***");
  return shown.replace(/(\w+:\/\/)[^\s/@]*@/g, "$1***@");
}
