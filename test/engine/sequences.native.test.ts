// Many generations over one engine, as its user sees them: sequences, queue, a full cache, shared
// prompts, statistics.
import { describe, expect, it } from "vitest";
import type { Model } from "../../lib/model/model.js";
import type { ChatMessage } from "../../lib/base/types.js";
import { ENDLESS, GREEDY, loadTiny, sleep } from "../fixtures/tiny.js";

const LAYOUTS = [
  ["in one pool", true],
  ["with a share each", false],
] as const;

async function started(model: Model, running: number): Promise<void> {
  while (model.stats().running < running) await sleep(2);
}

describe("sequences", () => {
  it.each([1, 65, 256])("%d of them decode as many generations side by side", async (sequences) => {
    // Room for all of them, however late the test looks.
    const contextSize = 131_072;
    const model = await loadTiny({ sequences, contextSize, kvUnified: true });
    expect(model.info).toMatchObject({ sequences, contextSize, sequenceContextSize: contextSize });
    const runs = Array.from({ length: sequences }, (_, i) =>
      model.complete(`${i}`, { ...ENDLESS, seed: i }),
    );
    await started(model, sequences);
    expect(model.stats()).toMatchObject({ running: sequences, waiting: 0 });
    for (const run of runs) run.cancel();
    for (const run of runs) expect((await run.result()).finishReason).toBe("aborted");
    await model.close();
  });

  it("have a share of the context each unless they share one pool, and the facts tell it", async () => {
    const model = await loadTiny({ sequences: 4, contextSize: 2048, kvUnified: false });
    expect(model.info).toMatchObject({ contextSize: 2048, sequenceContextSize: 512 });
    await expect(model.complete(new Int32Array(600).fill(9)).result()).rejects.toMatchObject({
      code: "PROMPT_TOO_LONG",
    });
    await model.close();
  });
});

describe("the queue", () => {
  it.each([0, 1])(
    "with maxQueue %d refuses one request more with QUEUE_FULL, and takes one again when one has ended",
    async (maxQueue) => {
      const model = await loadTiny({ maxQueue, sequences: 2, contextSize: 65_536 });
      const runs = Array.from({ length: 2 + maxQueue }, (_, i) =>
        model.complete("x", { ...ENDLESS, seed: i }),
      );
      await expect(model.complete("y").result()).rejects.toMatchObject({ code: "QUEUE_FULL" });
      runs.at(-1)?.cancel();
      await runs.at(-1)?.result();
      const next = model.complete("y", { maxTokens: 3 });
      for (const run of runs) run.cancel();
      expect((await next.result()).tokens).toHaveLength(3);
      expect(model.stats().requests).toBe(2 + maxQueue + 1);
      await model.close();
    },
  );

  it("ends a request whose time is up with timeout while it waits, and what runs goes on", async () => {
    const model = await loadTiny({ contextSize: 65_536 });
    const first = model.complete("x", ENDLESS);
    await started(model, 1);
    const result = await model.complete("y", { timeoutMs: 20 }).result();
    expect(result).toMatchObject({ finishReason: "timeout", usage: { completionTokens: 0 } });
    expect(first.isEnded).toBe(false);
    await model.close();
  });
});

describe("a full cache", () => {
  it.each(LAYOUTS)(
    "ends the only generation with length when the last cell is used, %s",
    async (_, kvUnified) => {
      const model = await loadTiny({ sequences: 2, contextSize: 512, kvUnified });
      const { usage, finishReason } = await model.complete("x", ENDLESS).result();
      expect(finishReason).toBe("length");
      // The last token needs no cell of its own.
      expect(usage.promptTokens + usage.completionTokens).toBe(model.info.sequenceContextSize + 1);
      expect(
        (await model.complete("y", { ...ENDLESS, maxTokens: 20 }).result()).tokens,
      ).toHaveLength(20);
      await model.close();
    },
  );

  it("of one pool makes the youngest wait: eight generations that need three times the room all end whole", async () => {
    const model = await loadTiny({ sequences: 8, contextSize: 512, kvUnified: true });
    const runs = Array.from({ length: 8 }, (_, i) =>
      model.complete(`${i}`, { ...ENDLESS, seed: i, maxTokens: 200 }),
    );
    for (const run of runs)
      expect(await run.result()).toMatchObject({
        finishReason: "length",
        usage: { completionTokens: 200 },
      });
    expect(model.stats()).toMatchObject({ running: 0, waiting: 0 });
    await model.close();
  });

  it("takes in one after the other prompts of which no two have room", async () => {
    const model = await loadTiny({ sequences: 8, contextSize: 512, kvUnified: true });
    const runs = Array.from({ length: 8 }, (_, i) =>
      model.complete(
        Int32Array.from({ length: 450 }, (__, at) => 20 + ((i * 37 + at) % 300)),
        { ...ENDLESS, seed: i, maxTokens: 10 },
      ),
    );
    for (const run of runs)
      expect(await run.result()).toMatchObject({
        finishReason: "length",
        usage: { completionTokens: 10 },
      });
    await model.close();
  });
});

