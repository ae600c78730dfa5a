// The package `@openai/agents` over a real socket: it speaks the Responses API, runs tools by itself
// and goes on with earlier items.
import { Agent, OpenAIResponsesModel, Runner, tool } from "@openai/agents";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { listen } from "./listen.js";
import type { Listening } from "./listen.js";

let server: Listening;
let runner: Runner;
beforeAll(async () => {
  server = await listen();
  runner = new Runner({ tracingDisabled: true });
});
afterAll(() => server.close());

const digit = z.int().min(0).max(9);
const digits = z.object({ a: digit, b: digit });

describe("@openai/agents", () => {
  const agent = (calls: number[]): Agent => {
    const client = new OpenAI({ apiKey: "none", baseURL: `${server.url}/v1`, maxRetries: 0 });
    const model = new OpenAIResponsesModel(client as never, "tiny-r1");
    const add = tool({
      name: "add",
      description: "Adds two digits.",
      parameters: digits,
      execute: (input: unknown) => {
        const { a, b } = digits.parse(input);
        calls.push(a + b);
        return String(a + b);
      },
    });
    return new Agent({
      name: "adder",
      instructions: "Add.",
      model,
      tools: [add],
      modelSettings: { toolChoice: "required", maxTokens: 600 },
      // After the first call the model may answer.
      resetToolChoice: true,
    });
  };

  it("runs a tool, answers, and goes on in a second turn", async () => {
    const calls: number[] = [];
    const first = await runner.run(agent(calls), "What is 1+1?");
    expect(calls.length).toBeGreaterThan(0);
    expect(typeof first.finalOutput).toBe("string");
    const earlier: unknown = first.history;
    const again = await runner.run(agent(calls), [
      ...(earlier as object[]),
      { role: "user", content: "And 2+2?" },
    ]);
    expect(again.history.length).toBeGreaterThan(first.history.length);
  });

  it("streams a run", async () => {
    const calls: number[] = [];
    const run = await runner.run(agent(calls), "What is 1+1?", { stream: true });
    let events = 0;
    for await (const event of run) if (event.type === "raw_model_stream_event") events++;
    await run.completed;
    expect(events).toBeGreaterThan(5);
    expect(calls.length).toBeGreaterThan(0);
  });
});
