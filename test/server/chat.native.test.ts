// Chat completions on the embedded model: what is in them, whole and streamed.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chunksOf, errorOf, jsonOf, only, testApp, textOf } from "./app.js";
import type { Completion, TestApp } from "./app.js";

let server: TestApp;
beforeAll(async () => (server = await testApp({}, { deterministic: true })));
afterAll(async () => server[Symbol.asyncDispose]());

const ask = { messages: [{ role: "user", content: "What is 1+1?" }], seed: 7 };
const CHAT = "/v1/chat/completions";

const numbers = { type: "object", properties: { a: { type: "integer" }, b: { type: "integer" } } };
const add = {
  type: "function",
  function: { name: "add", parameters: { ...numbers, required: ["a", "b"] } },
};

describe("a chat completion", () => {
  test("has the thinking beside the answer, and counts both", async () => {
    const body = await jsonOf<Completion>(server.post(CHAT, ask));
    const choice = only(body);
    expect(choice).toMatchObject({ index: 0, logprobs: null, finish_reason: "stop" });
    expect(choice.message).toMatchObject({ role: "assistant", refusal: null });
    expect(choice.message.reasoning_content).toMatch(/\S/);
    expect(choice.message.content).toMatch(/\S/);
    const { usage } = body;
    expect(usage?.total_tokens).toBe(usage!.prompt_tokens + usage!.completion_tokens);
    expect(usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0);
  });

  test("streams the same text that it has whole, role first and one end", async () => {
    const { message } = only(await jsonOf<Completion>(server.post(CHAT, ask)));
    const chunks = await chunksOf(server.post(CHAT, { ...ask, stream: true }));
    const choices = chunks.map(only);
    expect(choices[0]?.delta).toEqual({ role: "assistant", content: "" });
    expect(textOf(chunks, "content")).toBe(message.content);
    expect(textOf(chunks, "reasoning_content")).toBe(message.reasoning_content);
    expect(choices.filter(({ delta }) => delta.role !== undefined)).toHaveLength(1);
    expect(choices.filter((choice) => choice.finish_reason !== null)).toEqual([choices.at(-1)]);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);
  });

  test("sends the usage of all choices in a last chunk when asked for", async () => {
    const chunks = await chunksOf(
      server.post(CHAT, { ...ask, n: 3, stream: true, stream_options: { include_usage: true } }),
    );
    const last = chunks.at(-1);
    expect(last?.choices).toEqual([]);
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    const ends = chunks
      .flatMap(({ choices }) => choices)
      .filter((one) => one.finish_reason !== null);
    expect(ends.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    const { usage } = await jsonOf<Completion>(server.post(CHAT, { ...ask, n: 3 }));
    expect(last?.usage).toMatchObject({
      completion_tokens: usage?.completion_tokens,
      prompt_tokens: usage?.prompt_tokens,
    });
  });

  test("has log probabilities of the answer in the stream as in the whole", async () => {
    const options = { ...ask, logprobs: true, top_logprobs: 2, reasoning_effort: "none" };
    const whole = only(await jsonOf<Completion>(server.post(CHAT, options))).logprobs?.content;
    const chunks = await chunksOf(server.post(CHAT, { ...options, stream: true }));
    const streamed = chunks.flatMap((chunk) => only(chunk).logprobs?.content ?? []);
    expect(streamed).toEqual(whole);
    expect(streamed[0]?.top_logprobs).toHaveLength(2);
  });

  test("streams a forced call as deltas whose arguments are JSON", async () => {
    const forced = { tools: [add], tool_choice: "required", reasoning_effort: "none" };
    const chunks = await chunksOf(server.post(CHAT, { ...ask, ...forced, stream: true }));
    const deltas = chunks.flatMap((chunk) => only(chunk).delta.tool_calls ?? []);
    const first = deltas.filter(({ index }) => index === 0);
    expect(first[0]).toMatchObject({ type: "function", function: { name: "add" } });
    expect(first.filter(({ id }) => id !== undefined)).toHaveLength(1);
    const given = JSON.parse(first.map((one) => one.function?.arguments).join("")) as object;
    expect(Object.keys(given)).toEqual(["a", "b"]);
    expect(Object.values(given).every(Number.isInteger)).toBe(true);
    expect(only(chunks.at(-1)!).finish_reason).toBe("tool_calls");
  });

  test("holds the answer to a schema after free thinking", async () => {
    const schema = { ...numbers, required: ["a", "b"], additionalProperties: false };
    const { message } = only(
      await jsonOf<Completion>(
        server.post(CHAT, {
          ...ask,
          reasoning_effort: "low",
          response_format: { type: "json_schema", json_schema: { name: "sum", schema } },
        }),
      ),
    );
    const given = JSON.parse(message.content ?? "") as object;
    expect(Object.keys(given)).toEqual(["a", "b"]);
    expect(message.reasoning_content).toMatch(/\S/);
  });
});

test("fields that are not known are named in a header, and the request is answered", async () => {
  const response = await server.post(CHAT, { ...ask, max_tokens: 4, store: true, frobnicate: 1 });
  expect(response.status).toBe(200);
  expect(response.headers.get("x-r1-ignored")).toBe("store, frobnicate");
});

const image = { role: "user", content: [{ type: "image_url" }] };

test.each([
  ["max_tokens", { max_tokens: "30" }],
  ["temperature", { temperature: "0.7" }],
  ["temperature", { temperature: -1 }],
  ["n", { n: 1000 }],
  ["stop", { stop: "" }],
  ["top_logprobs", { top_logprobs: 3 }],
  ["messages", { messages: [] }],
  ["messages[0].role", { messages: [{ role: "wizard", content: "hi" }] }],
  ["messages[0].content[0].type", { messages: [image] }],
  ["response_format.type", { response_format: { type: "xml" } }],
  ["tool_choice", { tool_choice: "required" }],
])("a wrong request is a 400 in OpenAI's form that names %s", async (param, wrong) => {
  const error = await errorOf(server.post(CHAT, { ...ask, ...wrong }), 400);
  expect(error).toMatchObject({ type: "invalid_request_error", param });
  expect(typeof error.code).toBe("string");
});
