// A zoo of histories as clients send them, over the three protocols: each is answered, whole and
// streamed, or refused with a 400 that names the place where OpenAI's own server refuses it too.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testApp } from "../app.js";
import type { TestApp } from "../app.js";
import { chatHistories } from "./chat.js";
import type { History } from "./history.js";
import { messagesHistories } from "./messages.js";
import { responsesHistories } from "./responses.js";

let server: TestApp;
beforeAll(async () => (server = await testApp()));
afterAll(async () => server[Symbol.asyncDispose]());

interface Form {
  readonly path: string;
  readonly turns: string;
  readonly fixed: object;
  readonly histories: readonly History[];
}

const FORMS: Readonly<Record<string, Form>> = {
  "chat completions": {
    path: "/v1/chat/completions",
    turns: "messages",
    fixed: { max_tokens: 1, reasoning_effort: "none" },
    histories: chatHistories,
  },
  responses: {
    path: "/v1/responses",
    turns: "input",
    fixed: { max_output_tokens: 1, reasoning: { effort: "none" } },
    histories: responsesHistories,
  },
  messages: {
    path: "/v1/messages",
    turns: "messages",
    fixed: { max_tokens: 1, thinking: { type: "disabled" }, model: "claude-sonnet-4" },
    histories: messagesHistories,
  },
};

/** What a history becomes in the prompt, of chat completions alone. */
async function promptOf(body: object): Promise<string> {
  const response = await server.post("/apply-template", body);
  return ((await response.json()) as { prompt: string }).prompt;
}

it("has at least sixty", () => {
  const all = Object.values(FORMS).flatMap(({ histories }) => histories);
  expect(all.length).toBeGreaterThan(60);
});

describe.each(Object.entries(FORMS))("%s", (_, { path, turns, fixed, histories }) => {
  it.each(histories.map((one) => [one.name, one] as const))("%s", async (_name, history) => {
    const body = { ...fixed, ...history.more, [turns]: history.turns };
    const whole = await server.post(path, body);
    const streamed = await server.post(path, { ...body, stream: true });
    const [text, stream] = [await whole.text(), await streamed.text()];
    const status = history.refused === undefined ? 200 : 400;
    expect([whole.status, streamed.status, text]).toEqual([status, status, expect.any(String)]);
    if (history.refused !== undefined) {
      const { error } = JSON.parse(text) as { error: { param?: string; message: string } };
      // Anthropic's form has no place of its own: the message names it.
      expect(error.param ?? error.message).toContain(history.refused);
      return;
    }
    expect(stream).not.toContain('"error":{');
    const { has = [], lacks = [] } = history;
    if (path !== "/v1/chat/completions") return;
    const prompt = await promptOf(body);
    let from = 0;
    for (const one of has) {
      expect(prompt.slice(from)).toContain(one);
      from = prompt.indexOf(one, from) + one.length;
    }
    for (const one of lacks) expect(prompt).not.toContain(one);
  });
});
