// Starts a Redis and a PostgreSQL of their own on free ports, with temporary data, and stops them.
// Runs in the test process.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";
import { freePort } from "../../scripts/free-port.mjs";

/** A server that runs. */
export interface TestServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Waits until a server answers. */
async function answered(ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ask();
      return;
    } catch (error) {
      if (tries > 300) throw error;
      await sleep(200);
    }
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGINT");
  await once(child, "exit");
}

/** @param flags - Further settings of redis-server. */
export async function startRedis(flags: readonly string[] = []): Promise<TestServer> {
  const [port, folder] = [await freePort(), mkdtempSync("/tmp/r1-redis-")];
  const own = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  const child = spawn("redis-server", [...own, "--appendonly", "yes", "--save", "", ...flags], {
    stdio: "ignore",
  });
  await once(child, "spawn");
  await answered(async () => {
    const client = new Redis({
      port,
      host: "127.0.0.1",
      lazyConnect: true,
      retryStrategy: () => null,
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
    } finally {
      client.disconnect();
    }
  });
  return {
    url: `redis://127.0.0.1:${port}/0`,
    stop: async () => {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The folder of PostgreSQL's programs, which Debian keeps out of the PATH. */
function postgresPrograms(): string {
  const root = "/usr/lib/postgresql";
  const [version] = existsSync(root) ? readdirSync(root).sort().reverse() : [];
  if (version === undefined) throw new Error("PostgreSQL is missing: apt-get install postgresql");
  return join(root, version, "bin");
}

/** PostgreSQL refuses to run as root: then it is started as the user that Debian made for it. */
function asPostgres(program: string, args: readonly string[]): [string, string[]] {
  if (process.getuid?.() !== 0) return [program, [...args]];
  const user = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"];
  return ["setpriv", [...user, program, ...args]];
}

export async function startPostgres(): Promise<TestServer> {
  const [port, folder, bin] = [await freePort(), mkdtempSync("/tmp/r1-pg-"), postgresPrograms()];
  if (process.getuid?.() === 0) {
    const id = (flag: string): number =>
      Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
    chownSync(folder, id("-u"), id("-g"));
  }
  const data = join(folder, "data");
  const run = (program: string, args: readonly string[]): [string, string[]] =>
    asPostgres(join(bin, program), args);
  execFileSync(...run("initdb", ["-D", data, "-U", "r1", "-A", "trust", "-N"]), {
    stdio: "ignore",
    cwd: folder,
  });
  const place = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder];
  const child = spawn(...run("postgres", place), { stdio: "ignore", cwd: folder });
  await once(child, "spawn");
  const url = `postgres://r1@127.0.0.1:${port}/postgres`;
  await answered(async () => {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    await client.connect();
    await client.end();
  });
  return {
    url,
    stop: async () => {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
