// What /v1/responses makes of requests that real clients send, and what it refuses; without a
// socket.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../../lib/server/app.js";
import type { R1App } from "../../../lib/server/app.js";
import type { Model } from "../../../lib/model/model.js";
import { loadTiny } from "../../fixtures/tiny.js";
import { ask, eventsOf } from "../ask.js";
import type { Answer } from "../ask.js";

let model: Model;
let app: R1App;
beforeAll(async () => {
  model = await loadTiny({ sequences: 2, contextSize: 16_384 });
  app = createApp(model, {
    apiKeys: [
      { name: "a", key: "key-a" },
      { name: "b", key: "key-b" },
    ],
  });
});
afterAll(() => model.close());

type Json = Record<string, unknown>;
const KEY_A = { authorization: "Bearer key-a" };
const post = (body: object, headers: Record<string, string> = KEY_A): Promise<Answer> =>
  ask(app, "POST", "/v1/responses", { max_output_tokens: 4, seed: 1, ...body }, headers);
const json = ({ text }: Answer): Json => JSON.parse(text) as Json;

/** Histories as clients send them; each has an answer. */
const HISTORIES: Readonly<Record<string, readonly object[]>> = {
  "items without types": [
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Hello" },
    { role: "user", content: "1+1?" },
  ],
  "reasoning items, encrypted or not, and their references": [
    { role: "user", content: "Hi" },
    { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" },
    { type: "item_reference", id: "rs_2" },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello" }] },
    { role: "user", content: "1+1?" },
  ],
  "calls side by side, outputs in any order, one of them empty": [
    { role: "user", content: "Hi" },
    { type: "function_call", call_id: "1", name: "f", arguments: "{}" },
    { type: "function_call", call_id: "2", name: "f", arguments: "" },
    { type: "function_call_output", call_id: "2", output: "" },
    { type: "function_call_output", call_id: "1", output: [{ type: "input_text", text: "x" }] },
  ],
  "arguments that are no JSON, an output that is no text": [
    { role: "user", content: "Hi" },
    { type: "function_call", call_id: "1", name: "f", arguments: "{broken" },
    { type: "function_call_output", call_id: "1", output: [{ type: "input_image" }] },
  ],
  "a thought that a client put into the text, closed or not": [
    { role: "user", content: "Hi" },
    { role: "assistant", content: "<think>\nhm\n</think>\n\nHello" },
    { role: "user", content: "1+1?" },
    { role: "assistant", content: "<think>\nhm" },
    { role: "user", content: "1+1?" },
  ],
  "empty turns and half a character": [
    { role: "user", content: "" },
    { role: "assistant", content: "" },
    { role: "assistant", content: [] },
    { role: "user", content: "cut \ud83d" },
  ],
  "instructions in the middle, and items of tools that run elsewhere": [
    { role: "developer", content: "Be brief." },
    { role: "user", content: "Hi" },
    { type: "web_search_call", id: "ws_1", status: "completed" },
    { type: "custom_tool_call", call_id: "c", name: "patch", input: "x" },
    { role: "developer", content: [{ type: "input_text", text: "<permissions>" }] },
    { role: "user", content: "1+1?" },
  ],
};

/** A request in the form of Codex CLI. */
const CODEX = {
  model: "tiny-r1",
  instructions: "You are a coding agent.",
  input: [
    {
      type: "message",
      role: "developer",
      content: [{ type: "input_text", text: "<permissions>read-only</permissions>" }],
    },
    {
      type: "message",
      role: "user",
      content: [{ type: "input_text", text: "<environment_context/>" }],
    },
    { type: "message", role: "user", content: [{ type: "input_text", text: "What is 1+1?" }] },
  ],
  tools: [
    {
      type: "function",
      name: "shell",
      description: "Runs a command.",
      strict: false,
      parameters: {
        type: "object",
        properties: { command: { type: "array", items: { type: "string" } } },
        required: ["command"],
        additionalProperties: false,
      },
    },
    { type: "custom", name: "apply_patch", format: { type: "grammar", syntax: "lark" } },
    { type: "web_search", external_web_access: false },
    { type: "local_shell" },
  ],
  tool_choice: "auto",
  parallel_tool_calls: false,
  reasoning: { effort: "medium", summary: "auto" },
  store: false,
  stream: true,
  include: ["reasoning.encrypted_content"],
  prompt_cache_key: "0199-abc",
  text: { verbosity: "medium" },
};

describe("/v1/responses", () => {
  it.each(Object.entries(HISTORIES))("answers %s", async (_, input) => {
    expect(await post({ input }).then(({ status, text }) => [status, text])).toEqual([
      200,
      expect.stringContaining('"object":"response"'),
    ]);
  });

  it("answers Codex: no event without its number, and a completed one with usage at the end", async () => {
    const answer = await post({ ...CODEX, max_output_tokens: 300, temperature: 0 });
    const events = eventsOf(answer.text);
    expect(events.map(({ data }) => data["sequence_number"])).toEqual(events.map((_, i) => i));
    const last = events.at(-1)?.data as { type: string; response: Json };
    expect(last.type).toMatch(/^response\.(completed|incomplete)$/);
    expect(last.response["usage"]).toMatchObject({ total_tokens: expect.any(Number) as unknown });
  });

  it("goes on with items by reference, of the same key alone", async () => {
    const first = json(await post({ input: "Hi", max_output_tokens: 300, temperature: 0 }));
    const output = first["output"] as { id: string; type: string }[];
    const message = output.find(({ type }) => type === "message");
    const input = [
      { role: "user", content: "Hi" },
      ...output.map(({ id }) => ({ type: "item_reference", id })),
      { role: "user", content: "1+1?" },
    ];
    const second = json(await post({ input }));
    const whole = json(await post({ input: [input[0], message, input.at(-1)] }));
    expect((second["usage"] as Json)["input_tokens"]).toBe(
      (whole["usage"] as Json)["input_tokens"],
    );
    const stranger = await post({ input }, { "x-api-key": "key-b" });
    expect([stranger.status, json(stranger)["error"]]).toMatchObject([
      400,
      { code: "item_not_found", message: expect.stringContaining("store") as unknown },
    ]);
    const id = String(first["id"]);
    const get = (key: Record<string, string>): Promise<Answer> =>
      ask(app, "GET", `/v1/responses/${id}`, undefined, key);
    expect((await get({ "x-api-key": "key-b" })).status).toBe(404);
    expect((await get(KEY_A)).status).toBe(200);
  });

  it.each([
    ["input", {}, "invalid_type"],
    ["input", { input: [] }, undefined],
    ["input[0].role", { input: [{ role: "robot", content: "x" }] }, undefined],
    [
      "input[0].content[0]",
      { input: [{ role: "user", content: [{ type: "input_file" }] }] },
      undefined,
    ],
    ["max_output_tokens", { input: "x", max_output_tokens: 0 }, undefined],
    ["max_output_tokens", { input: "x", max_output_tokens: "4" }, "invalid_type"],
    ["conversation", { input: "x", conversation: "conv_1" }, "unsupported_parameter"],
    ["temperature", { input: "x", temperature: -1 }, undefined],
    [
      "previous_response_id",
      { input: "x", previous_response_id: "resp_0" },
      "previous_response_not_found",
    ],
    [
      "text.format.schema",
      { input: "x", text: { format: { type: "json_schema", name: "n", schema: { not: {} } } } },
      undefined,
    ],
  ])("refuses a wrong %s with 400 and that place", async (param, body, code) => {
    const answer = await post(body);
    expect([answer.status, json(answer)["error"]]).toMatchObject([
      400,
      { param, type: "invalid_request_error", ...(code === undefined ? {} : { code }) },
    ]);
  });

  it("refuses a call without its output and an output without its call, by their places", async () => {
    const call = { type: "function_call", call_id: "1", name: "f", arguments: "{}" };
    const open = await post({
      input: [{ role: "user", content: "x" }, call, { role: "user", content: "y" }],
    });
    const orphan = await post({
      input: [
        { role: "user", content: "x" },
        { type: "function_call_output", call_id: "9", output: "z" },
      ],
    });
    for (const answer of [open, orphan]) {
      expect(answer.status).toBe(400);
      expect(String((json(answer)["error"] as Json)["param"])).toMatch(/^input\[\d\]/);
    }
  });

  it("names fields that it does not know, and reports progress when asked", async () => {
    const answer = await post({ input: "x", moon: 1, stream: true, return_progress: true });
    expect(answer.headers.get("x-r1-ignored")).toBe("moon");
    const events = eventsOf(answer.text);
    const told = events.filter(({ data }) => "prompt_progress" in data);
    expect(told.at(-1)?.data).toMatchObject({
      type: "response.in_progress",
      prompt_progress: { total: expect.any(Number) as unknown },
    });
  });
});
