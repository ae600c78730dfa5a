// How replies come: forms of the thinking, auxiliary requests, signs of life, "answer now", models
// that load on first use.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel } from "../../lib/index.js";
import type { Model } from "../../lib/index.js";
import { createApp } from "../../lib/server.js";
import { chunksOf, errorOf, jsonOf, only, testApp, textOf } from "./app.js";
import type { Completion, TestApp } from "./app.js";

let server: TestApp;
beforeAll(async () => (server = await testApp({ keepAlive: 1 }, { contextSize: 32_768 })));
afterAll(async () => server[Symbol.asyncDispose]());

const CHAT = "/v1/chat/completions";
const ask = { messages: [{ role: "user", content: "What is 1+1?" }], seed: 7 };

const answerOf = async (path: string, body: object): Promise<Completion["choices"][number]> =>
  only(await jsonOf<Completion>(server.post(path, { ...ask, ...body })));

describe("a mistake is named", () => {
  test.each([
    ["/v1/chat/completion", "Did you mean /v1/chat/completions?"],
    ["/api/v1/chat/completions", "Did you mean /v1/chat/completions?"],
    ["/think/v1/chat/completion", "Did you mean /think/v1/chat/completions?"],
    ["/v1/mesages", "Did you mean /v1/messages?"],
    ["/wp-login.php", "GET /openapi.json lists the routes."],
  ])("in the path %s", async (path, hint) => {
    expect((await errorOf(server.post(path, ask), 404)).message).toContain(hint);
  });

  test.each([
    [CHAT, { prompt: "What is 1+1?" }, "`messages` is missing"],
    [CHAT, { messages: [{ content: "What is 1+1?" }] }, "`messages[0].role` is missing"],
    ["/v1/completions", ask, "`prompt` is missing"],
  ])("of %s: %j", async (path, body, message) => {
    expect((await errorOf(server.post(path, body), 400)).message).toBe(message);
  });
});

describe("the thinking", () => {
  test.each(["reasoning_content", "reasoning", "both", "hidden"])("as %s", async (form) => {
    const { message } = await answerOf(CHAT, { reasoning_format: form });
    expect("reasoning_content" in message).toBe(form === "reasoning_content" || form === "both");
    expect("reasoning" in message).toBe(form === "reasoning" || form === "both");
    expect(message.content).not.toContain("<think>");
  });

  test("as tags has both of them, whole and streamed, also when it is cut off", async () => {
    const { message } = await answerOf(CHAT, { reasoning_format: "tags" });
    expect(message.content).toMatch(/^<think>\n[^]+\n<\/think>\n\n[^]+$/);
    const streamed = await chunksOf(
      server.post("/think/v1/chat/completions", { ...ask, stream: true }),
    );
    expect(textOf(streamed, "content")).toBe(message.content);
    const cut = await answerOf("/think/v1/chat/completions", { max_tokens: 5 });
    expect(cut.message.content).toMatch(/^<think>\n[^]+\n<\/think>\n\n$/);
  });

  test.each([
    { reasoning_effort: "none" },
    { reasoning: { effort: "none" } },
    { reasoning: { enabled: false } },
    { thinking: { type: "disabled" } },
    { chat_template_kwargs: { enable_thinking: false } },
    { reasoning_budget_tokens: 0 },
  ])("is off by %j", async (wish) => {
    const { message } = await answerOf(CHAT, wish);
    expect(message.reasoning_content).toBeUndefined();
    expect(message.content).toMatch(/\S/);
  });

  test("is off below /fast", async () => {
    const { message } = await answerOf("/fast/v1/chat/completions", {});
    expect(message.reasoning_content).toBeUndefined();
  });

  test("ends when the client asks for the answer now", async () => {
    const long = { ...ask, stream: true, logit_bias: { "1": false } };
    const response = await server.post(CHAT, long);
    const reader = response.body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value as Uint8Array);
    const id = /"id":"([^"]+)"/.exec(first)?.[1];
    const control = { id, action: "reasoning_end" };
    expect(await jsonOf(server.post(`${CHAT}/control`, control))).toMatchObject({ success: true });
    await reader.cancel();
    await errorOf(server.post(`${CHAT}/control`, { ...control, id: "chatcmpl-x" }), 404);
  });
});

test("a last message of the assistant is continued", async () => {
  const begun = { role: "assistant", content: "1+1 =" };
  const { message } = await answerOf(CHAT, { messages: [...ask.messages, begun], max_tokens: 8 });
  expect(message.content).not.toContain("1+1 =");
  expect(message.reasoning_content).toBeUndefined();
});

describe("an auxiliary request", () => {
  const title = { messages: [{ role: "user", content: "### Task:\nGenerate a title." }] };

  test("answers without thinking", async () => {
    const { message } = await answerOf(CHAT, title);
    expect(message.reasoning_content).toBeUndefined();
    const usual = await answerOf(CHAT, {
      messages: [{ role: "user", content: "Generate a title." }],
      reasoning_effort: "low",
    });
    expect(usual.message.reasoning_content).toBeDefined();
  });
});

