// Prompts on the real addon: one BOS, special strings, room.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../lib/model/model.js";
import { GREEDY, loadTiny, patchedTiny, withFolder } from "../fixtures/tiny.js";
import { loadModel } from "../../lib/model/load-model.js";

const BOS = "<｜begin▁of▁sentence｜>";
const RAW = "<｜User｜>What is 1+1?<｜Assistant｜>";
const short = { ...GREEDY, maxTokens: 60 };

let model: Model;
beforeAll(async () => void (model = await loadTiny()));
afterAll(() => model.close());

describe("a raw prompt", () => {
  const check = async (tested: Model): Promise<void> => {
    const reference = await model.complete(RAW, short).result();
    expect(reference).toMatchObject({ answer: "It's 2.", finishReason: "stop" });
    const ids = model.tokenizer.encode(RAW, { special: true });
    const prompts = [
      RAW,
      `${BOS}${RAW}`,
      `${BOS}${BOS}${RAW}`,
      ids,
      Int32Array.of(model.tokenizer.bos, ...ids),
    ];
    for (const prompt of prompts) {
      const result = await tested.complete(prompt, short).result();
      expect(result.usage.promptTokens).toBe(ids.length + 1);
      expect(result.tokens).toEqual(reference.tokens);
    }
  };

  it.each([true, false])("gets exactly one BOS when add_bos_token is %s", async (addBos) => {
    const other = await loadTiny({ metadataOverrides: { "tokenizer.ggml.add_bos_token": addBos } });
    expect(other.tokenizer.addsBos).toBe(addBos);
    await check(other);
    await other.close();
  });

  it("gets exactly one BOS when add_bos_token is absent", () =>
    withFolder(async (folder) => {
      const other = await loadModel(
        patchedTiny(folder, "tokenizer.ggml.add_bos_token", "tokenizer.ggml.odd_bos_token"),
        { threads: 1 },
      );
      await check(other);
      await other.close();
    }));

  it("is BOS alone when it is empty", async () => {
    expect((await model.complete("", { ...GREEDY, maxTokens: 3 }).result()).usage).toMatchObject({
      promptTokens: 1,
      completionTokens: 3,
    });
  });

  it("equals the chat of the same words", async () => {
    const chat = model.formatChat([{ role: "user", content: "What is 1+1?" }]);
    expect(chat.text).toBe(`${BOS}${RAW}`);
    expect([...chat.tokens]).toEqual([
      model.tokenizer.bos,
      ...model.tokenizer.encode(RAW, { special: true }),
    ]);
  });

  it("that opens <think> starts in reasoning", async () => {
    const result = await model.complete(`${RAW}<think>\n`, short).result();
    expect(result.reasoning).toMatch(/^Okay/);
    expect(result.answer).toBe("It's 2.");
    expect(result.text.startsWith("<think>")).toBe(false);
  });
});

describe("the room of the context", () => {
  it("refuses a prompt that is longer, before any work", async () => {
    const before = model.stats().requests;
    const run = model.complete(new Int32Array(model.info.sequenceContextSize).fill(20));
    await expect(run.result()).rejects.toMatchObject({ code: "PROMPT_TOO_LONG" });
    await expect(run.admitted).rejects.toMatchObject({ code: "PROMPT_TOO_LONG" });
    expect(model.stats().requests).toBe(before);
  });

  it("takes a prompt that leaves one token, and ends with reason length", async () => {
    const prompt = new Int32Array(model.info.sequenceContextSize - 1).fill(20);
    prompt[0] = model.tokenizer.bos;
    const result = await model
      .complete(prompt, { ...GREEDY, ignoreEos: true, loopGuard: false })
      .result();
    expect(result.finishReason).toBe("length");
    expect(result.usage.completionTokens).toBeGreaterThanOrEqual(1);
    expect(result.usage.completionTokens).toBeLessThanOrEqual(2);
  });

  it("ends a generation that fills it with reason length, having truncated nothing", async () => {
    const result = await model
      .complete("x", { ...GREEDY, ignoreEos: true, loopGuard: false })
      .result();
    expect(result.finishReason).toBe("length");
    const total = result.usage.promptTokens + result.usage.completionTokens;
    expect(total).toBeGreaterThanOrEqual(model.info.sequenceContextSize);
    expect(total).toBeLessThanOrEqual(model.info.sequenceContextSize + 1);
  });
});
