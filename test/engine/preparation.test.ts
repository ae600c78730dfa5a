// A generation before it stands in the engine's queue: long texts over a fake addon that tokenises
// when the test says so.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChatMessage } from "../../lib/base/types.js";
import type { Model } from "../../lib/model/model.js";
import type { GenerateOptions } from "../../lib/engine/engine-options.js";
import type { Generation } from "../../lib/engine/generation.js";
import { FakeAddon, fakeTokens } from "../fixtures/fake-addon.js";

const state = vi.hoisted((): { addon: unknown } => ({ addon: undefined }));
vi.mock("../../lib/binding/load.js", () => ({
  native: () => state.addon,
  initialize: () => undefined,
  initializeInBackground: async () => undefined,
  addonFolder: () => "/nowhere",
}));
const { loadModel } = await import("../../lib/model/load-model.js");

const LONG = "word ".repeat(4000);
const OPTIONS = { contextSize: 65_536, maxQueue: 2 };

/** Tokenises long texts when `release` is called. */
class SlowAddon extends FakeAddon {
  held: (() => void)[] = [];
  failure: Error | undefined;

  override async loadModel(
    ...given: Parameters<FakeAddon["loadModel"]>
  ): ReturnType<FakeAddon["loadModel"]> {
    const model = await super.loadModel(...given);
    const held = async <T>(work: () => T): Promise<T> => {
      await new Promise<void>((resolve) => this.held.push(resolve));
      if (this.failure !== undefined) throw this.failure;
      return work();
    };
    return {
      ...model,
      tokenizeAsync: (text: string, special: boolean) =>
        held(() => Int32Array.from(fakeTokens(text, special))),
      tokenizeSegmentsAsync: (texts: string[], ids: Int32Array) =>
        held(() => model.tokenizeSegments(texts, ids)),
    };
  }

