// What keeps strangers and greedy requests out, each by its own switch, all on by default.
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isR1Error } from "../../lib/index.js";
import { createApp, serve } from "../../lib/server.js";
import type { ServerLogger, ServerOptions } from "../../lib/server.js";
import { errorOf, jsonOf, testApp } from "./app.js";
import type { TestApp } from "./app.js";

let server: TestApp;
beforeAll(async () => (server = await testApp()));
afterAll(async () => server[Symbol.asyncDispose]());

const CHAT = "/v1/chat/completions";
const ask = { messages: [{ role: "user", content: "What is 1+1?" }], max_tokens: 4 };

/** Another app on the same model. */
function appWith(options: ServerOptions): (path: string, init?: RequestInit) => Promise<Response> {
  const app = createApp({ "tiny-r1": server.model }, options);
  return async (path, init) => app.fetch(new Request(`http://localhost${path}`, init));
}

const posting = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: typeof body === "string" ? body : JSON.stringify(body),
});

describe("keys", () => {
  test("are asked for on every route but /health, also where there is no route", async () => {
    const get = appWith({ apiKeys: ["secret"] });
    expect((await get("/health")).status).toBe(200);
    for (const path of ["/", "/v1/models", "/metrics", "/props", "/openapi.json", "/nowhere"])
      expect((await get(path)).status, path).toBe(401);
    const error = await errorOf(get(CHAT, posting(ask)), 401);
    expect(error).toMatchObject({ type: "authentication_error", code: "invalid_api_key" });
  });

  test("are taken as bearer and as x-api-key, and nothing else is", async () => {
    const get = appWith({ apiKeys: ["other", { name: "mine", key: "secret" }] });
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await get("/v1/models", { headers })).status;
    expect(await status({ authorization: "Bearer secret" })).toBe(200);
    expect(await status({ "x-api-key": "secret" })).toBe(200);
    expect(await status({ authorization: "Basic secret" })).toBe(401);
    expect(await status({ authorization: "Bearer secret2" })).toBe(401);
    expect(await status({ authorization: "Bearer " })).toBe(401);
  });

  test("of a file are read again when it changes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "r1-keys-"));
    const file = join(folder, "keys.txt");
    await writeFile(file, "# keys\nalice first\n");
    const get = appWith({ apiKeyFile: file });
    const status = async (key: string): Promise<number> =>
      (await get("/v1/models", { headers: { "x-api-key": key } })).status;
    expect(await status("first")).toBe(200);
    await writeFile(file, "bob second\n");
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    await sleep(1100);
    expect([await status("first"), await status("second")]).toEqual([401, 200]);
    await rm(folder, { recursive: true });
  });
});

test("an address that other machines reach is refused without a key", async () => {
  const app = createApp({ "tiny-r1": server.model });
  const refused = await serve(app, { host: "0.0.0.0", port: 0 }).catch((error: unknown) => error);
  expect(isR1Error(refused, "INVALID_ARGUMENT")).toBe(true);
  const open = await serve(app, { host: "0.0.0.0", port: 0, allowUnauthenticated: true });
  await open.close();
});

test("a host name that was not allowed is refused; addresses and localhost are not", async () => {
  const app = createApp({ "tiny-r1": server.model }, { allowedHosts: ["r1.example.com"] });
  const status = async (host: string): Promise<number> =>
    (await app.fetch(new Request(`http://${host}/v1/models`))).status;
  expect(await status("evil.example")).toBe(403);
  expect(await status("r1.example.com:8080")).toBe(200);
  for (const host of ["localhost", "127.0.0.1:99", "[::1]:8080", "192.168.1.7"])
    expect(await status(host), host).toBe(200);
});

describe("web pages", () => {
  const origin = "https://chat.example.com";
  test("of other origins are refused, also when they ask without a preflight", async () => {
    const get = appWith({});
    expect((await get(CHAT, posting(ask, { origin }))).status).toBe(403);
    expect((await get("/v1/models", { headers: { "sec-fetch-site": "cross-site" } })).status).toBe(
      403,
    );
    expect((await get(CHAT, { method: "OPTIONS", headers: { origin } })).status).toBe(403);
    const plain = { ...posting(ask), headers: { "content-type": "text/plain" } };
    expect((await get(CHAT, plain)).status).toBe(415);
  });

  test("that are listed get the headers they need", async () => {
    const get = appWith({ corsOrigins: [origin] });
    const preflight = await get(CHAT, { method: "OPTIONS", headers: { origin } });
    expect(preflight.status).toBe(204);
    const reply = await get(CHAT, posting(ask, { origin }));
    expect(reply.status).toBe(200);
    expect(reply.headers.get("access-control-allow-origin")).toBe(origin);
    expect(reply.headers.has("access-control-allow-credentials")).toBe(false);
  });
});

