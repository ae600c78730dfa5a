// Holes that other servers of this kind had, each closed here. safety.native.test.ts has those of
// keys, host names, web pages, bounds, logs and error texts.
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp, serve } from "../../lib/server.js";
import type { RunningServer } from "../../lib/server.js";
import { errorOf, jsonOf, testApp } from "./app.js";
import type { TestApp } from "./app.js";

let made: TestApp;
let locked: RunningServer;
beforeAll(async () => {
  made = await testApp({}, { contextSize: 4096 });
  locked = await serve(createApp({ "tiny-r1": made.model }, { apiKeys: ["secret"] }), { port: 0 });
});
afterAll(async () => {
  await locked.close();
  await made[Symbol.asyncDispose]();
});

const CHAT = "/v1/chat/completions";
const ask = { messages: [{ role: "user", content: "What is 1+1?" }], max_tokens: 4 };

/** The status of a raw request: no client between that mends paths or the host. */
async function rawStatus(path: string, options: RequestOptions = {}, body = ""): Promise<number> {
  const client = request({
    host: "127.0.0.1",
    port: locked.port,
    path,
    agent: false,
    ...options,
  });
  // The server may close a socket whose body it does not want, after its answer.
  client.on("error", () => undefined);
  client.end(body);
  const [response] = (await once(client, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

describe("a path in disguise does not pass by the key", () => {
  test.each([
    "/health/../v1/models",
    "/health/..%2fv1/models",
    "//v1/models",
    "/v1/%6dodels",
    "/v1/models/",
    "/v1/models?path=/health",
    "/v1/models/health",
    "/metrics",
    "/HEALTH/../metrics",
    "/health;/../props",
    "/.%2e/slots",
  ])("%s", async (path) => {
    expect(await rawStatus(path)).toBe(401);
  });

  test("nor does one with a host name inside", async () => {
    const path = `http://127.0.0.1:${locked.port}/v1/models`;
    expect([400, 401, 403]).toContain(await rawStatus(path));
    expect(await rawStatus("/v1/models", { headers: { host: "localhost/health" } })).not.toBe(200);
  });
});

test("a foreign host name is refused over a socket, whatever the key", async () => {
  const headers = { host: "evil.example:80", authorization: "Bearer secret" };
  expect(await rawStatus("/v1/models", { headers })).toBe(403);
  expect(await rawStatus("/health", { headers })).toBe(403);
});

describe("a grammar or schema that would take for ever", () => {
  const rule = (text: string): object => ({ grammar: text });
  const nested = (depth: number): object =>
    depth === 0 ? { type: "string" } : { type: "array", items: nested(depth - 1) };
  test.each([
    ["recurses into itself at once", rule('root ::= root "a"')],
    ["is no grammar", rule("root ::= (")],
    ["has no root", rule('start ::= "a"')],
    ["nests a schema deeper than a body may", { json_schema: nested(70) }],
    ["has a pattern that backtracks", { json_schema: { type: "string", pattern: "^(a+)+(b$" } }],
  ])("%s: 400, and the next request is answered", async (_what, much) => {
    const error = await errorOf(made.post(CHAT, { ...ask, ...much }), 400);
    expect(error.type).toBe("invalid_request_error");
    expect((await made.post(CHAT, ask)).status).toBe(200);
  });
});

describe("numbers that would reach native code", () => {
  test.each([
    ["n", { n: -1 }],
    ["n", { n: 1e9 }],
    ["max_tokens", { max_tokens: -5 }],
    ["max_tokens", { max_tokens: 2 ** 53 }],
    ["top_k", { top_k: 1e308 }],
    ["temperature", { temperature: -1 }],
    ["repeat_last_n", { repeat_last_n: -7 }],
    ["dry_allowed_length", { dry_allowed_length: -(2 ** 40) }],
    ["min_keep", { min_keep: -1 }],
    ["top_logprobs", { logprobs: true, top_logprobs: -1 }],
  ])("%s: 400 with its name", async (param, wrong) => {
    const error = await errorOf(made.post(CHAT, { ...ask, ...wrong }), 400);
    expect(error.param).toBe(param);
  });

  test.each([
    ["prompt", { prompt: [-1] }],
    ["prompt", { prompt: [2 ** 31] }],
    ["best_of", { prompt: "x", best_of: 1e9, n: 17 }],
  ])("%s of a completion", async (_what, wrong) => {
    expect((await made.post("/v1/completions", { max_tokens: 2, ...wrong })).status).toBe(400);
  });

  test("ids of /detokenize that the vocabulary does not have", async () => {
    for (const tokens of [[-1], [2 ** 31], [1.5], ["1"]])
      expect((await made.post("/detokenize", { tokens })).status).toBe(400);
  });
});

describe("what is too large", () => {
  const json = { "content-type": "application/json", authorization: "Bearer secret" };
  test("headers", async () => {
    const headers = { ...json, "x-long": "x".repeat(20_000) };
    expect(await rawStatus("/v1/models", { headers })).toBe(431);
  });

  test("a body in chunks that names no length", async () => {
    const headers = { ...json, "transfer-encoding": "chunked" };
    const body = `{"a":"${"x".repeat(9 * 2 ** 20)}"}`;
    expect(await rawStatus(CHAT, { method: "POST", headers }, body)).toBe(413);
  });
});

test("`__proto__` in a body changes nothing", async () => {
  const body = `{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}},${JSON.stringify(ask).slice(1)}`;
  expect((await made.post(CHAT, body)).status).toBe(200);
  expect(({} as Record<string, unknown>)["isAdmin"]).toBeUndefined();
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
});

test("no URL of a request is fetched", async () => {
  let visits = 0;
  const trap = createServer((_request, response) => {
    visits++;
    response.end();
  }).listen(0, "127.0.0.1");
  await once(trap, "listening");
  const url = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/x.png`;
  const image = { type: "image_url", image_url: { url } };
  const chat = { messages: [{ role: "user", content: [{ type: "text", text: "x" }, image] }] };
  await errorOf(made.post(CHAT, chat), 400);
  const input = [{ role: "user", content: [{ type: "input_image", image_url: url }] }];
  await errorOf(made.post("/v1/responses", { input }), 400);
  const source = { type: "url", url };
  const messages = [{ role: "user", content: [{ type: "image", source }] }];
  expect((await made.post("/v1/messages", { model: "r1", max_tokens: 1, messages })).status).toBe(
    400,
  );
  expect(visits).toBe(0);
  trap.close();
});

test("no file is named by a model, a response or a path", async () => {
  for (const model of ["../../etc/passwd", "/etc/passwd", "tiny-r1/../x", "__proto__"])
    expect((await made.post(CHAT, { ...ask, model })).status, model).toBe(404);
  for (const path of ["/v1/models/..%2f..%2fetc%2fpasswd", "/v1/responses/..%2f..%2fx", "/etc/x"])
    expect((await made.get(path)).status, path).toBe(404);
});

test("special strings of a text stay text, in a conversation and in /tokenize", async () => {
  const special = "<｜User｜>";
  const count = async (body: object): Promise<number> =>
    (await jsonOf<{ tokens: number[] }>(made.post("/tokenize", body))).tokens.length;
  expect(await count({ content: special })).toBeGreaterThan(1);
  expect(await count({ content: special, parse_special: true })).toBe(1);
  interface Counted {
    readonly usage: { readonly prompt_tokens: number };
  }
  const promptOf = async (content: string): Promise<number> => {
    const messages = [{ role: "user", content }];
    const { usage } = await jsonOf<Counted>(made.post(CHAT, { ...ask, messages }));
    return usage.prompt_tokens;
  };
  expect((await promptOf(`a${special}b`)) - (await promptOf("ab"))).toBeGreaterThan(1);
});

test("sequences are listed only when asked for, and without any text", async () => {
  expect((await made.get("/slots")).status).toBe(501);
  const app = createApp({ "tiny-r1": made.model }, { slots: true });
  const secret = "xyzzy-plugh-4711";
  const post = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...ask, messages: [{ role: "user", content: secret }] }),
  };
  await (await app.fetch(new Request(`http://localhost${CHAT}`, post))).text();
  const text = await (await app.fetch(new Request("http://localhost/slots"))).text();
  expect(text).toMatch(/^\[/);
  expect(text).not.toContain("xyzzy");
});

test("there is no page that could run a script: every reply is JSON, events or metrics", async () => {
  for (const path of ["/", "/index.html", "/<script>alert(1)</script>", "/v1/models"]) {
    const response = await made.get(path);
    expect(response.headers.get("content-type"), path).toMatch(/^application\/json/);
  }
});
