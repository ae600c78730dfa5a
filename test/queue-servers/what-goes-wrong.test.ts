// What goes wrong with a queue: lost shards, rows that end their workers, wrong models and
// verifiers, Ctrl-C, lost locks; on Redis and on PostgreSQL. `npm run test:queue` runs it.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Worker as BullWorker, createPostgresBackend } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAddress } from "../../lib/queue/address.js";
import { jobIdOf } from "../../lib/queue/link.js";
import { postgresOptions, redisOptions } from "../../lib/queue/server.js";
import { collectQueue, fillQueue, removeQueue, runWorker, watchQueue } from "../../lib/queue.js";
import type { QueueState } from "../../lib/queue.js";
import { FakeModel, type FakeCall, type FakeReply } from "../batch/fake-model.js";
import { allKeys, keysOf, readOutput, writeSums } from "../batch/runs.js";
import { withFolder } from "../fixtures/tiny.js";
import { startPostgres, startRedis, type TestServer } from "./servers.js";

type Reply = (call: FakeCall) => FakeReply | Promise<FakeReply>;

const never = (): Promise<FakeReply> => new Promise(() => undefined);

/** Takes the lock of a job away, as a server does that lost it. */
async function loseLock(url: string, queueName: string, jobId: string): Promise<void> {
  if (url.startsWith("redis")) {
    const redis = new Redis(url);
    await redis.del(`r1-native:${queueName}:${jobId}:lock`);
    redis.disconnect();
    return;
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query(
    "UPDATE r1_native.job SET lock_token = 'another' WHERE id = $1 AND lock_token IS NOT NULL",
    [jobId],
  );
  await client.end();
  if (rowCount !== 1) throw new Error(`${rowCount} locks of ${jobId} were found`);
}

describe.each([
  ["Redis", startRedis],
  ["PostgreSQL", startPostgres],
])("on %s", (_, startServer) => {
  let server: TestServer;
  let names = 0;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  /** A queue of its own with rows, and what runs on it. */
  async function withQueue(
    rows: number,
    use: (queue: {
      readonly at: { readonly queue: string; readonly queueName: string };
      readonly path: (name: string) => string;
      readonly work: (shard: string, reply?: Reply, more?: object) => Promise<FakeModel>;
      readonly state: () => Promise<QueueState>;
    }) => Promise<void>,
    batch: object = {},
  ): Promise<void> {
    await withFolder(async (folder) => {
      const path = (name: string): string => join(folder, name);
      const at = { queue: server.url, queueName: `batch-${names++}` };
      const input = path("in.jsonl");
      writeSums(input, rows);
      await fillQueue({ ...at, input, ...batch });
      await use({
        at,
        path,
        work: async (shard, reply = () => "x", more = {}) => {
          const fake = new FakeModel(reply);
          const options = { ...at, shard: path(shard), lockMs: 1000, ...more };
          await runWorker(fake.model, options);
          return fake;
        },
        state: async () => {
          for await (const state of watchQueue(at)) return state;
          throw new Error("no state");
        },
      });
    });
  }

  /** A worker that takes a row and dies over it: its lock is not renewed any more. */
  async function dieOver(queueName: string): Promise<void> {
    const address = parseAddress(server.url);
    const connection = address.kind === "redis" ? redisOptions(address) : postgresOptions(address);
    const options = {
      connection,
      prefix: "r1-native",
      skipLockRenewal: true,
      stalledInterval: 300,
    };
    await new Promise<void>((resolve) => {
      const worker = new BullWorker(
        queueName,
        () => {
          void worker.close(true).then(resolve);
          return never();
        },
        { ...options, lockDuration: 600, maxStalledCount: 10 },
        (address.kind === "redis" ? undefined : createPostgresBackend) as never,
      );
      worker.on("error", () => undefined);
    });
  }

  it("reports rows of a lost shard with their place, and puts them back on request", async () => {
    await withQueue(20, async ({ at, path, work, state }) => {
      const stop = new AbortController();
      const stopping = work("a.jsonl", () => "x", {
        signal: stop.signal,
        onOutcome: () => stop.abort(new Error("enough")),
      });
      await expect(stopping).rejects.toThrow("enough");
      await work("b.jsonl");
      const lost = readOutput(path("a.jsonl")).length;
      expect(lost).toBeGreaterThan(0);
      rmSync(path("a.jsonl"));
      const collect = (target: string, more: object = {}) =>
        collectQueue({ ...at, shards: [path("b.jsonl")], target: path(target), ...more });
      const first = await collect("1.jsonl");
      expect(first).toMatchObject({ records: 20 - lost, left: 0, missing: lost, requeued: 0 });
      expect(first.missingFrom).toMatchObject([{ shard: path("a.jsonl"), rows: lost }]);
      expect(await collect("2.jsonl", { requeue: true })).toMatchObject({ requeued: lost });
      expect(await state()).toMatchObject({ waiting: lost, isDone: false });
      await work("c.jsonl");
      const whole = await collect("3.jsonl", { shards: [path("b.jsonl"), path("c.jsonl")] });
      expect(whole).toMatchObject({ records: 20, left: 0, missing: 0, missingFrom: [] });
      expect(keysOf(readOutput(path("3.jsonl")))).toEqual(allKeys(20));
    });
  });

  it("is removed when it is done, and not before", async () => {
    await withQueue(4, async ({ at, path, work, state }) => {
      await expect(removeQueue(at)).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("4 rows are left") as string,
      });
      await work("a.jsonl");
      expect(await removeQueue(at)).toEqual({ rows: 4 });
      expect(await state()).toMatchObject({ completed: 0, total: undefined, workers: [] });
      expect(await removeQueue(at)).toEqual({ rows: 0 });
      // The name is free for another batch.
      await fillQueue({ ...at, input: path("in.jsonl"), seed: 7 });
      await removeQueue({ ...at, force: true });
    });
  });

  it("gives a row up whose workers die again and again, as an error record", async () => {
    await withQueue(1, async ({ at, path, work, state }) => {
      await dieOver(at.queueName);
      await dieOver(at.queueName);
      await work("a.jsonl", () => "x", { maxLost: 1 });
      expect(await state()).toMatchObject({ failed: 1, isDone: true });
      const collect = (target: string, more: object = {}) =>
        collectQueue({ ...at, shards: [path("a.jsonl")], target: path(target), ...more });
      expect(await collect("all.jsonl")).toMatchObject({ givenUp: 1, failed: 1, records: 0 });
      expect(readOutput(path("all.errors.jsonl"))).toMatchObject([
        { custom_id: "q0", sample: 0, response: null, error: { code: "WORKER_LOST" } },
      ]);
      expect(await collect("b.jsonl", { retryErrors: true })).toMatchObject({ requeued: 1 });
      await work("a.jsonl");
      expect(await collect("c.jsonl")).toMatchObject({ givenUp: 0, failed: 0, records: 1 });
    });
  });

  it("gives its rows back at once when a worker is stopped", async () => {
    await withQueue(6, async ({ work, state }) => {
      const stop = new AbortController();
      let began = 0;
      const working = work(
        "a.jsonl",
        () => {
          if (++began === 2) stop.abort(new Error("stopped"));
          return never();
        },
        { signal: stop.signal, lockMs: 60_000 },
      );
      await expect(working).rejects.toThrow("stopped");
      expect(await state()).toMatchObject({ waiting: 6, active: 0, completed: 0 });
      const other = await work("b.jsonl");
      expect(other.calls).toHaveLength(6);
    });
  });

  it("refuses a worker with another model, naming both", async () => {
    await withQueue(3, async ({ work, at, path }) => {
      await work("a.jsonl");
      const other = new FakeModel(() => "x");
      other.info.description = "another model";
      const working = runWorker(other.model, { ...at, shard: path("b.jsonl") });
      await expect(working).rejects.toMatchObject({
        code: "RUN_MISMATCH",
        message: expect.stringMatching(/computed by fake .* has another model/) as string,
      });
      expect(other.calls).toHaveLength(0);
    });
  });

  it("refuses a worker without the batch's verifier, and one with a verifier of its own", async () => {
    const verify = (): boolean => true;
    await withQueue(1, async ({ work }) => {
      await expect(work("a.jsonl", undefined, { verify })).rejects.toMatchObject({
        code: "RUN_MISMATCH",
        message: expect.stringContaining("has no verifier") as string,
      });
    });
    const checked = { verify: "verify.mjs", untilVerified: 2, maxSamples: 4 };
    await withQueue(
      2,
      async ({ work, at, path }) => {
        await expect(work("a.jsonl")).rejects.toMatchObject({ code: "RUN_MISMATCH" });
        await work("a.jsonl", undefined, { verify });
        const target = path("all.jsonl");
        const whole = await collectQueue({ ...at, shards: [path("a.jsonl")], target });
        expect(whole).toMatchObject({ records: 4, missing: 0 });
      },
      checked,
    );
  });

  it("cancels a generation whose lock is lost", async () => {
    await withQueue(1, async ({ at, path, work }) => {
      const signals: AbortSignal[] = [];
      const fake = await work("a.jsonl", async ({ signal }) => {
        signals.push(signal);
        if (signals.length > 1) return "x";
        await loseLock(server.url, at.queueName, jobIdOf("q0"));
        return never();
      });
      expect(signals[0]?.aborted).toBe(true);
      expect(fake.calls).toHaveLength(2);
      expect(keysOf(readOutput(path("a.jsonl")))).toEqual(["q0#0"]);
    });
  });
});
