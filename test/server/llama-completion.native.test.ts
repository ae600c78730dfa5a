// POST /completion in llama-server's own form, counts of tokens, and signs of life in streams of
// several choices.
import { afterAll, beforeAll, expect, test } from "vitest";
import { chunksOf, eventsOf, jsonOf, testApp } from "./app.js";
import type { TestApp } from "./app.js";

let server: TestApp;
beforeAll(async () => (server = await testApp()));
afterAll(async () => server[Symbol.asyncDispose]());

interface Reply {
  readonly content: string;
  readonly stop: boolean;
  readonly stop_type: string;
  readonly tokens_predicted: number;
  readonly timings: Record<string, number>;
}

test("POST /completion has the same text whole and streamed, and says why it ended", async () => {
  const ask = { prompt: "1+1=", n_predict: 6, temperature: 0 };
  const whole = await jsonOf<Reply>(server.post("/completion", ask));
  expect(whole).toMatchObject({ stop: true, stop_type: "limit", tokens_predicted: 6 });
  expect(whole.timings["predicted_n"]).toBe(6);
  const events = await eventsOf(server.post("/completion", { ...ask, stream: true }));
  const parts = events.map((event) => JSON.parse(event) as Reply);
  expect(parts.map(({ content }) => content).join("")).toBe(whole.content);
  expect(parts.map(({ stop }) => stop)).toEqual(parts.map((_, i) => i === parts.length - 1));
});

test("POST /chat/completions/input_tokens counts what /apply-template makes", async () => {
  const ask = { messages: [{ role: "user", content: "What is 1+1?" }] };
  const { n_tokens: count } = await jsonOf<{ n_tokens: number }>(
    server.post("/apply-template", ask),
  );
  expect(await jsonOf(server.post("/v1/chat/completions/input_tokens", ask))).toEqual({
    object: "response.input_tokens",
    input_tokens: count,
  });
});

test("progress of one choice is not sent as a chunk of another that has ended", async () => {
  const ask = { messages: [{ role: "user", content: "What is 1+1?" }], n: 3, max_tokens: 1 };
  const chunks = await chunksOf(
    server.post("/v1/chat/completions", { ...ask, stream: true, return_progress: true }),
  );
  const choices = chunks.flatMap((chunk) => chunk.choices);
  for (const index of [0, 1, 2]) {
    const own = choices.filter((one) => one.index === index);
    expect(own.findIndex((one) => one.finish_reason !== null)).toBe(own.length - 1);
    expect(own.filter(({ delta }) => delta.role !== undefined)).toEqual([own[0]]);
  }
});