describe("a shared system prompt", () => {
  const system = {
    role: "system",
    content:
      "You are a careful teacher who explains each small sum in short and plain words. ".repeat(8),
  } as const;
  const asked = (i: number): ChatMessage[] => [
    system,
    { role: "user", content: `What is ${i}+${i * 3}?` },
  ];

  it.each(LAYOUTS)(
    "is computed once for 16 requests that come at once, and usage.cachedTokens tells it, %s",
    async (_, kvUnified) => {
      const model = await loadTiny({ sequences: 16, contextSize: 16 * 1024, kvUnified });
      const results = await Promise.all(
        Array.from({ length: 16 }, (__, i) =>
          model.chat(asked(i), { ...GREEDY, maxTokens: 5 }).result(),
        ),
      );
      const { tokens } = model.formatChat([system]);
      const cached = results.map(({ usage }) => usage.cachedTokens).sort((a, b) => a - b);
      expect(cached[0]).toBe(0);
      // The system prompt ends in a token that merges with nothing, or in one that does: all but
      // the last of it is certain.
      expect(cached[1]).toBeGreaterThanOrEqual(tokens.length - 2);
      const stats = model.stats();
      expect(stats.cachedTokens).toBe(cached.reduce((sum, one) => sum + one));
      expect(stats.promptTokens).toBe(
        results.reduce((sum, { usage }) => sum + usage.promptTokens - usage.cachedTokens, 0),
      );
      await model.close();
    },
  );

  it("changes no greedy answer: with the cache and without it the ids are the same", async () => {
    const [keeping, forgetting] = await Promise.all([
      loadTiny({ sequences: 4 }),
      loadTiny({ sequences: 4, prefixCache: false }),
    ]);
    for (let i = 0; i < 10; i++) {
      const options = { ...GREEDY, maxTokens: 40 };
      const kept = await keeping.chat(asked(i), options).result();
      const fresh = await forgetting.chat(asked(i), options).result();
      expect(kept.tokens).toEqual(fresh.tokens);
      expect(kept.usage.cachedTokens > 0).toBe(i > 0);
      expect(fresh.usage.cachedTokens).toBe(0);
    }
    await Promise.all([keeping.close(), forgetting.close()]);
  });

  it("that was used last stays longest when room is needed", async () => {
    const model = await loadTiny({ sequences: 2, contextSize: 4096 });
    const cachedOf = async (content: string): Promise<number> =>
      (
        await model
          .chat([{ role: "system", content: content.repeat(40) }], { ...GREEDY, maxTokens: 2 })
          .result()
      ).usage.cachedTokens;
    await cachedOf("old ");
    await cachedOf("young ");
    await cachedOf("old ");
    // The third takes the sequence of "young", which was used before "old" was used again.
    await cachedOf("third ");
    expect(await cachedOf("old ")).toBeGreaterThan(30);
    expect(await cachedOf("young ")).toBeLessThan(30);
    await model.close();
  });
});

describe("model.stats()", () => {
  it("tells what runs, what waits, the cells, the rate and the counts", async () => {
    const model = await loadTiny({ sequences: 2, contextSize: 65_536 });
    const nothing = {
      running: 0,
      waiting: 0,
      cellsUsed: 0,
      cellsTotal: 65_536,
      tokensPerSecond: 0,
      requests: 0,
      steps: 0,
      promptTokens: 0,
      preparing: 0,
    };
    expect(model.stats()).toEqual({
      ...nothing,
      cachedTokens: 0,
      completionTokens: 0,
      draftedTokens: 0,
      acceptedTokens: 0,
    });
    const prompts = ["one", "two", "three"];
    const runs = prompts.map((prompt) => model.complete(prompt, ENDLESS));
    await started(model, 2);
    expect(model.stats()).toMatchObject({ running: 2, waiting: 1, requests: 3 });
    while (model.stats().cellsUsed < 40) await sleep(2);
    expect(model.stats().tokensPerSecond).toBeGreaterThan(0);
    for (const run of runs) run.cancel();
    const results = await Promise.all(runs.map((run) => run.result()));
    const stats = model.stats();
    expect(stats).toMatchObject({
      running: 0,
      waiting: 0,
      completionTokens: results.reduce((sum, { tokens }) => sum + tokens.length, 0),
    });
    // Kept for later prompts.
    expect(stats.cellsUsed).toBeGreaterThan(30);
    expect(stats.steps).toBeGreaterThan(10);
    while (model.stats().tokensPerSecond > 0) await sleep(50);
    await model.close();
  });
});
