// Reaches the server of a queue once, before anything else: is it there, does it let us in, and can
// rows be trusted to it. Runs on the JavaScript thread.
import type * as bullmq from "bullmq";
import { R1Error } from "../base/errors.js";
import { optionalPackage } from "../batch/optional-package.js";
import {
  withoutSecrets,
  type PostgresAddress,
  type QueueAddress,
  type RedisAddress,
} from "./address.js";

/** Longest time of a first connection. Unit: milliseconds. */
const CONNECT_MS = 10_000;

/** BullMQ's module, loaded when a queue is used. */
export type BullMQ = typeof bullmq;

/** @throws {R1Error} `PACKAGE_MISSING` */
export function loadBullMQ(): Promise<BullMQ> {
  return optionalPackage("bullmq", "A queue", () => import("bullmq"));
}

/** A failure of the server or its driver, in words that hold no credentials. */
export function serverFailure(cause: unknown, address: QueueAddress): R1Error {
  const { message, code } = cause as NodeJS.ErrnoException;
  // A refused connection to a name with several addresses has no message of its own.
  const reason = withoutSecrets(message === "" ? String(code) : message, address);
  // The cause is left out: errors of drivers carry the command, and with it the password.
  return new R1Error(
    "QUEUE_UNREACHABLE",
    `The queue at ${address.shown} cannot be used: ${reason}. Check the address, the user and the password, and that the server runs.`,
    { details: { server: address.shown } },
  );
}

/** Options of a connection to Redis, as ioredis takes them. */
export function redisOptions(address: RedisAddress): Record<string, unknown> {
  const { host, port, username, db, isTls } = address;
  // As redis-cli takes it, so that it need not stand on a command line. pg reads PGPASSWORD itself.
  const password = address.password ?? process.env["REDISCLI_AUTH"];
  return {
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: { servername: host } } : {}),
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: null,
  };
}

/** Options of connections to PostgreSQL, as BullMQ and pg take them. */
export function postgresOptions({ url }: PostgresAddress): Record<string, unknown> {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    max: 4,
    keepAlive: true,
    schema: "r1_native",
    migrate: true,
  };
}

/** What a person should know of a server that can be used. */
export interface ServerFacts {
  readonly notices: readonly string[];
}

/**
 * Checks that a server can be used.
 *
 * @throws {R1Error} `QUEUE_UNREACHABLE`; `QUEUE_UNSAFE` for a Redis that evicts keys;
 * `PACKAGE_MISSING`.
 */
export async function checkServer(address: QueueAddress): Promise<ServerFacts> {
  await loadBullMQ();
  return address.kind === "redis" ? checkRedis(address) : checkPostgres(address);
}

async function checkRedis(address: RedisAddress): Promise<ServerFacts> {
  const { Redis } = await optionalPackage("ioredis", "A queue on Redis", () => import("ioredis"));
  const client = new Redis({
    ...redisOptions(address),
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // Without a listener ioredis writes failures to the console. A refused password comes here only.
  let failure: Error | undefined;
  client.on("error", (error: Error) => (failure ??= error));
  let facts: Map<string, string>;
  try {
    await client.connect();
    facts = factsOf(`${await client.info("memory")}\n${await client.info("persistence")}`);
  } catch (error) {
    throw serverFailure(failure ?? error, address);
  } finally {
    client.disconnect();
  }
  const policy = facts.get("maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction")
    throw new R1Error(
      "QUEUE_UNSAFE",
      `The Redis at ${address.shown} drops keys when its memory is full (maxmemory-policy is ${policy}), and rows would be lost. Set it to noeviction, or use another Redis.`,
      { details: { server: address.shown, policy } },
    );
  const isKept = facts.get("aof_enabled") !== "0";
  return {
    notices: isKept
      ? []
      : [
          `The Redis at ${address.shown} keeps no append-only file (appendonly no): when it restarts, rows may be gone from the queue. The command that filled it puts them in again.`,
        ],
  };
}

function factsOf(info: string): Map<string, string> {
  return new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(":");
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
}

async function checkPostgres(address: PostgresAddress): Promise<ServerFacts> {
  const { default: pg } = await optionalPackage("pg", "A queue on PostgreSQL", () => import("pg"));
  const client = new pg.Client({
    connectionString: address.url,
    connectionTimeoutMillis: CONNECT_MS,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
  } catch (error) {
    throw serverFailure(error, address);
  } finally {
    await client.end().catch(() => undefined);
  }
  return { notices: [] };
}
