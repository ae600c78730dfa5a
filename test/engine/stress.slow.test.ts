// Many requests of all kinds at once on the real addon: each is accounted for, and nothing is left
// running.
import { describe, expect, it } from "vitest";
import { loadTiny, sleep } from "../fixtures/tiny.js";

/** A generator of numbers in 0..1, the same each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

describe("hundreds of requests over 16 sequences", () => {
  it("of random lengths, aborts, timeouts, stops and breaks all end as they should", async () => {
    const model = await loadTiny({ sequences: 16, contextSize: 4096, maxQueue: 1000 });
    const next = numbers(7);
    const ends = new Map<string, number>();
    const one = async (i: number): Promise<void> => {
      const kind = i % 6;
      const controller = new AbortController();
      if (kind === 1) setTimeout(() => controller.abort(), next() * 100);
      const run = model.complete(`What is ${"x ".repeat(Math.floor(next() * 150))}${i}?`, {
        maxTokens: 1 + Math.floor(next() * 40),
        seed: i,
        priority: i % 3,
        signal: controller.signal,
        ...(kind === 2 ? { timeoutMs: 1 + Math.floor(next() * 50) } : {}),
        ...(kind === 3 ? { stop: ["1", "a "] } : {}),
        ...(kind === 4 ? { speculation: { ngram: 4 } } : {}),
      });
      if (kind === 5) {
        for await (const part of run) if (part.type.endsWith("delta")) break;
      }
      const result = await run.result();
      expect(result.usage.completionTokens).toBe(result.tokens.length);
      ends.set(result.finishReason, (ends.get(result.finishReason) ?? 0) + 1);
    };
    await Promise.all(Array.from({ length: 300 }, (_, i) => one(i)));
    expect([...ends.values()].reduce((sum, count) => sum + count)).toBe(300);
    expect(ends.get("length")).toBeGreaterThan(50);
    expect(ends.get("aborted")).toBeGreaterThan(10);
    while (model.stats().running > 0) await sleep(5);
    expect(model.stats()).toMatchObject({ running: 0, waiting: 0, requests: 300 });
    await model.close();
  });
});
