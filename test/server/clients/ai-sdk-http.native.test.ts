// The AI SDK over HTTP: `@ai-sdk/openai` by its default, the Responses API, and `@ai-sdk/anthropic`;
// two turns with a tool, which need what the server keeps.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import type { LanguageModel, ModelMessage } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { listen } from "./listen.js";
import type { Listening } from "./listen.js";

let server: Listening;
let models: Record<"openai" | "anthropic", LanguageModel>;
beforeAll(async () => {
  server = await listen();
  const baseURL = `${server.url}/v1`;
  models = {
    openai: createOpenAI({ apiKey: "none", baseURL })("tiny-r1"),
    anthropic: createAnthropic({ apiKey: "none", baseURL })("claude-sonnet-4"),
  };
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
/** Their thinking is asked for in each one's own way. */
const providerOptions = {
  openai: { forceReasoning: true, reasoningSummary: "auto" },
  anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } },
};

describe.each(["openai", "anthropic"] as const)("@ai-sdk/%s over HTTP", (name) => {
  it("generates and streams text with reasoning, and counts both", async () => {
    const ask = { model: models[name], prompt: "What is 1+1?", providerOptions };
    const whole = await generateText(ask);
    expect(whole.text).not.toBe("");
    expect(whole.reasoningText ?? "").not.toBe("");
    expect(whole.finishReason).toBe("stop");
    expect(whole.usage.inputTokens).toBeGreaterThan(0);
    expect(whole.usage.outputTokens).toBeGreaterThan(0);
    const stream = streamText(ask);
    let text = "";
    let reasoning = "";
    for await (const part of stream.fullStream) {
      if (part.type === "text-delta") text += part.text;
      if (part.type === "reasoning-delta") reasoning += part.text;
      if (part.type === "error") throw part.error;
    }
    expect(text).toBe(await stream.text);
    expect(reasoning).not.toBe("");
  });

  it("goes through a step with a tool and a second turn", async () => {
    const messages: ModelMessage[] = [{ role: "user", content: "What is 1+1?" }];
    const first = await generateText({
      model: models[name],
      messages,
      tools,
      stopWhen: stepCountIs(2),
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "none" }),
    });
    const [call] = first.steps[0]?.toolCalls ?? [];
    expect(call?.toolName).toBe("add");
    expect(first.steps[0]?.finishReason).toBe("tool-calls");
    expect(first.steps).toHaveLength(2);
    messages.push(...first.response.messages, { role: "user", content: "And 2+2?" });
    const second = streamText({ model: models[name], messages, providerOptions });
    expect(await second.text).not.toBe("");
    expect(await second.finishReason).toMatch(/stop|length/);
  });

  it("stops the model when its signal aborts", async () => {
    const controller = new AbortController();
    const run = streamText({
      model: models[name],
      prompt: "What is 1+1?",
      abortSignal: controller.signal,
      providerOptions,
    });
    for await (const part of run.fullStream) if (part.type === "reasoning-delta") break;
    controller.abort();
    for (let i = 0; i < 200 && server.model.stats().running > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(server.model.stats().running).toBe(0);
  });
});
