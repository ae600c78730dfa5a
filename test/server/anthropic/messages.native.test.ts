// What /v1/messages makes of requests that real clients send, and what it refuses; without a socket.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../../lib/server/app.js";
import type { R1App } from "../../../lib/server/app.js";
import { systemText } from "../../../lib/server/anthropic/input.js";
import type { Model } from "../../../lib/model/model.js";
import { loadTiny } from "../../fixtures/tiny.js";
import { ask, eventsOf } from "../ask.js";
import type { Answer } from "../ask.js";

let model: Model;
let app: R1App;
beforeAll(async () => {
  model = await loadTiny({ sequences: 2, contextSize: 16_384 });
  app = createApp(model);
});
afterAll(() => model.close());

type Json = Record<string, unknown>;
const post = (body: object, path = "/v1/messages"): Promise<Answer> =>
  ask(app, "POST", path, { max_tokens: 4, seed: 1, ...body });
const json = ({ text }: Answer): Json => JSON.parse(text) as Json;
const user = (content: unknown): object => ({ role: "user", content });
const assistant = (content: unknown): object => ({ role: "assistant", content });
const use = (id: string, input: unknown = {}): object => ({
  type: "tool_use",
  id,
  name: "f",
  input,
});
const result = (id: string, more: object = {}): object => ({
  type: "tool_result",
  tool_use_id: id,
  ...more,
});

/** Histories as clients send them; each has an answer. */
const HISTORIES: Readonly<Record<string, readonly object[]>> = {
  "thinking that is sent back, whole and redacted": [
    user("Hi"),
    assistant([
      { type: "thinking", thinking: "hm", signature: "x" },
      { type: "redacted_thinking", data: "y" },
      { type: "text", text: "Hello" },
    ]),
    user("1+1?"),
  ],
  "results without text, with an error, with an image": [
    user("Hi"),
    assistant([use("1"), use("2"), use("3")]),
    user([
      result("3", { content: [{ type: "image", source: {} }] }),
      result("1"),
      result("2", { content: "no such file", is_error: true }),
      { type: "text", text: "Go on." },
    ]),
  ],
  "an empty turn, null content, and two turns of the user": [
    user("Hi"),
    assistant(""),
    assistant(null),
    user([
      { type: "text", text: "a" },
      { type: "text", text: "" },
    ]),
    user("1+1?"),
  ],
  "instructions in the middle, and blocks of tools that run elsewhere": [
    user("Hi"),
    assistant([{ type: "server_tool_use", id: "s", name: "web_search", input: {} }]),
    { role: "system", content: "Be brief." },
    user([{ type: "document", source: { type: "text", data: "A text." } }]),
  ],
  "half a character": [user("cut \ud83d")],
};

/** A request in the form of Claude Code. */
const claudeCode = (hash: string): Json => ({
  model: "claude-sonnet-4-20250514",
  max_tokens: 8,
  temperature: 1,
  stream: true,
  system: [
    { type: "text", text: `x-anthropic-billing-header: cc_version=2.1; cch=${hash};` },
    { type: "text", text: "You are Claude Code.", cache_control: { type: "ephemeral" } },
    { type: "text", text: "Rules. ".repeat(40), cache_control: { type: "ephemeral" } },
  ],
  messages: [
    user([
      { type: "text", text: "<system-reminder>x</system-reminder>" },
      { type: "text", text: "What is 1+1?", cache_control: { type: "ephemeral" } },
    ]),
  ],
  tools: [
    {
      name: "Bash",
      description: "Runs a command.",
      input_schema: {
        $schema: "http://json-schema.org/draft-07/schema#",
        type: "object",
        properties: { command: { type: "string" }, timeout: { type: "number" } },
        required: ["command"],
        additionalProperties: false,
      },
    },
    { type: "web_search_20250305", name: "web_search", max_uses: 8 },
  ],
  metadata: { user_id: "user_1" },
  thinking: { type: "enabled", budget_tokens: 1024 },
  context_management: { edits: [] },
});