describe("a long silence", () => {
  const holding = { ...ask, stream: true, ignore_eos: true };
  /** Requests that fill every sequence, and the queue before the next one. */
  const occupy = async (signal: AbortSignal): Promise<Promise<Response>[]> => {
    const busy = Array.from({ length: 8 }, async () =>
      server.app.fetch(
        new Request(`http://localhost${CHAT}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ ...holding, max_tokens: -1 }),
          signal,
        }),
      ),
    );
    await sleep(300);
    return busy;
  };
  const letGo = async (gone: AbortController, busy: Promise<Response>[]): Promise<void> => {
    gone.abort();
    await Promise.allSettled(busy.map(async (one) => (await one).body?.cancel()));
  };
  const rest = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> => {
    let text = "";
    for (let next = await reader.read(); !next.done; next = await reader.read())
      text += new TextDecoder().decode(next.value);
    return text;
  };

  test("of a stream is broken by comments, or by empty chunks", async () => {
    const gone = new AbortController();
    const busy = await occupy(gone.signal);
    const response = await server.post(CHAT, { ...holding, max_tokens: 4 });
    const reader = response.body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value as Uint8Array);
    expect(first).toBe(": keep-alive\n\n");
    await letGo(gone, busy);
    expect(await rest(reader)).toContain("data: [DONE]");
  });

  test("of a reply that does not stream is broken by white space before the JSON", async () => {
    const gone = new AbortController();
    const busy = await occupy(gone.signal);
    const response = await server.post(CHAT, { ...ask, max_tokens: 4, reasoning_effort: "none" });
    const reader = response.body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value as Uint8Array);
    expect(first).toMatch(/^\n+$/);
    await letGo(gone, busy);
    expect(JSON.parse(await rest(reader))).toMatchObject({ object: "chat.completion" });
  });
});

test("/health is 503 while a model loads, and 200 then", async () => {
  let isLoaded = (_: Model): void => undefined;
  const loading = new Promise<Model>((resolve) => (isLoaded = resolve));
  const app = createApp({ r1: () => loading });
  const loaded = app.load("r1");
  const health = async (): Promise<number> => (await app.request("/health")).status;
  expect(await health()).toBe(503);
  const model = await loadModel({ contextSize: 512 });
  isLoaded(model);
  await loaded;
  expect(await health()).toBe(200);
  await model.close();
});

test("models by name load on first use, and the idle one is closed for another", async () => {
  const opened: Model[] = [];
  const open = async (): Promise<Model> => {
    const model = await loadModel({ contextSize: 512 });
    opened.push(model);
    return model;
  };
  const app = createApp({ a: open, b: open }, { maxModelBytes: 12 * 2 ** 20 });
  const status = async (model: string): Promise<number> => {
    const body = JSON.stringify({ ...ask, model, max_tokens: 2 });
    const headers = { "content-type": "application/json" };
    const request = new Request(`http://localhost${CHAT}`, { method: "POST", headers, body });
    return (await app.fetch(request)).status;
  };
  expect(opened).toHaveLength(0);
  expect([await status("a"), await status("a"), await status("b")]).toEqual([200, 200, 200]);
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  expect(await status("c")).toBe(404);
  await app.close();
  expect(opened.every(({ isClosed }) => isClosed)).toBe(true);
});

test("a request that asks for its place in the queue is sent each place, and then its reply", async () => {
  await using small = await testApp({}, { sequences: 1, contextSize: 8192 });
  const leave = new AbortController();
  const request = (body: object, signal?: AbortSignal): Promise<Response> => {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ ...ask, ...body }) };
    return Promise.resolve(
      small.app.fetch(
        new Request(`http://localhost${CHAT}`, signal === undefined ? init : { ...init, signal }),
      ),
    );
  };
  const endless = { ignore_eos: true, max_tokens: 7000, stream: true };
  // One runs, one has the engine's next turn, one waits before ours.
  const others = [0, 1, 2].map(() => request(endless, leave.signal));
  const waiting = request({ stream: true, return_queue: true, max_tokens: 5 });
  const reader = (await waiting).body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value ?? "";
  expect(text).toMatch(/"queue_position":1\b/);
  leave.abort();
  await Promise.allSettled(others.map(async (one) => (await one).body?.cancel()));
  for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
  expect(text.indexOf('"queue_position"')).toBeLessThan(text.indexOf('"reasoning_content"'));
  expect(text).toMatch(/"reasoning_content":"[^]*data: \[DONE\]\n\n$/);
});

test("wrong defaults are refused when the app is made, not when a request comes", () => {
  const defaults = { temperature: "hot" } as never;
  expect(() => createApp({ "tiny-r1": server.model }, { defaults })).toThrow(/temperature/);
});

describe("what the server's own defaults say about thinking", () => {
  test.each<[string, object, RegExp]>([
    ["/v1/chat/completions", ask, /"reasoning_content"/],
    ["/v1/responses", { input: "What is 1+1?" }, /"type":"reasoning"/],
    [
      "/v1/messages",
      {
        messages: ask.messages,
        max_tokens: 2000,
        model: "tiny-r1",
        thinking: { type: "enabled", budget_tokens: 1024 },
      },
      /"type":"thinking"/,
    ],
  ])("holds in %s", async (path, body, thinking) => {
    const quick = createApp(
      { "tiny-r1": server.model },
      { defaults: { reasoning: { mode: "off" } } },
    );
    const request = (): Request =>
      new Request(`http://localhost${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const text = await (await quick.fetch(request())).text();
    if (path === "/v1/messages")
      expect(text).toMatch(thinking); // It asks for thinking itself.
    else expect(text).not.toMatch(thinking);
    expect(await (await server.app.fetch(request())).text()).toMatch(thinking);
  });
});
