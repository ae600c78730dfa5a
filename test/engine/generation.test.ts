// Generation: iterator, result, cancel, abort, close, over a fake addon.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Part } from "../../lib/base/types.js";
import type { Model } from "../../lib/model/model.js";
import { FAKE, FakeAddon } from "../fixtures/fake-addon.js";

const state = vi.hoisted((): { addon: unknown } => ({ addon: undefined }));
vi.mock("../../lib/binding/load.js", () => ({
  native: () => state.addon,
  initialize: () => undefined,
  initializeInBackground: async () => undefined,
  addonFolder: () => "/nowhere",
}));
const { loadModel } = await import("../../lib/model/load-model.js");

let addon: FakeAddon;
let model: Model;
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeEach(async () => {
  state.addon = addon = new FakeAddon();
  process.on("unhandledRejection", note);
  unhandled.length = 0;
  model = await loadModel();
});
afterEach(async () => {
  await model.close();
  await new Promise((resolve) => setTimeout(resolve, 1));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

async function collect(run: AsyncIterable<Part>): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const part of run) parts.push(part);
  return parts;
}

const textOf = (parts: Part[], type: string): string =>
  parts.map((part) => (part.type === type && "text" in part ? part.text : "")).join("");

describe("a generation", () => {
  it("yields reasoning, then the answer, then finish, and the same again in result()", async () => {
    const run = model.chat([{ role: "user", content: "What is 1+1?" }], { seed: 7 });
    const parts = await collect(run);
    expect(parts.filter((part) => !part.type.endsWith("-delta")).map((part) => part.type)).toEqual([
      "reasoning-start",
      "reasoning-end",
      "answer-start",
      "answer-end",
      "finish",
    ]);
    const result = await run.result();
    expect(result).toMatchObject({
      reasoning: "hm",
      answer: "2",
      finishReason: "stop",
      seed: 7,
      text: "<think>\nhm\n</think>\n\n2",
    });
    expect(textOf(parts, "reasoning-delta")).toBe("hm");
    expect(textOf(parts, "answer-delta")).toBe("2");
    expect(result.tokens.at(-1)).toBe(FAKE.eos);
    expect(result.usage.completionTokens).toBe(result.tokens.length);
    expect(Object.isFrozen(result)).toBe(true);
  });

  it("writes ids as a list in JSON, in a result as in formatChat and encode", async () => {
    const result = await model.complete("x").result();
    const made = model.formatChat([{ role: "user", content: "x" }]);
    const soon = await model.formatChatAsync([{ role: "user", content: "x" }]);
    for (const { tokens } of [result, made, soon]) {
      expect(tokens).toBeInstanceOf(Int32Array);
      expect(Object.keys(tokens)).toHaveLength(tokens.length);
      expect(JSON.parse(JSON.stringify({ tokens })) as unknown).toEqual({ tokens: [...tokens] });
      expect(structuredClone(tokens)).toEqual(tokens);
    }
    expect(JSON.parse(JSON.stringify({ ...result }))).toMatchObject({ tokens: [...result.tokens] });
    const ids = [model.tokenizer.encode("ab"), await model.tokenizer.encodeAsync("ab")];
    expect(JSON.stringify(ids)).toBe(JSON.stringify(ids.map((each) => [...each])));
    expect(model.tokenizer.decode(result.tokens)).toBe(model.tokenizer.decode([...result.tokens]));
  });

  it("hands a waiting reader one delta for the tokens of one delivery", async () => {
    addon.reply = null;
    const run = model.complete("x");
    const parts = collect(run);
    await new Promise((resolve) => setImmediate(resolve));
    addon.last.say("four");
    await new Promise((resolve) => setImmediate(resolve));
    addon.last.say("more");
    addon.last.end();
    const deltas = (await parts).filter((part) => part.type === "answer-delta");
    expect(deltas.map(({ text, tokens }) => [text, tokens.length])).toEqual([
      ["four", 4],
      ["more", 4],
    ]);
  });

  it("tells a random seed in the result", async () => {
    const seeds = await Promise.all(
      [1, 2, 3].map(async () => (await model.complete("x").result()).seed),
    );
    expect(new Set(seeds).size).toBe(3);
    expect(addon.requests.map((entry) => entry.request.sampling.seed)).toEqual(seeds);
  });

  it("gives result() without, while and after iterating, any number of times", async () => {
    expect((await model.complete("x").result()).answer).toBe("2");
    const run = model.complete("x");
    const [parts, early] = await Promise.all([collect(run), run.result()]);
    expect(parts.at(-1)?.type).toBe("finish");
    expect(await run.result()).toBe(early);
  });

  it("refuses to be iterated a second time", async () => {
    const run = model.complete("x");
    await collect(run);
    expect(() => run[Symbol.asyncIterator]()).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("runs although nobody looks, and puts what nobody read together", async () => {
    addon.reply = null;
    const run = model.complete("x");
    addon.last.say("abc");
    addon.last.say("def");
    addon.last.end();
    await run.result();
    expect((await collect(run)).map((part) => part.type)).toEqual([
      "answer-start",
      "answer-delta",
      "answer-end",
      "finish",
    ]);
  });

  it("delivers each delta by itself to a reader that keeps up", async () => {
    addon.reply = null;
    const run = model.complete("x");
    const iterator = run[Symbol.asyncIterator]();
    addon.last.say("a");
    expect((await iterator.next()).value).toEqual({ type: "answer-start" });
    expect((await iterator.next()).value).toMatchObject({ type: "answer-delta", text: "a" });
    const pending = iterator.next();
    addon.last.say("b");
    expect((await pending).value).toMatchObject({ text: "b" });
    run.cancel();
  });

  it("lets two reads wait at once", async () => {
    addon.reply = null;
    const run = model.complete("x");
    const iterator = run[Symbol.asyncIterator]();
    const reads = [iterator.next(), iterator.next(), iterator.next()];
    addon.last.say("a");
    addon.last.end();
    const values = await Promise.all(reads);
    expect(values.map((read) => read.value?.type)).toEqual([
      "answer-start",
      "answer-delta",
      "answer-end",
    ]);
  });
});

describe("giving up", () => {
  it("cancel() ends the parts with finish and reason aborted, and keeps what there is", async () => {
    addon.reply = null;
    const run = model.complete("x");
    addon.last.say("ab");
    run.cancel();
    run.cancel();
    const parts = await collect(run);
    expect(parts.at(-1)).toMatchObject({ type: "finish", finishReason: "aborted" });
    expect(await run.result()).toMatchObject({ finishReason: "aborted", text: "ab" });
  });

  it("break cancels natively and returns once the engine has let go", async () => {
    addon.reply = null;
    const run = model.complete("x");
    addon.last.say("ab");
    for await (const part of run) if (part.type === "answer-delta") break;
    expect(addon.last.isCancelled).toBe(true);
    expect(run.isEnded).toBe(true);
    expect((await run.result()).finishReason).toBe("aborted");
  });

  it("an abort throws signal.reason untouched from the loop at once, while result() resolves", async () => {
    addon.reply = null;
    const controller = new AbortController();
    const run = model.complete("x", { signal: controller.signal });
    addon.last.say("ab");
    const reason = { mine: true };
    setTimeout(() => controller.abort(reason), 2);
    await expect(collect(run)).rejects.toBe(reason);
    expect(await run.result()).toMatchObject({ finishReason: "aborted", text: "ab" });
  });

  it("a signal that is aborted already starts no native work", async () => {
    const run = model.complete("x", { signal: AbortSignal.abort("no") });
    await expect(collect(run)).rejects.toBe("no");
    expect(await run.result()).toMatchObject({
      finishReason: "aborted",
      text: "",
      usage: { promptTokens: 0, completionTokens: 0 },
    });
    expect(addon.requests).toEqual([]);
  });

  it("leaves no listener on the signal", async () => {
    const controller = new AbortController();
    const remove = vi.spyOn(controller.signal, "removeEventListener");
    await model.complete("x", { signal: controller.signal }).result();
    expect(remove).toHaveBeenCalledTimes(1);
    controller.abort();
    expect(addon.last.isCancelled).toBe(false);
  });

  it("close() makes the loop throw and result() reject with DISPOSED", async () => {
    addon.reply = null;
    const looked = model.complete("x");
    const unlooked = model.complete("y");
    const loop = expect(collect(looked)).rejects.toMatchObject({ code: "DISPOSED" });
    await model.close();
    await loop;
    await expect(unlooked.result()).rejects.toMatchObject({ code: "DISPOSED" });
    expect(() => model.complete("z")).toThrow(expect.objectContaining({ code: "DISPOSED" }));
  });
});

describe("failing", () => {
  it("throws the native code from the loop and from result()", async () => {
    addon.reply = null;
    const run = model.complete("x");
    addon.last.fail("QUEUE_FULL");
    await expect(run.result()).rejects.toMatchObject({ code: "QUEUE_FULL", name: "R1Error" });
    await expect(collect(run)).rejects.toMatchObject({ code: "QUEUE_FULL" });
  });

  it("ignores what comes after the end, and events of requests it does not know", async () => {
    addon.reply = null;
    const run = model.complete("x");
    const made = addon.last;
    made.say("a");
    made.end();
    made.say("b");
    made.end("length");
    made.fail("INTERNAL");
    expect(await run.result()).toMatchObject({ text: "a", finishReason: "stop" });
  });

  it.each(["length", "stop-string", "timeout", "loop"] as const)(
    "resolves with reason %s",
    async (reason) => {
      addon.reply = null;
      const run = model.complete("x");
      addon.last.say("a");
      addon.last.end(reason);
      expect((await run.result()).finishReason).toBe(reason);
      expect((await collect(run)).at(-1)).toMatchObject({ finishReason: reason });
    },
  );
});

describe("cost", () => {
  it("grows with the number of tokens, not with its square, when nobody reads", async () => {
    addon.reply = null;
    const time = async (count: number): Promise<number> => {
      const run = model.complete("x");
      const made = addon.last;
      const start = performance.now();
      for (let i = 0; i < count; i++) made.token("a");
      made.end();
      await run.result();
      return performance.now() - start;
    };
    await time(20_000);
    const least = async (count: number): Promise<number> =>
      Math.min(await time(count), await time(count), await time(count));
    const [few, many] = [await least(20_000), await least(200_000)];
    // Ten times the tokens; a quadratic cost would be a hundred times.
    expect(many / few).toBeLessThan(60);
  });
});