describe("/v1/messages", () => {
  it.each(Object.entries(HISTORIES))("answers %s", async (_, messages) => {
    const answer = await post({ messages });
    expect([answer.status, answer.text]).toEqual([
      200,
      expect.stringContaining('"type":"message"'),
    ]);
  });

  it("answers Claude Code, whose billing block does not cost the prefix its cache", async () => {
    const path = "/v1/messages?beta=true";
    const first = await post(claudeCode("a1b2c"), path);
    expect(first.headers.get("x-r1-ignored")).toBe("context_management");
    expect(eventsOf(first.text).at(-1)?.event).toBe("message_stop");
    const again = eventsOf((await post(claudeCode("ffff0"), path)).text);
    const { usage } = again.find(({ event }) => event === "message_delta")?.data as { usage: Json };
    expect(Number(usage["cache_read_input_tokens"])).toBeGreaterThan(100);
    expect(Number(usage["input_tokens"])).toBeLessThan(3);
  });

  it("drops the billing block alone, in any of its forms", () => {
    const block = (text: string): { type: string; text: string } => ({ type: "text", text });
    const header = "x-anthropic-billing-header: cch=1;";
    expect(systemText([block(header), block("a"), block("b")])).toBe("a\n\nb");
    expect(systemText([block(`${header}\na`), block("b")])).toBe("a\n\nb");
    expect(systemText([block("a"), block(header)])).toBe(`a\n\n${header}`);
    expect(systemText(header)).toBe("");
    expect(systemText(undefined)).toBe("");
  });

  it("shows the thinking only to who asks for it", async () => {
    const kinds = async (more: object): Promise<unknown[]> => {
      const { content } = json(
        await post({ messages: [user("1+1?")], max_tokens: 200, temperature: 0, ...more }),
      );
      return (content as { type: string; thinking?: string }[]).map(({ type, thinking }) =>
        thinking === "" ? `${type} omitted` : type,
      );
    };
    expect(await kinds({})).toEqual(["text"]);
    expect(await kinds({ thinking: { type: "adaptive" } })).toEqual(["thinking", "text"]);
    const omitted = { type: "enabled", budget_tokens: 1024, display: "omitted" };
    expect(await kinds({ thinking: omitted })).toEqual(["thinking omitted", "text"]);
    expect(await kinds({ thinking: { type: "disabled" } })).toEqual(["text"]);
  });

  it("says which of several sequences stopped it", async () => {
    const body = {
      messages: [user("1+1?")],
      max_tokens: 200,
      temperature: 0,
      thinking: { type: "disabled" },
    };
    const whole = json(await post(body));
    const { text } = (whole["content"] as { text: string }[])[0] as { text: string };
    const stop = text.slice(2, 4);
    const stopped = json(await post({ ...body, stop_sequences: ["never", stop] }));
    expect(stopped).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: stop });
  });

  it("counts what a request would take", async () => {
    const { max_tokens: _, stream: __, ...prompt } = claudeCode("a");
    const counted = await ask(app, "POST", "/v1/messages/count_tokens", prompt);
    const asked = json(await post({ ...claudeCode("b"), stream: false }));
    const usage = asked["usage"] as Json;
    expect(json(counted)["input_tokens"]).toBe(
      Number(usage["input_tokens"]) + Number(usage["cache_read_input_tokens"]),
    );
  });

  it.each([
    ["no messages", {}],
    ["an empty list", { messages: [] }],
    ["a role that is none", { messages: [{ role: "robot", content: "x" }] }],
    ["an image", { messages: [user([{ type: "image", source: {} }])] }],
    ["a number as text", { messages: [user("x")], max_tokens: "4" }],
    ["no tokens", { messages: [user("x")], max_tokens: 0 }],
    ["a call without its result", { messages: [user("x"), assistant([use("1")]), user("y")] }],
    ["a result without its call", { messages: [user([result("9")])] }],
    [
      "a tool of an unknown name",
      {
        messages: [user("x")],
        tools: [{ name: "f", input_schema: {} }],
        tool_choice: { type: "tool", name: "g" },
      },
    ],
  ])("refuses %s with 400 in Anthropic's form", async (_, body) => {
    const answer = await post(body);
    expect([answer.status, json(answer)]).toMatchObject([
      400,
      {
        type: "error",
        error: { type: "invalid_request_error", message: expect.stringMatching(/\w/) as unknown },
        request_id: expect.stringMatching(/^req_/) as unknown,
      },
    ]);
  });

  it("has Anthropic's form for unknown models and routes as well", async () => {
    const unknown = await post({ model: "gpt-4", messages: [user("x")] });
    expect([unknown.status, json(unknown)["type"]]).toEqual([404, "error"]);
    const route = await ask(app, "GET", "/v1/messages");
    expect([route.status, json(route)["type"]]).toEqual([405, "error"]);
  });
});
