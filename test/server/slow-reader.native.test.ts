// A client that does not read its stream holds up nobody, and costs no more memory than its text.
import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp, toNodeHandler } from "../../lib/server.js";
import { chunksOf, testApp, textOf } from "./app.js";
import type { TestApp } from "./app.js";
import { isIdle, send, until } from "./sockets.js";

let server: TestApp;
beforeAll(async () => (server = await testApp({}, { sequences: 2, contextSize: 8192 })));
afterAll(async () => server[Symbol.asyncDispose]());

const CHAT = "/v1/chat/completions";
const TOKENS = 500;
const long = {
  messages: [{ role: "user", content: "What is 1+1?" }],
  ignore_eos: true,
  max_tokens: TOKENS,
  stream: true,
  seed: 3,
};
const short = { ...long, ignore_eos: false, max_tokens: 64 };

test("what a reader has not taken is put together: few chunks, and no token is lost", async () => {
  const response = await server.post(CHAT, {
    ...long,
    stream_options: { include_usage: true },
  });
  while (!isIdle(server.model)) await sleep(5);
  const chunks = await chunksOf(response);
  expect(chunks.at(-1)?.usage?.completion_tokens).toBe(TOKENS);
  expect(chunks.length).toBeLessThan(TOKENS / 10);
  const text = textOf(chunks, "reasoning_content") + textOf(chunks, "content");
  expect(text.length).toBeGreaterThan(TOKENS / 2);
});

test("a socket that reads nothing buffers little, and other streams end meanwhile", async () => {
  const app = createApp({ r1: server.model });
  const handler = toNodeHandler(app);
  let stuck: ServerResponse | undefined;
  const http = createServer((request, response) => {
    stuck ??= response;
    void handler(request, response);
  }).listen(0, "127.0.0.1");
  await once(http, "listening");
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}${CHAT}`;
  // Alternatives with each token make the reply larger than what the system buffers.
  const slow = send(url, { ...long, max_tokens: 3000, logprobs: true, top_logprobs: 20 });
  (await slow.response).pause();
  for (let i = 0; i < 3; i++) {
    const { response } = send(url, { ...short, seed: i });
    let text = "";
    for await (const piece of (await response).setEncoding("utf8")) text += String(piece);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
    expect(stuck?.writableLength).toBeLessThan(2 ** 20);
  }
  slow.client.destroy();
  await until(() => server.model.stats().running === 0, "the slow reader's sequence is free");
  http.closeAllConnections();
  http.close();
});
