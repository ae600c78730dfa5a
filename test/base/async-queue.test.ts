// AsyncQueue, waitOrAbort and progressReporter: the small parts that streams and loads stand on.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { waitOrAbort } from "../../lib/base/abort.js";
import { AsyncQueue } from "../../lib/base/async-queue.js";
import { progressReporter } from "../../lib/base/progress.js";

describe("AsyncQueue", () => {
  it("hands out every item once, in order, whatever the order of reads and writes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (steps) => {
        const queue = new AsyncQueue<number>();
        const reads: Promise<IteratorResult<number, undefined>>[] = [];
        let written = 0;
        for (const isWrite of steps) {
          if (isWrite) queue.push(written++);
          else reads.push(queue.next());
        }
        queue.end();
        while (reads.length < steps.length + 1) reads.push(queue.next());
        const got = await Promise.all(reads);
        expect(got.filter((read) => !read.done).map((read) => read.value)).toEqual(
          Array.from({ length: written }, (_, i) => i),
        );
        expect(got.at(-1)?.done).toBe(true);
      }),
    );
  });

  it("folds only into items that nobody has read", async () => {
    const queue = new AsyncQueue<{ sum: number }>((last, next) => {
      last.sum += next.sum;
      return true;
    });
    queue.push({ sum: 1 });
    queue.push({ sum: 2 });
    const read = await queue.next();
    queue.push({ sum: 4 });
    expect(read.value).toEqual({ sum: 3 });
    expect((await queue.next()).value).toEqual({ sum: 4 });
  });

  it("lets a waiting reader sleep until what is staged is told, folded into one", async () => {
    const queue = new AsyncQueue<{ sum: number }>((last, next) => {
      last.sum += next.sum;
      return true;
    });
    const read = queue.next();
    let isAwake = false;
    void read.then(() => (isAwake = true));
    queue.stage({ sum: 1 });
    queue.stage({ sum: 2 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAwake).toBe(false);
    queue.wake();
    expect((await read).value).toEqual({ sum: 3 });
    queue.wake();
    expect(queue.size).toBe(0);
  });

  it("hands a waiting reader what is staged when the end comes, and then the end", async () => {
    const queue = new AsyncQueue<number>();
    const read = queue.next();
    queue.stage(1);
    queue.stage(2);
    queue.end();
    expect(await read).toEqual({ value: 1, done: false });
    expect(await queue.next()).toEqual({ value: 2, done: false });
    expect((await queue.next()).done).toBe(true);
  });

  it("fails once, dropping what waited, and is at its end afterwards", async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    queue.fail("broken");
    await expect(queue.next()).rejects.toBe("broken");
    expect((await queue.next()).done).toBe(true);
  });

  it("fails a read that waits, and ends the reads behind it", async () => {
    const queue = new AsyncQueue<number>();
    const [first, second] = [queue.next(), queue.next()];
    queue.fail("broken");
    await expect(first).rejects.toBe("broken");
    expect((await second).done).toBe(true);
  });
});

describe("waitOrAbort", () => {
  const never = (): undefined => undefined;

  it("throws signal.reason untouched within 250 ms, although the work never ends", async () => {
    const controller = new AbortController();
    const reason = { mine: true };
    let stops = 0;
    let aborted = 0;
    setTimeout(() => {
      aborted = performance.now();
      controller.abort(reason);
    }, 5);
    await expect(
      waitOrAbort(new Promise(never), controller.signal, () => stops++, never),
    ).rejects.toBe(reason);
    // A timer of 250 ms at the most, and a machine that may be slow.
    expect(performance.now() - aborted).toBeLessThan(2500);
    expect(stops).toBe(1);
  });

  it("hands a result that comes too late to discard", async () => {
    const controller = new AbortController();
    const late: string[] = [];
    const work = new Promise<string>((resolve) => setTimeout(() => resolve("weights"), 20));
    controller.abort("no");
    await expect(
      waitOrAbort(work, controller.signal, never, (value) => late.push(value)),
    ).rejects.toBe("no");
    expect(late).toEqual(["weights"]);
  });

  it("throws the work's own error when nothing was aborted", async () => {
    await expect(
      waitOrAbort(Promise.reject(new Error("own")), new AbortController().signal, never, never),
    ).rejects.toThrow("own");
  });

  it("prefers the reason to what the work says about being stopped", async () => {
    const controller = new AbortController();
    let stop: (error: Error) => void = never;
    const work = new Promise<never>((_, reject) => (stop = reject));
    setTimeout(() => controller.abort("mine"), 1);
    await expect(
      waitOrAbort(work, controller.signal, () => stop(new Error("ABORTED")), never),
    ).rejects.toBe("mine");
  });
});

describe("progressReporter", () => {
  const fail = (error: unknown): void => expect.fail(String(error));

  it("never goes down, keeps within 0..1, and reports 1 once", () => {
    const seen: number[] = [];
    const report = progressReporter((value) => seen.push(value), fail);
    for (const value of [-1, 0.2, 0.1, 0.3, 2, 1]) report(value);
    expect(seen).toEqual([0, 1]);
  });

  it("comes at most once a frame", () => {
    let calls = 0;
    const report = progressReporter(() => calls++, fail);
    const start = performance.now();
    for (let i = 0; i < 1_000_000 && performance.now() - start < 100; i++) report(i / 1_000_000);
    expect(calls).toBeLessThanOrEqual(1 + (performance.now() - start) / 16);
  });

  it("passes on what the callback throws, and calls it no more", () => {
    const errors: unknown[] = [];
    let calls = 0;
    const report = progressReporter(
      () => {
        calls++;
        throw new Error("mine");
      },
      (error) => errors.push(error),
    );
    report(0);
    report(1);
    expect(calls).toBe(1);
    expect(errors).toHaveLength(1);
  });
});
