// Claims about the bounded worker: no task holds or ends this process, whatever it does. Starts
// child processes; needs dist/.
import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { BoundedWorker, WorkerLimitError } from "../../lib/base/bounded-worker.js";
import type { BoundedWorkerOptions } from "../../lib/base/bounded-worker.js";

const module = new URL("../fixtures/bounded-task-child.mjs", import.meta.url);
const made: BoundedWorker<unknown, unknown>[] = [];
function worker(options: Partial<BoundedWorkerOptions> = {}): BoundedWorker<unknown, unknown> {
  const one = new BoundedWorker<unknown, unknown>({
    name: "The test",
    module,
    timeoutMs: 20_000,
    heapMiB: 48,
    ...options,
  });
  made.push(one);
  return one;
}
afterEach(() => made.splice(0).forEach((one) => one.release()));

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a bounded worker", () => {
  it("answers, many at once and in their order, from one process when asked for one", async () => {
    const one = worker({ processes: 1 });
    const order: number[] = [];
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const answer = await one.run(i);
        order.push(i);
        return answer;
      }),
    );
    expect(answers).toEqual(Array.from({ length: 40 }, (_, i) => ({ echo: i })));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(await one.run("pid")).toBe(await one.run("pid"));
  });

  it.each(["loop", "regex"])("ends %s at its time, and goes on with the next", async (task) => {
    const one = worker({ timeoutMs: 300 });
    const failure = await one.run(task).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkerLimitError);
    expect((failure as WorkerLimitError).limit).toBe("time");
    expect(await worker().run("after")).toEqual({ echo: "after" });
  });

  it.each(["many-objects", "large-string", "large-array"])(
    "survives %s beyond its memory",
    async (task) => {
      const one = worker();
      const failure = await one.run(task).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(WorkerLimitError);
      expect((failure as WorkerLimitError).limit).toBe("memory");
      expect(await one.run("after")).toEqual({ echo: "after" });
    },
  );

  it("passes errors on: typed ones as they are, others and deaths as INTERNAL", async () => {
    const one = worker();
    await expect(one.run("typed")).rejects.toMatchObject({
      code: "SCHEMA_UNSUPPORTED",
      details: { path: "a" },
    });
    await expect(one.run("plain")).rejects.toMatchObject({ code: "INTERNAL", message: "plain" });
    await expect(one.run("exit")).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await one.run("after")).toEqual({ echo: "after" });
  });

  it("refuses what cannot be started, and what is too much to wait", async () => {
    const missing = worker({ module: new URL("./is-not-there.mjs", import.meta.url) });
    await expect(missing.run(1)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    const short = worker({ processes: 1, maxQueue: 2, timeoutMs: 1000 });
    const held = [short.run("loop"), short.run(1), short.run(2)];
    await expect(short.run(3)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect(await Promise.allSettled(held)).toMatchObject([
      { status: "rejected" },
      { status: "fulfilled" },
      { status: "fulfilled" },
    ]);
  });

  it("ends a task by its signal, waiting or running, at once", async () => {
    const one = worker({ processes: 1 });
    const [running, waiting] = [new AbortController(), new AbortController()];
    const tasks = [one.run("loop", running.signal), one.run(1, waiting.signal), one.run(2)];
    waiting.abort();
    running.abort();
    expect(await Promise.allSettled(tasks)).toMatchObject([
      { status: "rejected", reason: { code: "ABORTED" } },
      { status: "rejected", reason: { code: "ABORTED" } },
      { status: "fulfilled", value: { echo: 2 } },
    ]);
    await expect(one.run(1, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("leaves no process behind when its parent ends, killed in the middle too", async () => {
    const library = new URL("../../dist/base/bounded-worker.js", import.meta.url).href;
    const script = (end: string): string => `
      const { BoundedWorker } = await import(${JSON.stringify(library)});
      const one = new BoundedWorker({ name: "T", module: new URL(${JSON.stringify(module.href)}), timeoutMs: 500, heapMiB: 48, processes: 1 });
      console.log(await one.run("pid"));
      ${end}`;
    for (const end of [
      "",
      'one.run("loop").catch(() => 0); setTimeout(() => process.exit(0), 50);',
      'one.run("loop").catch(() => 0); setTimeout(() => process.kill(process.pid, "SIGKILL"), 50);',
    ]) {
      const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script(end)], {
        encoding: "utf8",
        timeout: 60_000,
      });
      const pid = Number(stdout.trim());
      expect(pid).toBeGreaterThan(0);
      for (let i = 0; i < 300 && isRunning(pid); i++)
        await new Promise((done) => setTimeout(done, 100));
      expect(isRunning(pid), end).toBe(false);
    }
  });
});
