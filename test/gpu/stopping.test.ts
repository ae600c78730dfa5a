// Giving up on a device whose backend has no abort callback: at most one micro-batch more is computed, and processes end as they should.
import { describe, expect, it } from "vitest";
import { runChild } from "../fixtures/child.js";
import { BACKEND_DIR, QUESTION, loadOnGpu } from "./tools.js";

const UBATCH = 32;
const PROMPT = `<｜User｜>${"What is 12+34? Tell me about letters. ".repeat(80)}<｜Assistant｜>`;

describe("an abort during a prompt", () => {
  it("stops within one micro-batch, and the model goes on to answer", async () => {
    const model = await loadOnGpu({ gpuLayers: "all", contextSize: 2048, ubatchSize: UBATCH, batchSize: 512 });
    const before = (await model.chat([...QUESTION], { temperature: 0, maxTokens: 8 }).result()).text;
    const whole = await model.complete(PROMPT, { maxTokens: 1, cachePrompt: false }).result();
    const stepMs = (whole.timings.promptMs / whole.usage.promptTokens) * UBATCH;
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = model.stats().promptTokens;
      const controller = new AbortController();
      const run = model.complete(PROMPT, { maxTokens: 1, cachePrompt: false, signal: controller.signal });
      // Some of it is computed, most is not.
      while (model.stats().promptTokens < start + (i + 1) * UBATCH) await new Promise((resolve) => setImmediate(resolve));
      const atAbort = model.stats().promptTokens;
      const since = performance.now();
      controller.abort();
      const { finishReason } = await run.result();
      waits.push(performance.now() - since);
      expect(finishReason).toBe("aborted");
      expect(model.stats().promptTokens - atAbort).toBeLessThanOrEqual(UBATCH);
      expect(model.stats().promptTokens - start).toBeLessThan(whole.usage.promptTokens);
      // Nothing is left in the device's queue that the next request would have to wait for, and the text is the same.
      expect((await model.chat([...QUESTION], { temperature: 0, maxTokens: 8, cachePrompt: false }).result()).text).toBe(before);
    }
    console.log(`a micro-batch of ${UBATCH} takes ${stepMs.toFixed(1)} ms; from abort to end: ${waits.map((ms) => ms.toFixed(1)).join(", ")} ms`);
    expect(Math.max(...waits)).toBeLessThan(10 * stepMs + 1000);
    await model.close();
  });
});

describe("a process with a GPU backend", () => {
  const LOAD = `const model = await load({ backendDir: ${JSON.stringify(BACKEND_DIR)}, gpuLayers: 1, contextSize: 512 });`;
  const OPEN = `const parts = model.chat([{ role: "user", content: "Hello" }], endless)[Symbol.asyncIterator](); await parts.next(); await parts.next();`;

  it.each([
    ["after close()", `${LOAD} await model.close();`, 0],
    ["without close()", `${LOAD} await model.chat([{ role: "user", content: "Hello" }], { maxTokens: 3 }).result(); process.exit(0);`, 0],
    ["by process.exit() in the middle of a reply", `${LOAD} ${OPEN} process.exit(5);`, 5],
    ["by an exception in the middle of a reply", `${LOAD} ${OPEN} setImmediate(() => { throw new Error("mine"); }); await sleep(5000);`, 1],
  ])("ends %s with its own exit code", async (_, code, expected) => {
    const outcome = await runChild(code, { limitMs: 240_000 });
    expect({ code: outcome.code, signal: outcome.signal, stderr: expected === 1 ? "" : outcome.stderr }).toEqual({ code: expected, signal: null, stderr: "" });
  });
});
