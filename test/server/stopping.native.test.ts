// A client that goes away frees its sequence, in whatever state its request is.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isIdle, send, socketServer, until } from "./sockets.js";
import type { SocketServer } from "./sockets.js";

let one: SocketServer;
beforeAll(
  async () =>
    (one = await socketServer(
      { defaults: { loopGuard: false } },
      { sequences: 1, contextSize: 32_768 },
    )),
);
afterAll(async () => one[Symbol.asyncDispose]());

/** Ten times what a machine without other work takes. */
const SOON_MS = 2000;

const endless = {
  messages: [{ role: "user", content: "What is 1+1?" }],
  ignore_eos: true,
  max_tokens: -1,
  t_max_predict_ms: 120_000,
};
const chat = (): string => `${one.server.url}/v1/chat/completions`;
const isBusy = (): boolean => one.model.stats().running > 0;

async function freesSoon(goAway: () => void): Promise<void> {
  const started = performance.now();
  goAway();
  await until(() => isIdle(one.model), "the sequence is free");
  expect(performance.now() - started).toBeLessThan(SOON_MS);
}

test("while the reply streams and is read", async () => {
  const { client, response } = send(chat(), { ...endless, stream: true });
  const reply = await response;
  await once(reply, "data");
  expect(isBusy()).toBe(true);
  await freesSoon(() => client.destroy());
});

test("while the answer streams, after the thinking", async () => {
  const { client, response } = send(chat(), { ...endless, stream: true, reasoning_effort: "none" });
  let text = "";
  (await response).setEncoding("utf8").on("data", (piece: string) => (text += piece));
  await until(() => /"content":"[^"]/.test(text), "the answer has begun");
  await freesSoon(() => client.destroy());
});

test("while nobody reads the stream", async () => {
  const { client, response } = send(chat(), { ...endless, stream: true });
  (await response).pause();
  await sleep(300);
  expect(isBusy()).toBe(true);
  await freesSoon(() => client.destroy());
});

test("while the reply is not streamed", async () => {
  const { client } = send(chat(), endless);
  await until(isBusy, "it runs");
  await freesSoon(() => client.destroy());
});

test("while its prompt is computed", async () => {
  const content = "one two three four ".repeat(1500);
  const { client } = send(chat(), { ...endless, messages: [{ role: "user", content }] });
  await until(isBusy, "the prompt is computed");
  await freesSoon(() => client.destroy());
});

test("while it waits for its turn", async () => {
  const first = send(chat(), { ...endless, stream: true });
  await once(await first.response, "data");
  const waiting = Array.from({ length: 5 }, () => send(chat(), endless));
  const gate = (): string => `${one.server.url}/metrics`;
  const deferred = async (): Promise<number> => {
    const text = await (await fetch(gate())).text();
    return Number(/^llamacpp:requests_deferred (\d+)/m.exec(text)?.[1]);
  };
  while ((await deferred()) < 5) await sleep(10);
  for (const { client } of waiting) client.destroy();
  while ((await deferred()) > 0) await sleep(10);
  expect(one.model.stats().running).toBe(1);
  await freesSoon(() => first.client.destroy());
});