  async release(): Promise<void> {
    for (const go of this.held.splice(0)) go();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

let addon: SlowAddon;
let model: Model;
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeEach(async () => {
  state.addon = addon = new SlowAddon();
  unhandled.length = 0;
  process.on("unhandledRejection", note);
  model = await loadModel(OPTIONS);
});
afterEach(async () => {
  await model.close();
  await addon.release();
  await new Promise((resolve) => setTimeout(resolve, 1));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

const user = (content: string): ChatMessage[] => [{ role: "user", content }];

describe("a short prompt", () => {
  it("stands in the queue when the call returns, in the order of the calls", async () => {
    addon.reply = null;
    const runs = ["a", "b"].map((text) => model.complete(text));
    expect(addon.requests.map(({ request }) => request.tokens.length)).toEqual([2, 2]);
    expect(await Promise.all(runs.map((run) => run.admitted))).toEqual([2, 2]);
  });
});

describe.each([
  ["complete", (text: string, options: GenerateOptions) => model.complete(text, options)],
  ["chat", (text: string, options: GenerateOptions) => model.chat(user(text), options)],
  ["send", (text: string, options: GenerateOptions) => model.session().send(text, options)],
] as const)("a long prompt of %s", (_name, start) => {
  const ask = (text: string, options: GenerateOptions = {}): Generation => start(text, options);

  it("is prepared off the event loop, then admitted with its number of tokens", async () => {
    const run = ask(LONG);
    expect(addon.requests).toEqual([]);
    expect(model.stats()).toMatchObject({ preparing: 1 });
    await addon.release();
    expect(model.stats()).toMatchObject({ preparing: 0 });
    expect(await run.admitted).toBe(addon.last.request.tokens.length);
    expect((await run.result()).answer).toBe("2");
  });

  it("ends at once by cancel(), and nothing is submitted afterwards", async () => {
    const run = ask(LONG);
    run.cancel();
    expect(run.isEnded).toBe(true);
    expect(await run.result()).toMatchObject({ finishReason: "aborted", text: "" });
    await expect(run.admitted).rejects.toMatchObject({ code: "ABORTED" });
    await addon.release();
    expect(addon.requests).toEqual([]);
  });

  it("ends at once by its signal, whose reason the loop and `admitted` throw", async () => {
    const controller = new AbortController();
    const run = ask(LONG, { signal: controller.signal });
    const reason = { mine: true };
    controller.abort(reason);
    expect(run.isEnded).toBe(true);
    await expect(run.admitted).rejects.toBe(reason);
    await expect(run[Symbol.asyncIterator]().next()).rejects.toBe(reason);
    expect((await run.result()).finishReason).toBe("aborted");
    await addon.release();
    expect(addon.requests).toEqual([]);
  });

  it("ends at once by `break`", async () => {
    const run = ask(LONG);
    const iterator = run[Symbol.asyncIterator]();
    expect(await iterator.return?.()).toEqual({ value: undefined, done: true });
    expect(run.isEnded).toBe(true);
    await addon.release();
    expect(addon.requests).toEqual([]);
  });

  it("ends with DISPOSED by close(), and nothing is submitted afterwards", async () => {
    const run = ask(LONG);
    await model.close();
    await expect(run.result()).rejects.toMatchObject({ code: "DISPOSED" });
    await expect(run.admitted).rejects.toMatchObject({ code: "DISPOSED" });
    await addon.release();
    expect(addon.requests).toEqual([]);
  });

  it("ends by timeoutMs, which counts from the call", async () => {
    const late = ask(LONG, { timeoutMs: 5 });
    expect((await late.result()).finishReason).toBe("timeout");
    await expect(late.admitted).rejects.toMatchObject({ code: "TIMEOUT" });
    const run = ask(LONG, { timeoutMs: 1e9 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await addon.release();
    await run.admitted;
    expect(addon.last.request.timeoutMs).toBeLessThan(1e9 - 10);
    run.cancel();
  });

  it("rejects as an R1Error with the addon's code and the stack of the call", async () => {
    addon.failure = Object.assign(new Error("no memory"), { code: "OUT_OF_MEMORY" });
    const run = ask(LONG);
    await addon.release();
    const error = await run.result().catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ name: "R1Error", code: "OUT_OF_MEMORY", message: "no memory" });
    await expect(run.admitted).rejects.toBe(error);
    await expect(run[Symbol.asyncIterator]().next()).rejects.toBe(error);
    expect((error as Error).stack).toContain("preparation.test");
  });

  it("counts against maxQueue", async () => {
    const runs = [1, 2, 3].map(() => ask(LONG));
    const over = ask("x");
    await expect(over.result()).rejects.toMatchObject({ code: "QUEUE_FULL" });
    await expect(over.admitted).rejects.toMatchObject({ code: "QUEUE_FULL" });
    // A cancelled one leaves its place at once, also where its work has not ended.
    runs[0]?.cancel();
    expect((await ask("x").result()).answer).toBe("2");
    await addon.release();
    await addon.release();
    await Promise.all(runs.map((run) => run.result()));
  });

  it("is bounded also when all are cancelled", async () => {
    const runs = [1, 2, 3, 4, 5, 6].map(() => {
      const run = ask(LONG);
      run.cancel();
      return run;
    });
    expect(addon.held.length).toBeLessThanOrEqual(3);
    await addon.release();
    await addon.release();
    await addon.release();
    await Promise.allSettled(runs.map((run) => run.result()));
    expect((await ask("x").result()).answer).toBe("2");
  });

  it("that is too long rejects", async () => {
    const run = ask("word ".repeat(20_000));
    await addon.release();
    await expect(run.result()).rejects.toMatchObject({ code: "PROMPT_TOO_LONG" });
    await expect(run.admitted).rejects.toMatchObject({ code: "PROMPT_TOO_LONG" });
    expect(addon.requests).toEqual([]);
  });
});

describe("choices of a long prompt", () => {
  it("are tokenised once and start together", async () => {
    const runs = model.choices(user(LONG), { n: 3, seed: 5 });
    expect(addon.held).toHaveLength(1);
    await addon.release();
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(results.map(({ seed }) => seed)).toEqual([5, 6, 7]);
  });

  it("all reject with QUEUE_FULL when not all of them find room", async () => {
    for (const run of model.choices(user(LONG), { n: 4 })) {
      await expect(run.result()).rejects.toMatchObject({ code: "QUEUE_FULL" });
      await expect(run.admitted).rejects.toMatchObject({ code: "QUEUE_FULL" });
    }
    expect(addon.held).toEqual([]);
    expect(addon.requests).toEqual([]);
  });

  it("that were cancelled one by one leave the others", async () => {
    const runs = model.choices(user(LONG), { n: 3 });
    runs[1]?.cancel();
    await addon.release();
    expect(addon.requests).toHaveLength(2);
    expect((await runs[1]?.result())?.finishReason).toBe("aborted");
  });
});

describe("what is found while preparing", () => {
  it.each([
    ["GRAMMAR_INVALID", { response: { grammar: "root ::= missing" } }],
    ["SCHEMA_UNSUPPORTED", { response: { schema: { type: "nonsense" } } }],
  ])("%s rejects the generation; the call returns", async (code, options) => {
    const run = model.chat(user("x"), options);
    await expect(run.result()).rejects.toMatchObject({ code });
    await expect(run.admitted).rejects.toMatchObject({ code });
  });

  it("a schema of a forced tool that no grammar can keep rejects too", async () => {
    const parameters = { type: "object", properties: { a: { type: "array", uniqueItems: true } } };
    const tools = [{ type: "function" as const, function: { name: "f", parameters } }];
    const run = model.chat(user("x"), { tools, toolChoice: "required" });
    await expect(run.result()).rejects.toMatchObject({ code: "SCHEMA_UNSUPPORTED" });
  });

  it("ids that the caller changes after the call are not looked at again", async () => {
    const ids = Int32Array.from(fakeTokens("hello"));
    model.complete(ids);
    ids.fill(-1);
    expect([...addon.last.request.tokens].slice(-1)).toEqual(fakeTokens("o"));
  });
});

describe("a session", () => {
  it("sends the ids that a chat of the same turns sends", async () => {
    const session = model.session({ system: "Be brief." });
    const said = ["one", "two <｜User｜>", "three"];
    for (const text of said) await session.send(text).result();
    const bySession = [...addon.last.request.tokens];
    const turns = session.messages.slice(0, -1);
    expect([...model.formatChat(turns).tokens]).toEqual(bySession);
    expect([...(await model.formatChatAsync(turns)).tokens]).toEqual(bySession);
  });
});
