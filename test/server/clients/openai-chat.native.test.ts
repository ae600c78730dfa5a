// The package `openai` over a real socket, its chat and completions APIs: whole, streamed, by its
// helpers, with tools, models, errors.
import OpenAI from "openai";
import { LengthFinishReasonError } from "openai/error";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { listen } from "./listen.js";
import type { Listening } from "./listen.js";

let server: Listening;
let client: OpenAI;
beforeAll(async () => {
  // What a choice says does not depend on what runs beside it.
  server = await listen({}, { deterministic: true });
  client = new OpenAI({ apiKey: "none", baseURL: `${server.url}/v1`, maxRetries: 0 });
});
afterAll(() => server.close());

const ASK = {
  model: "tiny-r1",
  messages: [{ role: "user" as const, content: "What is 1+1?" }],
  temperature: 0,
};
const digit = z.int().min(0).max(9);
const digits = z.object({ a: digit, b: digit });

describe("openai's chat completions", () => {
  it("create and a stream have the same text, thinking and usage", async () => {
    const whole = await client.chat.completions.create(ASK);
    const message = whole.choices[0]?.message;
    expect(message?.content).toContain("2");
    expect(whole._request_id).toMatch(/^req_/);
    const texts = { content: "", reasoning_content: "" };
    let usage: OpenAI.CompletionUsage | null | undefined;
    const stream = await client.chat.completions.create({
      ...ASK,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) {
      const delta = (chunk.choices[0]?.delta ?? {}) as Partial<typeof texts>;
      texts.content += delta.content ?? "";
      texts.reasoning_content += delta.reasoning_content ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(message).toMatchObject(texts);
    expect(usage?.completion_tokens).toBe(whole.usage?.completion_tokens);
    expect(usage?.completion_tokens_details).toEqual(whole.usage?.completion_tokens_details);
  });

  it(".stream() puts its chunks together, for several choices with log probabilities", async () => {
    const options = { ...ASK, n: 2, logprobs: true, top_logprobs: 1, seed: 3 };
    const stream = client.chat.completions.stream(options);
    // Deltas of both choices come in any order, and an event does not tell whose it is.
    const snapshots: string[] = [];
    stream.on("content", (_delta, snapshot) => snapshots.push(snapshot));
    const final = await stream.finalChatCompletion();
    expect(final.choices.map(({ finish_reason }) => finish_reason)).toEqual(["stop", "stop"]);
    expect(final.choices.map(({ message }) => message.content).join("")).toContain("2");
    const [first] = final.choices;
    for (const { message } of final.choices) expect(snapshots).toContain(message.content);
    const { content } = first?.logprobs ?? {};
    expect(content?.map(({ token }) => token).join("")).toContain(first?.message.content?.trim());
    expect(content?.every(({ top_logprobs: top }) => top.length === 1)).toBe(true);
  });

  it("parse: the answer fits the Zod schema; one that was cut off is said to be", async () => {
    const verdict = z.object({ answer: z.enum(["yes", "no"]) });
    const ask = { ...ASK, response_format: zodResponseFormat(verdict, "verdict") };
    const { choices } = await client.chat.completions.parse(ask);
    expect(["yes", "no"]).toContain(choices[0]?.message.parsed?.answer);
    await expect(
      client.chat.completions.parse({ ...ask, max_completion_tokens: 2 }),
    ).rejects.toThrow(LengthFinishReasonError);
  });

  it("parse and .stream() read the arguments of a forced tool", async () => {
    const tools = [zodFunction({ name: "add", parameters: digits })];
    const ask = { ...ASK, tools, tool_choice: "required" as const };
    const whole = await client.chat.completions.parse(ask);
    const [call] = whole.choices[0]?.message.tool_calls ?? [];
    expect(digits.safeParse(call?.function.parsed_arguments).success).toBe(true);
    const final = await client.chat.completions.stream(ask).finalChatCompletion();
    expect(final.choices[0]?.finish_reason).toBe("tool_calls");
    expect(final.choices[0]?.message.tool_calls?.[0]?.function.parsed_arguments).toEqual(
      call?.function.parsed_arguments,
    );
  });

  it.each([false, true])("runTools runs a function and goes on, stream: %s", async (stream) => {
    const sums: number[] = [];
    const tool = {
      type: "function",
      function: {
        name: "add",
        description: "Adds two digits.",
        parameters: zodFunction({ name: "add", parameters: digits }).function.parameters ?? {},
        parse: (text: string) => digits.parse(JSON.parse(text)),
        function: ({ a, b }: z.output<typeof digits>) => sums.push(a + b),
      },
    } as const;
    const options = { maxChatCompletions: 2 };
    // A choice by name ends the run after its function, as the package has it.
    const ask = { ...ASK, tools: [tool], tool_choice: "required" as const };
    const runner = stream
      ? client.chat.completions.runTools({ ...ask, stream }, options)
      : client.chat.completions.runTools({ ...ask, stream }, options);
    await runner.done();
    expect(sums.length).toBeGreaterThan(0);
    expect(runner.messages.map(({ role }) => role).slice(0, 3)).toEqual([
      "user",
      "assistant",
      "tool",
    ]);
  });

  it("stops the model when a stream is left", async () => {
    const stream = await client.chat.completions.create({ ...ASK, n: 2, stream: true });
    for await (const chunk of stream) if (chunk.choices.length > 0) break;
    for (let i = 0; i < 200 && server.model.stats().running > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(server.model.stats().running).toBe(0);
  });
});

describe("openai's other calls", () => {
  it("completions: whole and streamed, a list of prompts, with echo and log probabilities", async () => {
    const ask = { model: "tiny-r1", prompt: ["1+1=", "2+2="], max_tokens: 8, temperature: 0 };
    const whole = await client.completions.create({ ...ask, echo: true, logprobs: 1 });
    expect(whole.choices.map(({ text }) => text.slice(0, 4))).toEqual(ask.prompt);
    const { logprobs } = whole.choices[0] ?? {};
    expect(logprobs?.text_offset?.[0]).toBe(4);
    expect(logprobs?.tokens?.length).toBe(logprobs?.token_logprobs?.length);
    const texts = ["", ""];
    const stream = await client.completions.create({ ...ask, stream: true });
    for await (const { choices } of stream)
      for (const { index, text } of choices) texts[index] = (texts[index] ?? "") + text;
    expect(texts.map((text, i) => (ask.prompt[i] ?? "") + text)).toEqual(
      whole.choices.map(({ text }) => text),
    );
  });

  it("models: the list and one by its name", async () => {
    const { data } = await client.models.list();
    const [first] = data;
    expect(first).toMatchObject({ object: "model", owned_by: "r1-native" });
    expect(await client.models.retrieve(first?.id ?? "")).toEqual(first);
    await expect(client.models.retrieve("gpt-0")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it("errors have OpenAI's classes, codes and places", async () => {
    const wrong = client.chat.completions.create({ ...ASK, max_completion_tokens: "9" as never });
    await expect(wrong).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(wrong).rejects.toMatchObject({
      param: "max_completion_tokens",
      code: "invalid_type",
    });
    const long = "What is 1+1? ".repeat(6000);
    await expect(
      client.chat.completions.create({ ...ASK, messages: [{ role: "user", content: long }] }),
    ).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
  });
});
