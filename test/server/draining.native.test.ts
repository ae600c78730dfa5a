// Shutting down: how long the calls that wait for running requests take.
import { afterAll, beforeAll, expect, test } from "vitest";
import { testApp } from "./app.js";
import type { TestApp } from "./app.js";

let server: TestApp;
beforeAll(async () => (server = await testApp()));
afterAll(async () => server[Symbol.asyncDispose]());

test("a later drain shortens the wait of the ones before it", async () => {
  const messages = [{ role: "user", content: "What is 1+1?" }];
  const endless = { messages, ignore_eos: true, max_tokens: -1, stream: true };
  const reply = (await server.post("/v1/chat/completions", endless)).text();
  const earlier = server.app.drain(600_000);
  await server.app.drain(1);
  await earlier;
  expect(await reply).toContain("shutting_down");
}, 60_000);
