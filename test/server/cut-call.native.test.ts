// A forced call that is cut off: each protocol reports as much of it whole as it does streamed.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../lib/index.js";
import { createApp } from "../../lib/server.js";
import type { R1App } from "../../lib/server.js";
import { loadTiny } from "../fixtures/tiny.js";
import { ask, askEvents } from "./ask.js";

const PARAMETERS = {
  type: "object",
  properties: { a: { type: "string", minLength: 200 } },
  required: ["a"],
  additionalProperties: false,
};
const CHAT = {
  messages: [{ role: "user", content: "What is 1+1?" }],
  tools: [{ type: "function", function: { name: "f", parameters: PARAMETERS } }],
  tool_choice: "required",
  reasoning_effort: "none",
  max_tokens: 120,
  seed: 0,
};
const RESPONSES = {
  input: "What is 1+1?",
  tools: [{ type: "function", name: "f", parameters: PARAMETERS }],
  tool_choice: "required",
  reasoning: { effort: "none" },
  max_output_tokens: 120,
  seed: 0,
};
const MESSAGES = {
  model: "claude-sonnet-4",
  messages: CHAT.messages,
  tools: [{ name: "f", input_schema: PARAMETERS }],
  tool_choice: { type: "any" },
  max_tokens: 120,
  seed: 0,
};

let model: Model;
let app: R1App;
beforeAll(async () => {
  model = await loadTiny({ sequences: 2, deterministic: true });
  app = createApp(model);
});
afterAll(() => model.close());

const whole = async (path: string, body: object): Promise<unknown> =>
  JSON.parse((await ask(app, "POST", path, body)).text) as unknown;

describe("a call that is cut off", () => {
  it("comes with the beginning of its arguments in a chat completion", async () => {
    const body = await whole("/v1/chat/completions", CHAT);
    expect(body).toMatchObject({
      choices: [
        {
          finish_reason: "length",
          message: { content: null, tool_calls: [{ type: "function", function: { name: "f" } }] },
        },
      ],
    });
    const response = await ask(app, "POST", "/v1/chat/completions", { ...CHAT, stream: true });
    const streamed = [...response.text.matchAll(/"arguments":("(?:[^"\\]|\\.)*")/g)]
      .map(([, text = ""]) => JSON.parse(text) as string)
      .join("");
    expect(streamed).not.toBe("");
    expect(body).toMatchObject({
      choices: [{ message: { tool_calls: [{ function: { arguments: streamed } }] } }],
    });
  });

  it("is an incomplete item of a response", async () => {
    const body = await whole("/v1/responses", RESPONSES);
    const call = { type: "function_call", name: "f", status: "incomplete" };
    expect(body).toMatchObject({ status: "incomplete", output: [call] });
    const last = (await askEvents(app, "/v1/responses", RESPONSES)).at(-1)?.data["response"];
    const { arguments: given } = (last as { output: { arguments: string }[] }).output[0] ?? {};
    expect(given).toMatch(/^\{/u);
    expect(body).toMatchObject({ output: [{ ...call, arguments: given }] });
  });

  it("is a block with an empty input in a message", async () => {
    const body = await whole("/v1/messages", MESSAGES);
    expect(body).toMatchObject({
      stop_reason: "max_tokens",
      content: [{ type: "tool_use", name: "f", input: {} }],
    });
    const starts = (await askEvents(app, "/v1/messages", MESSAGES)).filter(
      ({ event }) => event === "content_block_start",
    );
    expect(starts.map(({ data }) => data["content_block"])).toMatchObject([
      { type: "tool_use", name: "f" },
    ]);
  });
});
