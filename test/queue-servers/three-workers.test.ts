// Three workers of different speed on one queue, one killed and one stopped: on Redis and on
// PostgreSQL every id stands in the merged output once. Its own command: `npm run test:queue`.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allKeys, keysOf, readOutput, writeSums } from "../batch/runs.js";
import { run, start, tinyModel } from "../cli/program.js";
import { withFolder } from "../fixtures/tiny.js";
import { startPostgres, startRedis, type TestServer } from "./servers.js";

const ROWS = 600;
/** How long the stopped worker stands still: longer than its lock holds. Unit: seconds. */
const STOPPED_S = Number(process.env["R1_QUEUE_STOP_S"] ?? 15);
const LOCK_S = Math.max(2, Math.floor(STOPPED_S / 3));

const workerArgs = (queue: string, shard: string, sequences: number): string[] => [
  ...["worker", "--queue", queue, "-o", shard, "--lock", String(LOCK_S), "--json-progress"],
  ...["-m", tinyModel, "-t", "1", "-np", String(sequences), "-c", "4096"],
];

describe.each([
  ["Redis", startRedis],
  ["PostgreSQL", startPostgres],
])("on %s", (_, startServer) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it("has every id once after a SIGKILL and a SIGSTOP of workers", async () => {
    await withFolder(async (folder) => {
      const input = join(folder, "in.jsonl");
      writeSums(input, ROWS);
      const fill = ["batch", input, "--queue", server.url, "-n", "160", "--ignore-eos"];
      const filled = await run(fill);
      expect(filled.code, filled.stderr).toBe(0);
      expect(filled.stderr).toContain(`${ROWS} rows are in the queue, ${ROWS} of them new`);
      // A second time nothing is new.
      expect((await run(fill)).stderr).toContain(" 0 of them new");
      const shards = ["a", "b", "c"].map((name) => join(folder, `${name}.jsonl`));
      const [fast = "", killed = "", stopped = ""] = shards;
      // The fast one comes last, so that it cannot be done before the others begin.
      const dying = start(workerArgs(server.url, killed, 2));
      const pausing = start(workerArgs(server.url, stopped, 1));
      const whileItWorks = async (
        { child, stderr }: typeof dying,
        signal: NodeJS.Signals,
      ): Promise<unknown> => stderr.until(/"running":[1-9]/).then(() => child.kill(signal));
      await Promise.all([whileItWorks(dying, "SIGKILL"), whileItWorks(pausing, "SIGSTOP")]);
      const pulling = start(workerArgs(server.url, fast, 8));
      await sleep(STOPPED_S * 1000);
      pausing.child.kill("SIGCONT");
      const [first, last] = await Promise.all([pulling.ended, pausing.ended]);
      expect(first.code, first.stderr).toBe(0);
      expect(last.code, last.stderr).toBe(0);
      const merged = join(folder, "all.jsonl");
      const merge = await run(["batch", "merge", ...shards, merged]);
      expect(merge.code, merge.stderr).toBe(0);
      expect(keysOf(readOutput(merged))).toEqual(allKeys(ROWS));
      // Pulling gives the fast one the most.
      expect(readOutput(fast).length).toBeGreaterThan(ROWS / 2);
    });
  });

  it("gives the rows of a worker back on Ctrl-C, and ends with 130", async () => {
    await withFolder(async (folder) => {
      const input = join(folder, "in.jsonl");
      writeSums(input, ROWS);
      const at = ["--queue", server.url, "--queue-name", "stopped"];
      const fill = ["batch", input, ...at, "-n", "400", "--ignore-eos"];
      expect((await run(fill)).code).toBe(0);
      const shard = join(folder, "a.jsonl");
      const worker = start([...workerArgs(server.url, shard, 4), "--queue-name", "stopped"]);
      await worker.stderr.until(/"running":[1-9]/);
      worker.child.kill("SIGINT");
      const { code, stderr } = await worker.ended;
      expect(code, stderr).toBe(130);
      expect(stderr).toContain("are back in the queue");
      const all = join(folder, "all.jsonl");
      const collected = await run(["batch", "collect", shard, all, ...at]);
      expect(collected.code, collected.stderr).toBe(1);
      const left = ROWS - readOutput(shard).length;
      expect(collected.stderr).toContain(`${left} of ${ROWS} rows are not done yet`);
      const busy = await run(["batch", "remove-queue", ...at]);
      expect(busy.code).toBe(2);
      expect(busy.stderr).toContain(`${left} rows are left`);
      expect((await run(["batch", "remove-queue", ...at, "--force"])).stderr).toContain("removed");
    });
  });

  it("refuses a batch with other options, and shows no password", async () => {
    await withFolder(async (folder) => {
      const input = join(folder, "in.jsonl");
      writeSums(input, 3);
      const fill = ["batch", input, "--queue", server.url, "--queue-name", "other"];
      expect((await run(fill)).code).toBe(0);
      const again = await run([...fill, "--seed", "7"]);
      expect(again.code).toBe(2);
      expect(again.stderr).toContain("seed is 0 there and 7 here");
      const wrong = server.url
        .replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1")
        .replace("//", "//me:hidden@");
      const refused = await run(["batch", input, "--queue", wrong.replace("@r1@", "@")]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("QUEUE_UNREACHABLE");
      expect(refused.stderr).not.toContain("hidden");
    });
  });
});

it("refuses a Redis that evicts keys", async () => {
  const server = await startRedis(["--maxmemory-policy", "allkeys-lru"]);
  try {
    await withFolder(async (folder) => {
      const input = join(folder, "in.jsonl");
      writeSums(input, 3);
      const refused = await run(["batch", input, "--queue", server.url]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("QUEUE_UNSAFE");
      expect(refused.stderr).toContain("allkeys-lru");
    });
  } finally {
    await server.stop();
  }
});
