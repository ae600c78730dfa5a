// The package `@langchain/openai` over a real socket: invoke, stream, tools, structured output.
import { HumanMessage } from "@langchain/core/messages";
import type { AIMessageChunk, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { listen } from "./listen.js";
import type { Listening } from "./listen.js";

let server: Listening;
let model: ChatOpenAI;
beforeAll(async () => {
  server = await listen();
  model = new ChatOpenAI({
    model: "tiny-r1",
    apiKey: "none",
    temperature: 0,
    maxRetries: 0,
    configuration: { baseURL: `${server.url}/v1` },
  });
});
afterAll(() => server.close());

const digit = z.int().min(0).max(9);
const add = tool(({ a, b }) => String(a + b), {
  name: "add",
  description: "Adds two digits.",
  schema: z.object({ a: digit, b: digit }),
});

/** The class has the count; its type depends on one of the message's structure. */
const outputTokens = (message: object | undefined): unknown =>
  (message as { usage_metadata?: { output_tokens?: number } } | undefined)?.usage_metadata
    ?.output_tokens;

describe("@langchain/openai", () => {
  it("invokes and streams the same text, with the thinking and the usage beside it", async () => {
    const whole = await model.invoke("What is 1+1?");
    expect(whole.text).toContain("2");
    expect(whole.additional_kwargs["reasoning_content"]).toMatch(/\w/);
    expect(outputTokens(whole)).toBeGreaterThan(0);
    let all: AIMessageChunk | undefined;
    for await (const chunk of await model.stream("What is 1+1?"))
      all = all === undefined ? chunk : all.concat(chunk);
    expect(all?.text).toBe(whole.text);
    expect(all?.type).toBe("ai");
    expect(outputTokens(all)).toBe(outputTokens(whole));
  });

  it("calls a tool, streams the call, and goes on with its result", async () => {
    const bound = model.bindTools([add], { tool_choice: "required" });
    const question = new HumanMessage("What is 1+1?");
    const asked = await bound.invoke([question]);
    const [call] = asked.tool_calls ?? [];
    expect(call).toMatchObject({ name: "add", type: "tool_call" });
    let all: AIMessageChunk | undefined;
    for await (const chunk of await bound.stream([question]))
      all = all === undefined ? chunk : all.concat(chunk);
    expect(all?.tool_calls?.[0]?.args).toEqual(call?.args);
    const result = (await add.invoke(call as never)) as ToolMessage;
    expect(result.content).toMatch(/^\d+$/);
    const after = await model
      .bindTools([add], { tool_choice: "none" })
      .invoke([question, asked, result]);
    expect(after.text).not.toBe("");
  });

  it("holds an answer to a Zod schema", async () => {
    const shape = z.object({ answer: z.enum(["yes", "no"]) });
    const verdict = await model.withStructuredOutput(shape).invoke("Is 1+1 2?");
    expect(["yes", "no"]).toContain(verdict.answer);
  });
});