describe("bounds", () => {
  const nested = (depth: number): string => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  test.each([
    [413, "a long body", `{"a":"${"x".repeat(9 * 2 ** 20)}"}`],
    [400, "a deep body", nested(100_000)],
    [400, "what is no JSON", "{"],
    [400, "what is no object", "[1]"],
  ])("%i for %s", async (status, _what, body) => {
    expect((await server.post(CHAT, body)).status).toBe(status);
  });

  test.each([
    ["n", { n: 17 }],
    ["stop", { stop: Array.from({ length: 17 }, (_, i) => `s${i}`) }],
    ["top_logprobs", { logprobs: true, top_logprobs: 21 }],
    [
      "messages",
      { messages: Array.from({ length: 5000 }, () => ({ role: "user", content: "x" })) },
    ],
    [
      "tools",
      {
        tools: Array.from({ length: 129 }, (_, i) => ({
          type: "function",
          function: { name: `f${i}` },
        })),
      },
    ],
    ["json_schema", { json_schema: { description: "x".repeat(300_000) } }],
  ])("400 for too much of %s", async (param, much) => {
    expect(await errorOf(server.post(CHAT, { ...ask, ...much }), 400)).toMatchObject({ param });
  });

  test("429 when a key has too many waiting, 503 when all have, both with Retry-After", async () => {
    const running = { maxRunningPerKey: 1 };
    const long = { ...ask, max_tokens: 2000, ignore_eos: true };
    const full = async (options: ServerOptions, key: string): Promise<Response[]> => {
      const get = appWith(options);
      const gone = new AbortController();
      const many = Array.from({ length: 4 }, (_, i) =>
        get(CHAT, { ...posting(long, { "x-api-key": i < 3 ? "a" : key }), signal: gone.signal }),
      );
      const ended = Promise.any(
        many.map(async (one) => {
          const response = await one;
          if (response.status < 400) throw new Error("answered");
          return response;
        }),
      );
      const refused = await ended;
      gone.abort();
      await Promise.allSettled(many);
      return [refused];
    };
    const [limited] = await full(
      { apiKeys: ["a"], limits: { ...running, maxQueuePerKey: 1 } },
      "a",
    );
    expect(limited?.status).toBe(429);
    expect(Number(limited?.headers.get("retry-after"))).toBeGreaterThan(0);
    const [busy] = await full({ apiKeys: ["a", "b"], limits: { ...running, maxQueue: 1 } }, "b");
    expect(busy?.status).toBe(503);
    expect(Number(busy?.headers.get("retry-after-ms"))).toBeGreaterThan(0);
  });
});

test("no text of a request is in a log, a metric or an error", async () => {
  const secret = "xyzzy-plugh-9321";
  const lines: string[] = [];
  const note = (fields: object, message: string): void =>
    void lines.push(
      `${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value))} ${message}`,
    );
  const logger: ServerLogger = { debug: note, info: note, warn: note, error: note };
  const get = appWith({ logger });
  const messages = [{ role: "user", content: secret }];
  await (await get(CHAT, posting({ ...ask, messages }))).text();
  const bad = await (await get(CHAT, posting({ ...ask, messages, temperature: -1 }))).text();
  const long = { ...ask, messages: [{ role: "user", content: `${secret} `.repeat(20_000) }] };
  const tooLong = await (await get(CHAT, posting(long))).text();
  const metrics = await (await get("/metrics")).text();
  expect(lines.length).toBeGreaterThan(2);
  for (const text of [bad, tooLong, metrics, ...lines]) expect(text).not.toContain(secret);
});

test("errors name no path of this machine", async () => {
  const props = await jsonOf<{ model_path: string }>(server.get("/props"));
  expect(props.model_path).toBe("tiny-r1.gguf");
  const error = await errorOf(server.post(CHAT, { ...ask, model: "/etc/passwd" }), 404);
  expect(error).toMatchObject({ code: "model_not_found", param: "model" });
});

test("neither a template nor a file is taken from a request", async () => {
  const extra = {
    chat_template: "{{ 1 }}",
    chat_template_kwargs: { x: 1 },
    grammar_file: "/etc/passwd",
  };
  const response = await server.post(CHAT, { ...ask, ...extra });
  expect(response.status).toBe(200);
  expect(response.headers.get("x-r1-ignored")).toBe("chat_template, grammar_file");
});
