// The AI SDK with `@ai-sdk/openai-compatible`, which speaks chat completions over a real socket.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, generateText, stepCountIs, streamText, tool } from "ai";
import type { LanguageModel, ModelMessage } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { listen } from "./listen.js";
import type { Listening } from "./listen.js";

let server: Listening;
let model: LanguageModel;
beforeAll(async () => {
  server = await listen();
  const provider = createOpenAICompatible({
    name: "r1",
    baseURL: `${server.url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  model = provider("tiny-r1");
});
afterAll(() => server.close());

const digit = z.int().min(0).max(9);
const tools = {
  add: tool({
    description: "Adds two digits.",
    inputSchema: z.object({ a: digit, b: digit }),
    execute: ({ a, b }) => a + b,
  }),
};

describe("@ai-sdk/openai-compatible", () => {
  it("generates and streams the same text, reasoning and usage", async () => {
    const ask = { model, prompt: "What is 1+1?", temperature: 0 };
    const whole = await generateText(ask);
    expect(whole.text).toContain("2");
    expect(whole.finishReason).toBe("stop");
    const stream = streamText(ask);
    let reasoning = "";
    for await (const part of stream.fullStream) {
      if (part.type === "reasoning-delta") reasoning += part.text;
      if (part.type === "error") throw part.error;
    }
    expect(reasoning).toBe(whole.reasoningText);
    expect(await stream.text).toBe(whole.text);
    const { outputTokens, outputTokenDetails: details } = await stream.usage;
    expect(outputTokens).toBe(whole.usage.outputTokens);
    expect(details.reasoningTokens).toBeGreaterThan(0);
  });

  it("goes through a step with a tool and a second turn", async () => {
    const messages: ModelMessage[] = [{ role: "user", content: "What is 1+1?" }];
    const first = await generateText({
      model,
      messages,
      tools,
      stopWhen: stepCountIs(2),
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "none" }),
    });
    expect(first.steps[0]?.toolCalls[0]?.toolName).toBe("add");
    expect(first.steps).toHaveLength(2);
    messages.push(...first.response.messages, { role: "user", content: "And 2+2?" });
    const second = streamText({ model, messages, tools, toolChoice: "required" });
    let pieces = 0;
    for await (const part of second.fullStream) {
      if (part.type === "tool-input-delta") pieces++;
      if (part.type === "error") throw part.error;
    }
    expect(pieces).toBeGreaterThan(0);
    expect(await second.finishReason).toBe("tool-calls");
  });

  it("holds an answer to a schema", async () => {
    const { output } = await generateText({
      model,
      prompt: "Is 1+1 2?",
      output: Output.object({ schema: z.object({ answer: z.enum(["yes", "no"]) }) }),
    });
    expect(["yes", "no"]).toContain(output.answer);
  });
});
