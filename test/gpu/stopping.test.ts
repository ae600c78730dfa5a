// Giving up on a device whose backend has no abort callback: at most one micro-batch more is
// computed, and processes end as they should.
import { describe, expect, it } from "vitest";
import { runChild } from "../fixtures/child.js";
import { BACKEND, DEVICE, IS_SOFTWARE, QUESTION, WIDTH, bytesOn, loadOnGpu } from "./tools.js";

/**
 * Small, so that a prompt of some tokens is many of them, and that the device compiles shaders for
 * no other widths than 1 and 2.
 */
const UBATCH = 2;
/**
 * The micro-batch that runs; where one takes a fraction of a millisecond, another may have ended
 * between the look at the counts and the abort.
 */
const MORE = IS_SOFTWARE ? 1 : 2;
const ON_DEVICE = {
  gpuLayers: "all",
  ubatchSize: UBATCH,
  batchSize: 64,
  contextSize: 2048,
  maxDraft: 0,
} as const;
const PROMPT = `<｜User｜>${"What is 12+34? Tell me about letters. ".repeat(IS_SOFTWARE ? 4 : 60)}<｜Assistant｜>`;
const EIGHT = { temperature: 0, maxTokens: 8 } as const;

describe("an abort during a prompt", () => {
  it("stops within one micro-batch, and the next request answers as on a fresh model", async () => {
    const fresh = await loadOnGpu(ON_DEVICE);
    const expected = (await fresh.chat([...QUESTION], EIGHT).result()).tokens;
    expect(expected).toHaveLength(8);
    await fresh.close();

    const model = await loadOnGpu(ON_DEVICE);
    expect(model.info.devices).toEqual([DEVICE, "CPU"]);
    expect(bytesOn(model.info, DEVICE)).toBeGreaterThan(10 * bytesOn(model.info, "CPU"));
    const whole = await model.complete(PROMPT, { maxTokens: 1, cachePrompt: false }).result();
    const stepMs = (whole.timings.promptMs / whole.usage.promptTokens) * UBATCH;
    expect(whole.usage.promptTokens).toBeGreaterThan(20 * UBATCH);
    const waits: number[] = [];
    const more: number[] = [];
    for (let i = 0; i < 6; i++) {
      const start = model.stats().promptTokens;
      const controller = new AbortController();
      const run = model.complete(PROMPT, {
        maxTokens: 1,
        cachePrompt: false,
        signal: controller.signal,
      });
      // Some of it is computed, most is not.
      while (model.stats().promptTokens < start + (i + 1) * UBATCH)
        await new Promise((resolve) => setImmediate(resolve));
      const atAbort = model.stats();
      const since = performance.now();
      controller.abort();
      const { finishReason, tokens } = await run.result();
      waits.push(performance.now() - since);
      const atEnd = model.stats();
      more.push(atEnd.promptTokens - atAbort.promptTokens);
      expect({ finishReason, tokens: tokens.length }).toEqual({
        finishReason: "aborted",
        tokens: 0,
      });
      expect(atEnd.promptTokens - atAbort.promptTokens).toBeLessThanOrEqual(MORE * UBATCH);
      expect(atEnd.steps - atAbort.steps).toBeLessThanOrEqual(MORE);
      expect(atEnd.promptTokens - start).toBeLessThan(whole.usage.promptTokens / 2);
      // Nothing is left in the device's queue that the next request would have to wait for, with
      // cells kept and without.
      expect(
        (await model.chat([...QUESTION], { ...EIGHT, cachePrompt: i % 2 === 0 }).result()).tokens,
      ).toEqual(expected);
    }
    console.log(
      `prompt of ${whole.usage.promptTokens} tokens, micro-batches of ${UBATCH}, ${stepMs.toFixed(1)} ms each; after the abort ${more.join(", ")} tokens more, ${waits.map((ms) => ms.toFixed(1)).join(", ")} ms`,
    );
    expect(Math.max(...waits)).toBeLessThan(10 * stepMs + 1000);
    await model.close();
  });
});

describe("a process with a GPU backend", () => {
  const OPTIONS = { ...BACKEND, gpuLayers: 1, contextSize: 512, ...WIDTH };
  const LOAD = `const model = await load(${JSON.stringify(OPTIONS)}); if (!model.info.devices.includes(${JSON.stringify(DEVICE)})) throw new Error("not on the device");`;
  const OPEN = `const parts = model.chat([{ role: "user", content: "Hello" }], endless)[Symbol.asyncIterator](); await parts.next(); await parts.next();`;

  it.each([
    ["after close()", `${LOAD} await model.close();`, 0],
    [
      "without close()",
      `${LOAD} await model.chat([{ role: "user", content: "Hello" }], { maxTokens: 3 }).result(); process.exit(0);`,
      0,
    ],
    ["by process.exit() in the middle of a reply", `${LOAD} ${OPEN} process.exit(5);`, 5],
    [
      "by an exception in the middle of a reply",
      `${LOAD} ${OPEN} setImmediate(() => { throw new Error("mine"); }); await sleep(5000);`,
      1,
    ],
  ])("ends %s with its own exit code", async (_, code, expected) => {
    const outcome = await runChild(code, { limitMs: 240_000 });
    expect({
      code: outcome.code,
      signal: outcome.signal,
      stderr: expected === 1 ? "" : outcome.stderr,
    }).toEqual({ code: expected, signal: null, stderr: "" });
    if (expected === 1) expect(outcome.stderr).toContain("Error: mine");
  });
});
