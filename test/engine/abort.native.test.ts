// Giving up on the real addon: in a long prompt, while decoding, while others run, while loading.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../../lib/model/load-model.js";
import type { Model } from "../../lib/model/model.js";
import { ENDLESS, GREEDY, collect, loadTiny, median, sleep } from "../fixtures/tiny.js";

const RAW = "<｜User｜>What is 1+1?<｜Assistant｜>";
const LONG = `<｜User｜>${"What is 12+34? Tell me about letters. ".repeat(330)}<｜Assistant｜>`;
let model: Model;
let expected: Int32Array;
beforeAll(async () => {
  // Room enough for what runs on and on not to come to its end before it is given up.
  model = await loadTiny({ contextSize: 65_536 });
  const fresh = await loadTiny({ contextSize: 8192 });
  expected = (await fresh.complete(RAW, GREEDY).result()).tokens;
  await fresh.close();
});
afterAll(() => model.close());

/** The next request answers as on a fresh model. */
async function answersAsFresh(): Promise<void> {
  expect((await model.complete(RAW, GREEDY).result()).tokens).toEqual(expected);
}

describe("an abort during a long prompt", () => {
  const LONGER = `<｜User｜>${"What is 12+34? ".repeat(6000)}<｜Assistant｜>`;
  it("ends the native work within 100 ms, and the next request answers exactly as on a fresh model", async () => {
    const waits: number[] = [];
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      const run = model.complete(LONGER, { signal: controller.signal, cachePrompt: false });
      await sleep(2 + i);
      const start = performance.now();
      controller.abort();
      const result = await run.result();
      waits.push(performance.now() - start);
      expect(result.finishReason).toBe("aborted");
      expect(result.tokens).toHaveLength(0);
      if (i % 5 === 0) await answersAsFresh();
    }
    expect(median(waits)).toBeLessThan(100);
    await answersAsFresh();
  });

  it("by break or cancel() does the same", async () => {
    const run = model.complete(LONGER, { cachePrompt: false });
    setTimeout(() => run.cancel(), 10);
    expect((await collect(run)).at(-1)).toMatchObject({ type: "finish", finishReason: "aborted" });
    await answersAsFresh();
  });
});

describe("an abort while decoding", () => {
  it("keeps what there was, and the next request answers as on a fresh model", async () => {
    for (let i = 0; i < 10; i++) {
      const run = model.complete(RAW, { ...GREEDY, ...ENDLESS });
      let text = "";
      for await (const part of run) {
        if ("text" in part) text += part.text;
        if (text.length > 10 * i) break;
      }
      const result = await run.result();
      expect(result.finishReason).toBe("aborted");
      expect(result.text).toContain(text.slice(0, 5));
      await answersAsFresh();
    }
  });

  it("of a request that still waits in the queue ends it without a token", async () => {
    const first = model.complete(RAW, ENDLESS);
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const waiting = model.complete(RAW, ENDLESS);
      const start = performance.now();
      waiting.cancel();
      expect(await waiting.result()).toMatchObject({
        finishReason: "aborted",
        usage: { completionTokens: 0 },
      });
      waits.push(performance.now() - start);
    }
    expect(first.isEnded).toBe(false);
    expect(median(waits)).toBeLessThan(100);
    first.cancel();
    await first.result();
    await answersAsFresh();
  });
});

describe("many at once", () => {
  it("an abort of one leaves the others untouched", async () => {
    const wide = await loadTiny({ sequences: 4, contextSize: 8192 });
    const alone = await Promise.all(
      [0, 1, 2].map((seed) => wide.complete(RAW, { ...GREEDY, seed }).result()),
    );
    const others = alone.map((_, seed) => wide.complete(RAW, { ...GREEDY, seed }));
    const doomed = wide.complete(LONG, ENDLESS);
    await sleep(3);
    doomed.cancel();
    const results = await Promise.all(others.map((run) => run.result()));
    expect((await doomed.result()).finishReason).toBe("aborted");
    expect(results.map((result) => result.answer)).toEqual(alone.map((result) => result.answer));
    await wide.close();
  });

  it("a full queue refuses the next with QUEUE_FULL, and the others run on", async () => {
    const narrow = await loadTiny({ maxQueue: 1, contextSize: 65_536 });
    const first = narrow.complete(RAW, { ...ENDLESS, ...GREEDY });
    await first[Symbol.asyncIterator]().next();
    const second = narrow.complete(RAW, GREEDY);
    await expect(narrow.complete(RAW, GREEDY).result()).rejects.toMatchObject({
      code: "QUEUE_FULL",
    });
    first.cancel();
    expect((await second.result()).answer).toBe("It's 2.");
    await narrow.close();
  });

  it("larger priorities run first, equal ones in order", async () => {
    const order: string[] = [];
    const ask = (name: string, priority: number) =>
      model
        .complete(RAW, { ...GREEDY, maxTokens: 20, priority })
        .result()
        .then(() => order.push(name));
    const blocker = model.complete(RAW, ENDLESS);
    const asked = [ask("low", -1), ask("first", 0), ask("second", 0), ask("high", 5)];
    await sleep(5);
    blocker.cancel();
    await Promise.all(asked);
    expect(order).toEqual(["high", "first", "second", "low"]);
  });
});

describe("an abort of a load", () => {
  it("rejects with signal.reason within 250 ms at any moment, and another load works", async () => {
    const waits: number[] = [];
    for (let delay = 0; delay < 40; delay += 4) {
      const reason = { delay };
      const controller = new AbortController();
      const loading = loadModel({ threads: 1, signal: controller.signal });
      let aborted = 0;
      setTimeout(() => {
        aborted = performance.now();
        controller.abort(reason);
      }, delay);
      try {
        // It may have been faster than the abort.
        await (await loading).close();
      } catch (error) {
        expect(error).toBe(reason);
        waits.push(performance.now() - aborted);
      }
    }
    if (waits.length > 0) expect(median(waits)).toBeLessThan(250);
    await answersAsFresh();
  });
});
