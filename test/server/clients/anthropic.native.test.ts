// The package `@anthropic-ai/sdk` over a real socket: messages, streams, tools, errors, counts.
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen } from "./listen.js";
import type { Listening } from "./listen.js";

let server: Listening;
let client: Anthropic;
beforeAll(async () => {
  server = await listen({ apiKeys: ["sk-test"] });
  client = new Anthropic({ apiKey: "sk-test", baseURL: server.url, maxRetries: 0 });
});
afterAll(() => server.close());

const QUESTION: Anthropic.MessageParam = { role: "user", content: "What is 1+1?" };
const ASK = { model: "claude-sonnet-4", max_tokens: 300, messages: [QUESTION] };
/** The model's most likely answer. */
const LIKELY = { temperature: 0 } as const;
const containing = (text: string): unknown => expect.stringContaining(text);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const containingNumber: unknown = expect.arrayContaining([expect.any(Number)]);

const ADD: Anthropic.Tool = {
  name: "add",
  description: "Adds two digits.",
  input_schema: {
    type: "object",
    properties: {
      a: { type: "integer", minimum: 0, maximum: 9 },
      b: { type: "integer", minimum: 0, maximum: 9 },
    },
    required: ["a", "b"],
    additionalProperties: false,
  },
};

/** Its input is so long that a fast model does not write all of it before the first is sent. */
const SUM: Anthropic.Tool = {
  name: "sum",
  input_schema: {
    type: "object",
    properties: {
      digits: {
        type: "array",
        items: { type: "integer", minimum: 0, maximum: 9 },
        minItems: 1500,
        maxItems: 1500,
      },
    },
    required: ["digits"],
    additionalProperties: false,
  },
};

describe("@anthropic-ai/sdk", () => {
  it("gets a message whose three counts of input add up", async () => {
    const message = await client.messages.create({ ...ASK, ...LIKELY });
    expect(message.content.map(({ type }) => type)).toEqual(["text"]);
    expect(message.content[0]).toMatchObject({ text: containing("2") });
    expect(message).toMatchObject({ stop_reason: "end_turn", model: "claude-sonnet-4" });
    const { input_tokens: fresh, cache_read_input_tokens: cached } = message.usage;
    const counted = await client.messages.countTokens({ model: ASK.model, messages: ASK.messages });
    expect(fresh + (cached ?? 0)).toBe(counted.input_tokens);
    const again = await client.messages.create({ ...ASK, ...LIKELY });
    expect(again.usage.cache_read_input_tokens).toBeGreaterThan(0);
    expect(again.usage.input_tokens + (again.usage.cache_read_input_tokens ?? 0)).toBe(
      counted.input_tokens,
    );
  });

  it("streams thinking with a signature when it asks for it, and the same as whole", async () => {
    const thinking = { type: "enabled", budget_tokens: 1024 } as const;
    const stream = client.messages.stream({ ...ASK, ...LIKELY, thinking });
    let text = "";
    stream.on("text", (delta) => (text += delta));
    const final = await stream.finalMessage();
    const [thought, said] = final.content;
    expect(thought).toMatchObject({ type: "thinking", signature: matching(/./) });
    expect(said).toMatchObject({ type: "text", text });
    const whole = await client.messages.create({ ...ASK, ...LIKELY, thinking });
    expect(whole.content).toEqual(final.content);
    expect(whole.usage.output_tokens).toBe(final.usage.output_tokens);
  });

  it("sends thinking, calls and results back, and gets a turn after them", async () => {
    const tools = [ADD];
    const first = await client.messages.create({
      ...ASK,
      tools,
      tool_choice: { type: "any" },
      thinking: { type: "enabled", budget_tokens: 1024 },
    });
    expect(first.stop_reason).toBe("tool_use");
    const call = first.content.find((block) => block.type === "tool_use");
    const { a, b } = call?.input as { a: number; b: number };
    expect([a, b].every((n) => n >= 0 && n <= 9)).toBe(true);
    const answer: Anthropic.ToolResultBlockParam = {
      type: "tool_result",
      tool_use_id: call?.id ?? "",
      content: [{ type: "text", text: String(a + b) }],
    };
    const second = await client.messages.create({
      ...ASK,
      tools,
      messages: [
        QUESTION,
        { role: "assistant", content: first.content },
        { role: "user", content: [answer, { type: "text", text: "Go on." }] },
      ],
    });
    expect(second.content.length).toBeGreaterThan(0);
  });

  it("streams the input of a forced call as it is written", async () => {
    const stream = client.messages.stream({
      ...ASK,
      max_tokens: 4000,
      tools: [SUM],
      tool_choice: { type: "tool", name: "sum" },
      thinking: { type: "disabled" },
    });
    let pieces = 0;
    stream.on("inputJson", () => pieces++);
    const { content, stop_reason } = await stream.finalMessage();
    expect(stop_reason).toBe("tool_use");
    expect(content[0]).toMatchObject({
      type: "tool_use",
      name: "sum",
      input: { digits: containingNumber },
    });
    expect(pieces).toBeGreaterThan(2);
  });

  it("continues a last message of the assistant", async () => {
    const message = await client.messages.create({
      ...ASK,
      ...LIKELY,
      messages: [QUESTION, { role: "assistant", content: "It's" }],
    });
    expect(message.content[0]).toMatchObject({ type: "text", text: matching(/\w/) });
    expect(JSON.stringify(message.content)).not.toContain("It's");
  });

  it("hears why a reply ended", async () => {
    const cut = await client.messages.create({ ...ASK, max_tokens: 3 });
    expect(cut.stop_reason).toBe("max_tokens");
    const stopped = await client.messages.create({ ...ASK, ...LIKELY, stop_sequences: ["2"] });
    expect(stopped).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "2" });
  });

  it("gets its own errors, with their types and the id of the request", async () => {
    const wrong = client.messages.create({ ...ASK, max_tokens: "many" as unknown as number });
    await expect(wrong).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    await expect(wrong).rejects.toMatchObject({
      status: 400,
      error: { type: "error", error: { type: "invalid_request_error" } },
      requestID: matching(/^req_/),
    });
    const stranger = new Anthropic({ apiKey: "no", baseURL: server.url, maxRetries: 0 });
    await expect(stranger.messages.create(ASK)).rejects.toBeInstanceOf(
      Anthropic.AuthenticationError,
    );
    const long = client.messages.create({
      ...ASK,
      messages: [{ role: "user", content: "What is 1+1? ".repeat(3000) }],
    });
    await expect(long).rejects.toMatchObject({
      status: 400,
      message: matching(/prompt is too long: \d+ tokens > \d+ maximum/),
    });
    const image = {
      type: "image",
      source: { type: "url", url: "https://example.com/x.png" },
    } as const;
    const seeing = client.messages.create({
      ...ASK,
      messages: [{ role: "user", content: [image] }],
    });
    await expect(seeing).rejects.toThrow(/reads text only/);
  });

  it("stops the model when it aborts a stream", async () => {
    const stream = client.messages.stream({ ...ASK, temperature: 0.6, max_tokens: 4000 });
    await new Promise((resolve) => stream.once("streamEvent", resolve));
    stream.abort();
    await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIUserAbortError);
    for (let i = 0; i < 200 && server.model.stats().running > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(server.model.stats().running).toBe(0);
  });
});
