// Requests of well-known clients, by their documented forms: they are answered, what clients ask for
// by themselves does not think, and Claude Code's changing first block costs no cache.
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { eventsOf } from "../ask.js";
import { testApp } from "../app.js";
import type { TestApp } from "../app.js";
import { claudeCode, clientRequests } from "./clients.js";

let server: TestApp;
beforeAll(async () => (server = await testApp({}, { contextSize: 8192 })));
afterAll(async () => server[Symbol.asyncDispose]());

describe("a request of", () => {
  it.each(clientRequests.map((one) => [one.name, one] as const))("%s", async (_, request) => {
    const response = await server.post(request.path, request.body, request.headers);
    const text = await response.text();
    expect([response.status, text]).toEqual([200, expect.any(String)]);
    if (request.body["stream"] === true) {
      expect(response.headers.get("content-type")).toContain("text/event-stream");
      expect(text).toMatch(/data: \[DONE\]|event: message_stop|event: response\.(?:in)?complete/);
      expect(text).not.toContain('"error":{');
    }
    if (request.isAuxiliary !== true) return;
    const { usage } = JSON.parse(text) as { usage: Record<string, unknown> };
    expect(usage["completion_tokens_details"]).toEqual({ reasoning_tokens: 0 });
  });
});

test("Claude Code's second request takes the first one's prompt from the cache", async () => {
  const ask = async (cch: string): Promise<Record<string, number>> => {
    const { path, headers, body } = claudeCode(cch);
    const response = await server.post(path, { ...body, max_tokens: 4 }, headers);
    const events = eventsOf(await response.text());
    const last = events.find(({ event }) => event === "message_delta");
    return last?.data["usage"] as Record<string, number>;
  };
  const first = await ask("00000");
  const second = await ask("fa690");
  const total = (first["input_tokens"] ?? 0) + (first["cache_read_input_tokens"] ?? 0);
  expect(second["cache_read_input_tokens"]).toBeGreaterThan(total * 0.9);
});

test("Claude Code's own bound of tokens, above the context, is taken", async () => {
  const { path, headers, body } = claudeCode("00000");
  const response = await server.post(path, body, headers);
  expect(response.status).toBe(200);
  await response.body?.cancel();
  for (let i = 0; i < 200 && server.model.stats().running > 0; i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(server.model.stats().running).toBe(0);
});

test("Claude Code's first look, HEAD /, is answered", async () => {
  const head = await server.app.fetch(new Request("http://localhost/", { method: "HEAD" }));
  expect(head.status).toBe(200);
});
