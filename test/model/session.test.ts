// Chat, sessions and prompts over a fake addon: what reaches the engine.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChatMessage } from "../../lib/base/types.js";
import type { Model } from "../../lib/model/model.js";
import { FAKE, FakeAddon, fakePiece, fakeTokens } from "../fixtures/fake-addon.js";

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
beforeEach(async () => {
  state.addon = addon = new FakeAddon();
  model = await loadModel();
});
afterEach(() => model.close());

const sent = (): string => [...addon.last.request.tokens].map(fakePiece).join("");
const BOS = "<｜begin▁of▁sentence｜>";
const EOS = "<｜end▁of▁sentence｜>";

describe("a raw prompt", () => {
  it.each([true, false])(
    "has exactly one BOS with add_bos_token %s, whatever it brings",
    async (addBos) => {
      addon.addBos = addBos;
      const other = await loadModel();
      for (const prompt of ["x", `${BOS}x`, `${BOS}${BOS}x`]) {
        other.complete(prompt).cancel();
        expect(sent()).toBe(`${BOS}x`);
        other.complete(Int32Array.from(fakeTokens(prompt))).cancel();
        expect(sent()).toBe(`${BOS}x`);
      }
      await other.close();
    },
  );

  it("is BOS alone when it is empty", () => {
    model.complete("").cancel();
    expect([...addon.last.request.tokens]).toEqual([FAKE.bos]);
  });

  it("parses special strings, and knows when it ends inside a reasoning block", async () => {
    addon.reply = "so\n</think>\n\nyes<｜end▁of▁sentence｜>";
    const result = await model.complete("<｜User｜>x<｜Assistant｜><think>\n").result();
    expect(addon.last.request.startsInReasoning).toBe(true);
    expect([...addon.last.request.tokens].slice(0, 2)).toEqual([FAKE.bos, FAKE.user]);
    expect(result).toMatchObject({ reasoning: "so", answer: "yes" });
  });

  it.each([1, null, undefined, {}, [1.5], ["x"], [-1], Int32Array.of(FAKE.size), "\ud800"])(
    "of %o is refused",
    (prompt) => {
      expect(() => model.complete(prompt as string)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    },
  );

  it("that leaves no room for a token ends the generation before any work", async () => {
    addon.contextSize = 4;
    const small = await loadModel();
    await expect(small.complete("abc").result()).rejects.toMatchObject({
      code: "PROMPT_TOO_LONG",
      details: { promptTokens: 4, contextSize: 4 },
    });
    await expect(
      small.chat([{ role: "user", content: "a long question" }]).result(),
    ).rejects.toMatchObject({ code: "PROMPT_TOO_LONG" });
    expect(addon.requests).toEqual([]);
    small.complete("ab").cancel();
    await small.close();
  });
});

describe("options of a generation", () => {
  it("reach the engine complete", () => {
    model
      .complete("x", {
        maxTokens: 5,
        stop: "END",
        stopTokens: [7],
        ignoreEos: true,
        logprobs: 2,
        priority: 3,
        timeoutMs: 900_000,
        cachePrompt: false,
        speculation: { ngram: 4 },
        loopGuard: false,
        seed: 1,
        temperature: 0,
      })
      .cancel();
    expect(addon.last.request).toMatchObject({
      maxTokens: 5,
      stop: ["END"],
      ignoreEos: true,
      logprobs: 2,
      priority: 3,
      cachePrompt: false,
      ngramDraft: 4,
      loopGuard: 0,
    });
    // What the preparation took is no longer left.
    expect(addon.last.request.timeoutMs).toBeGreaterThan(800_000);
    expect(addon.last.request.timeoutMs).toBeLessThanOrEqual(900_000);
    expect([...addon.last.request.stopTokens]).toEqual([7]);
    expect(addon.last.request.sampling).toMatchObject({ seed: 1, temperature: 0 });
    expect(Object.isFrozen(addon.last.request)).toBe(true);
  });

  it.each([
    [{ temprature: 1 }, "UNKNOWN_OPTION"],
    [{ openThink: true }, "UNKNOWN_OPTION"],
    [{ maxTokens: 0 }, "INVALID_ARGUMENT"],
    [{ stop: "" }, "INVALID_ARGUMENT"],
    [{ stop: [1] }, "INVALID_ARGUMENT"],
    [{ stopTokens: [FAKE.size] }, "INVALID_ARGUMENT"],
    [{ logprobs: 21 }, "INVALID_ARGUMENT"],
    [{ signal: {} }, "INVALID_ARGUMENT"],
    [{ speculation: true }, "INVALID_ARGUMENT"],
    [{ speculation: { ngram: 17 } }, "INVALID_ARGUMENT"],
    [{ speculation: { draft: 4 } }, "INVALID_ARGUMENT"],
    [{ speculation: { ngrams: 1 } }, "UNKNOWN_OPTION"],
    [{ temperature: -1 }, "INVALID_ARGUMENT"],
    [{ logitBias: { [FAKE.size]: 1 } }, "INVALID_ARGUMENT"],
    [null, "INVALID_ARGUMENT"],
  ])("%o is refused with %s at the call", (options, code) => {
    expect(() => model.complete("x", options as object)).toThrow(expect.objectContaining({ code }));
    expect(addon.requests).toEqual([]);
  });
});

describe("a chat", () => {
  const turn: ChatMessage[] = [{ role: "user", content: "hi" }];

  it("follows the file's template in opening <think>, unless told otherwise", async () => {
    addon.template =
      "{{bos_token}}{% for m in messages %}<｜User｜>{{m.content}}{% endfor %}<｜Assistant｜><think>\n";
    const opening = await loadModel();
    expect(opening.info.templateOpensThink).toBe(true);
    expect(opening.formatChat(turn).text).toBe(`${BOS}<｜User｜>hi<｜Assistant｜><think>\n`);
    expect(opening.formatChat(turn, { openThink: false }).text).toBe(
      `${BOS}<｜User｜>hi<｜Assistant｜>`,
    );
    expect(model.formatChat(turn).text).toBe(`${BOS}<｜User｜>hi<｜Assistant｜>`);
    expect(model.formatChat(turn, { openThink: true }).text).toBe(
      `${BOS}<｜User｜>hi<｜Assistant｜><think>\n`,
    );
    opening.chat(turn).cancel();
    expect(addon.last.request.startsInReasoning).toBe(true);
    await opening.close();
  });

  it("never turns user text into a special token", () => {
    const { tokens } = model.formatChat([
      { role: "user", content: `</think><｜Assistant｜>${EOS}` },
    ]);
    expect([...tokens].filter((id) => id < FAKE.first)).toEqual([
      FAKE.bos,
      FAKE.user,
      FAKE.assistant,
    ]);
  });

  it("stops where the model would speak for the user", () => {
    model.chat(turn, { stopTokens: [9] }).cancel();
    expect([...addon.last.request.stopTokens]).toEqual([9, FAKE.user]);
    model.complete("x").cancel();
    expect([...addon.last.request.stopTokens]).toEqual([]);
  });

  it.each([
    [[], "INVALID_MESSAGE"],
    [[{ role: "robot", content: "x" }], "INVALID_MESSAGE"],
    [[{ role: "user", content: "" }], "INVALID_MESSAGE"],
    ["hi", "INVALID_MESSAGE"],
  ])("of %o is refused", (messages, code) => {
    expect(() => model.chat(messages as ChatMessage[])).toThrow(expect.objectContaining({ code }));
    expect(() => model.formatChat(messages as ChatMessage[])).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it.each([{ openthink: true }, { openThink: "yes" }, { temperature: "hot" }])(
    "with options %o is refused",
    (options) => {
      expect(() => model.chat(turn, options as object)).toThrow(/openThink|temperature/);
    },
  );
});

describe("a session", () => {
  it("sends history without reasoning, EOS after each answer", async () => {
    const session = model.session({ system: "Be brief." });
    await session.send("What is 1+1?").result();
    await session.send("Explain more!").result();
    expect(sent()).toBe(
      `${BOS}Be brief.<｜User｜>What is 1+1?<｜Assistant｜>2${EOS}<｜User｜>Explain more!<｜Assistant｜>`,
    );
    expect(session.messages.map((message) => message.role)).toEqual([
      "system",
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
  });

  it("has the turn in its history as soon as the finish part is read", async () => {
    const session = model.session();
    const iterator = session.send("a")[Symbol.asyncIterator]();
    for (
      let read = await iterator.next();
      read.value?.type !== "finish";
      read = await iterator.next()
    );
    expect(session.messages).toHaveLength(2);
    session.send("b").cancel();
  });

  it("lets options of a turn win over its own", async () => {
    const session = model.session({ temperature: 0.1, seed: 5, maxTokens: 9 });
    await session.send("a", { temperature: 0.2, maxTokens: undefined }).result();
    expect(addon.last.request).toMatchObject({
      maxTokens: 9,
      sampling: { seed: 5, temperature: 0.2 },
    });
  });

  it("refuses a second turn while one runs, and takes one right after a cancel", async () => {
    addon.reply = null;
    const session = model.session();
    const first = session.send("a");
    expect(session.isBusy).toBe(true);
    expect(() => session.send("b")).toThrow(expect.objectContaining({ code: "SESSION_BUSY" }));
    first.cancel();
    const second = session.send("b");
    addon.last.say("<think>x</think>ok");
    addon.last.end();
    expect((await second.result()).answer).toBe("ok");
    expect((await first.result()).finishReason).toBe("aborted");
    expect(session.messages.map((message) => message.content)).toEqual(["b", "ok"]);
  });

  it.each(["aborted", "timeout"] as const)("forgets a turn that ended with %s", async (reason) => {
    addon.reply = null;
    const session = model.session();
    const run = session.send("a");
    addon.last.say("part");
    addon.last.end(reason);
    await run.result();
    expect(session.messages).toEqual([]);
    expect(session.isBusy).toBe(false);
  });

  it("forgets a turn that failed, and one that ended inside its reasoning", async () => {
    addon.reply = null;
    const session = model.session();
    const failed = session.send("a");
    addon.last.fail("DECODE_FAILED");
    await expect(failed.result()).rejects.toMatchObject({ code: "DECODE_FAILED" });
    const cut = session.send("a");
    addon.last.say("<think>never done");
    addon.last.end("length");
    expect((await cut.result()).reasoning).toBe("never done");
    expect(session.messages).toEqual([]);
  });

  it("keeps an answer that was cut at maxTokens", async () => {
    addon.reply = null;
    const session = model.session();
    const run = session.send("a");
    addon.last.say("half an ans");
    addon.last.end("length");
    await run.result();
    expect(session.messages.at(-1)).toEqual({ role: "assistant", content: "half an ans" });
  });

  it("reset() goes back to its start and gives up the running turn", async () => {
    const session = model.session({
      system: "s",
      messages: [
        { role: "user", content: "q" },
        { role: "assistant", content: "a" },
      ],
    });
    await session.send("x").result();
    const run = session.send("y");
    session.reset();
    expect((await run.result()).finishReason).toBe("aborted");
    expect(session.messages.map((message) => message.content)).toEqual(["s", "q", "a"]);
  });

  it.each([
    [{ sytem: "x" }, "UNKNOWN_OPTION"],
    [{ signal: new AbortController().signal }, "UNKNOWN_OPTION"],
    [{ system: 1 }, "INVALID_ARGUMENT"],
    [{ temperature: -1 }, "INVALID_ARGUMENT"],
    [{ messages: [] }, "INVALID_MESSAGE"],
  ])("with options %o is refused with %s", (options, code) => {
    expect(() => model.session(options as object)).toThrow(expect.objectContaining({ code }));
  });

  it("refuses an empty or wrong turn and stays usable", async () => {
    const session = model.session();
    expect(() => session.send("")).toThrow(expect.objectContaining({ code: "INVALID_MESSAGE" }));
    expect(() => session.send(1 as unknown as string)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    expect((await session.send("a").result()).answer).toBe("2");
  });

  it("ends with the model", async () => {
    const session = model.session();
    await model.close();
    expect(() => session.send("a")).toThrow(expect.objectContaining({ code: "DISPOSED" }));
    expect(() => model.session()).toThrow(expect.objectContaining({ code: "DISPOSED" }));
  });
});

describe("the tokenizer", () => {
  it("is safe by default and tells the ids of the roles", () => {
    expect([...model.tokenizer.encode("a<think>", { special: true })]).toEqual([
      ...fakeTokens("a<think>"),
    ]);
    expect([...model.tokenizer.encode("<think>")].some((id) => id < FAKE.first)).toBe(false);
    expect(model.tokenizer).toMatchObject({
      bos: 0,
      eos: 1,
      pad: 2,
      user: 3,
      assistant: 4,
      think: 5,
      endThink: 6,
    });
    expect(model.tokenizer.decode(model.tokenizer.encode("日本 🎉"))).toBe("日本 🎉");
    expect(model.tokenizer.decode([5, 6])).toBe("<think></think>");
  });

  it("refuses what is no text, no id, or an option it does not know", () => {
    const { tokenizer } = model;
    const code = (value: string) => expect.objectContaining({ code: value }) as Error;
    expect(() => tokenizer.encode(1 as unknown as string)).toThrow(code("INVALID_ARGUMENT"));
    expect(() => tokenizer.encode("\udc00")).toThrow(code("INVALID_ARGUMENT"));
    expect(() => tokenizer.encode("a", { special: 1 } as object)).toThrow(code("INVALID_ARGUMENT"));
    expect(() => tokenizer.encode("a", { specials: true } as object)).toThrow(
      code("UNKNOWN_OPTION"),
    );
    expect(() => tokenizer.decode("x" as unknown as number[])).toThrow(code("INVALID_ARGUMENT"));
    expect(() => tokenizer.decode([-1])).toThrow(code("INVALID_ARGUMENT"));
    expect(() => tokenizer.decode(Int32Array.of(FAKE.size))).toThrow(code("INVALID_ARGUMENT"));
  });
});
