// The package `openai` over a real socket, its Responses API: whole, streamed, parsed, with tools,
// with what the server keeps.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { listen } from "./listen.js";
import type { Listening } from "./listen.js";

let server: Listening;
let client: OpenAI;
beforeAll(async () => {
  server = await listen();
  client = new OpenAI({ apiKey: "none", baseURL: `${server.url}/v1`, maxRetries: 0 });
});
afterAll(() => server.close());

const ASK = { model: "tiny-r1", input: "What is 1+1?", temperature: 0 } as const;
const ADD: OpenAI.Responses.FunctionTool = {
  type: "function",
  name: "add",
  description: "Adds two digits.",
  strict: true,
  parameters: {
    type: "object",
    properties: {
      a: { type: "integer", minimum: 0, maximum: 9 },
      b: { type: "integer", minimum: 0, maximum: 9 },
    },
    required: ["a", "b"],
    additionalProperties: false,
  },
};

describe("openai's responses", () => {
  it("create: has the text, the reasoning and what both took", async () => {
    const response = await client.responses.create(ASK);
    expect(response.status).toBe("completed");
    expect(response.output_text).toContain("2");
    expect(response.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    const { usage } = response;
    expect(usage?.output_tokens_details.reasoning_tokens).toBeGreaterThan(0);
    expect(usage?.total_tokens).toBe((usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0));
  });

  it("stream: puts its events together to what create has", async () => {
    const stream = client.responses.stream({ ...ASK, reasoning: { summary: "auto" } });
    const kinds = new Set<string>();
    let text = "";
    for await (const event of stream) {
      kinds.add(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(text);
    expect(final.output_text).toBe((await client.responses.create(ASK)).output_text);
    expect(kinds).toContain("response.reasoning_summary_text.delta");
    const [reasoning] = final.output;
    expect(reasoning).toMatchObject({
      summary: [{ type: "summary_text", text: expect.stringMatching(/\w/) as unknown }],
    });
  });

  it("parse: the answer fits the Zod schema", async () => {
    const shape = z.object({ answer: z.enum(["yes", "no"]) });
    const response = await client.responses.parse({
      ...ASK,
      text: { format: zodTextFormat(shape, "verdict") },
    });
    expect(["yes", "no"]).toContain(response.output_parsed?.answer);
  });

  it("tools: a forced call streams, its output goes back, twice by the id of the response", async () => {
    const stream = client.responses.stream({ ...ASK, tools: [ADD], tool_choice: "required" });
    const first = await stream.finalResponse();
    const call = first.output.find((item) => item.type === "function_call");
    const { a, b } = JSON.parse(call?.arguments ?? "{}") as { a: number; b: number };
    const output = {
      type: "function_call_output",
      call_id: call?.call_id ?? "",
      output: String(a + b),
    } as const;
    const second = await client.responses.create({
      ...ASK,
      previous_response_id: first.id,
      input: [output],
      tools: [ADD],
    });
    expect(second.previous_response_id).toBe(first.id);
    const third = await client.responses.create({
      ...ASK,
      previous_response_id: second.id,
      input: "And 2+2?",
      tools: [ADD],
    });
    expect(third.usage?.input_tokens).toBeGreaterThan(second.usage?.input_tokens ?? 0);
    expect(third.usage?.input_tokens_details.cached_tokens).toBeGreaterThan(0);
  });

  it("retrieve, inputItems and delete: what was stored, until it is deleted", async () => {
    const made = await client.responses.create(ASK);
    const kept = await client.responses.retrieve(made.id);
    expect(kept.output_text).toBe(made.output_text);
    const items = await client.responses.inputItems.list(made.id);
    expect(items.data).toMatchObject([{ type: "message", role: "user", content: ASK.input }]);
    await client.responses.delete(made.id);
    await expect(client.responses.retrieve(made.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const unstored = await client.responses.create({ ...ASK, store: false });
    await expect(client.responses.retrieve(unstored.id)).rejects.toMatchObject({ status: 404 });
  });

  it("an answer that is cut off is incomplete, in both forms", async () => {
    const cut = { ...ASK, max_output_tokens: 3 };
    const whole = await client.responses.create(cut);
    const streamed = await client.responses.stream(cut).finalResponse();
    for (const { status, incomplete_details } of [whole, streamed])
      expect([status, incomplete_details]).toEqual(["incomplete", { reason: "max_output_tokens" }]);
  });

  it("errors have OpenAI's form and name the place", async () => {
    const wrong = {
      ...ASK,
      input: [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }],
    };
    await expect(client.responses.create(wrong as never)).rejects.toMatchObject({
      status: 400,
      code: "unsupported_content",
      param: "input[0].content[0]",
    });
    await expect(
      client.responses.create({ ...ASK, previous_response_id: "resp_unknown" }),
    ).rejects.toMatchObject({ status: 400, code: "previous_response_not_found" });
  });
});
