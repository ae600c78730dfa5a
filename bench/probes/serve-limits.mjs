// A server of ours in this process, and clients that go away, wait or disconnect at random: how soon
// sequences are free, and what memory does. Runs in a child process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { between, median, percentile, random } from "../core/stats.mjs";
import { libraryEntry, loadModel } from "./library.mjs";

const IDLE_CLIENTS = fileURLToPath(new URL("./idle-clients.mjs", import.meta.url));

let model;
let server;

export async function open({ path, threads, sequences, contextSize, limits }) {
  const { createApp, serve } = await libraryEntry("server");
  model = await loadModel(path, { threads, sequences, contextSize, kvUnified: true });
  server = await serve(createApp({ r1: model }, { limits }), { port: 0 });
  return { base: server.url };
}

const isIdle = () => {
  const { running, waiting, preparing } = model.stats();
  return running + waiting + preparing === 0;
};

function send(body) {
  const client = request(`${server.url}/v1/chat/completions`, {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json" },
  });
  client.on("error", () => undefined);
  const response = new Promise((resolve) => client.on("response", resolve));
  client.end(JSON.stringify(body));
  return { client, response };
}

const ask = (content, more) => ({
  messages: [{ role: "user", content }],
  ignore_eos: true,
  max_tokens: -1,
  ...more,
});

/** So many requests from another process, which only wait; resolves with it when all are answered. */
async function hold(count, body) {
  const url = `${server.url}/v1/chat/completions`;
  const clients = spawn(
    process.execPath,
    [IDLE_CLIENTS, url, String(count), JSON.stringify(body)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  await once(clients.stdout, "data");
  return clients;
}

async function untilText(response, pattern) {
  let text = "";
  response.setEncoding("utf8").on("data", (piece) => (text += piece));
  while (!pattern.test(text)) await sleep(1);
}

/** Brings a request into a state; resolves with what ends it. */
const STATES = {
  "in its prompt": async () => {
    const { client } = send(ask("one two three four ".repeat(300), { stream: true }));
    while (model.stats().running === 0) await sleep(1);
    return client;
  },
  reasoning: async () => {
    const { client, response } = send(ask("What is 1+1?", { stream: true }));
    await untilText(await response, /"reasoning_content":"[^"]/);
    return client;
  },
  answering: async () => {
    const body = ask("What is 1+1?", { stream: true, reasoning_effort: "none" });
    const { client, response } = send(body);
    await untilText(await response, /"content":"[^"]/);
    return client;
  },
  "not streaming": async () => {
    const { client } = send(ask("What is 1+1?", {}));
    while (model.stats().running === 0) await sleep(1);
    await sleep(20);
    return client;
  },
  "reading nothing": async () => {
    const { client, response } = send(ask("What is 1+1?", { stream: true }));
    (await response).pause();
    await sleep(100);
    return client;
  },
};

/** By state, the times until the engine had nothing to do. Unit: milliseconds. */
export async function stops({ rounds }) {
  const found = {};
  for (const [name, begin] of Object.entries(STATES)) {
    const times = [];
    for (let round = 0; round < rounds; round++) {
      const client = await begin();
      const start = performance.now();
      client.destroy();
      while (!isIdle()) await sleep(1);
      times.push(performance.now() - start);
    }
    found[name] = { median: median(times), longest: Math.max(...times) };
  }
  found.queued = await stopsQueued(rounds);
  return found;
}

/** The number of requests at the gate, as `/metrics` has it. */
async function deferred() {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^llamacpp:requests_deferred (\d+)/m.exec(text)[1]);
}

async function stopsQueued(rounds) {
  const busy = await hold(model.info.sequences, ask("What is 1+1?", { stream: true }));
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const { client } = send(ask("What is 1+1?", { stream: true }));
    while ((await deferred()) === 0) await sleep(1);
    const start = performance.now();
    client.destroy();
    while ((await deferred()) > 0) await sleep(1);
    times.push(performance.now() - start);
  }
  busy.kill();
  while (!isIdle()) await sleep(1);
  return { median: median(times), longest: Math.max(...times) };
}

/** Memory of streams that wait for their turn behind a long one. */
export async function idleStreams({ count }) {
  const busy = await hold(model.info.sequences, ask("What is 1+1?", { stream: true }));
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const waiting = await hold(count, ask("What is 1+1?", { stream: true, return_queue: true }));
  await sleep(500);
  globalThis.gc?.();
  const bytes = process.memoryUsage.rss() - before;
  waiting.kill();
  busy.kill();
  while (!isIdle()) await sleep(5);
  return { bytes };
}

/** Times of `GET /health` while so many streams run. Unit: milliseconds. */
export async function health({ count }) {
  const busy = Array.from({ length: model.info.sequences }, () =>
    send(ask("What is 1+1?", { stream: true })),
  );
  for (const { response } of busy) (await response).resume();
  const times = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const client = request(`${server.url}/health`, { agent: false });
    client.end();
    const [response] = await once(client, "response");
    response.resume();
    times.push(performance.now() - start);
    await sleep(5);
  }
  for (const { client } of busy) client.destroy();
  while (!isIdle()) await sleep(5);
  return { median: median(times), late: percentile(times, 99) };
}

/** Requests, most of which go away at a random moment. */
export async function disconnects({ count }) {
  const next = random(77);
  const memory = [];
  let ended = 0;
  let started = 0;
  const one = async () => {
    const isStreamed = next() < 0.7;
    const body = ask("What is 1+1?", { stream: isStreamed, max_tokens: between(next, 1, 40) });
    const { client, response } = send(body);
    const closed = new Promise((resolve) => client.on("close", resolve));
    const leavesAfter = next() < 0.7 ? between(next, 0, 60) : undefined;
    response.then((reply) => (next() < 0.1 ? reply.pause() : reply.resume()));
    const timer = setTimeout(() => client.destroy(), leavesAfter ?? 20_000);
    await closed;
    clearTimeout(timer);
    ended++;
    if (ended % Math.max(1, Math.floor(count / 40)) === 0) {
      globalThis.gc?.();
      memory.push(process.memoryUsage.rss());
    }
  };
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (started++ < count) await one();
    }),
  );
  for (let i = 0; i < 1000 && !isIdle(); i++) await sleep(5);
  const { running, waiting, preparing } = model.stats();
  return { ended, memory, left: running + waiting + preparing, deferred: await deferred() };
}

export async function close() {
  await server.close();
  await model.close();
}
