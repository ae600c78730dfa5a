// The types of the package `openai` as oracle of chat completions, completions and models: every
// body and every chunk of random valid requests fits them, and both forms agree.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../lib/model/model.js";
import { createApp } from "../../../lib/server/app.js";
import type { R1App } from "../../../lib/server/app.js";
import { loadTiny } from "../../fixtures/tiny.js";
import { ask } from "../ask.js";
import { both, expectType } from "./both.js";
import { chatRequest, completionRequest } from "./chat-requests.js";
import { validatorsOf } from "./schemas.js";
import type { Validator } from "./schemas.js";

/** The same requests each time; R1_SEED=N asks others. */
const seed = Number(process.env["R1_SEED"] ?? 1);

let model: Model;
let app: R1App;
let types: Record<"completion" | "chunk" | "text" | "model", Validator>;
beforeAll(async () => {
  model = await loadTiny({ sequences: 4, contextSize: 8192, deterministic: true });
  app = createApp({ "tiny-r1": model });
  types = validatorsOf({
    completion: { file: "openai/resources/chat/completions", type: "ChatCompletion" },
    chunk: { file: "openai/resources/chat/completions", type: "ChatCompletionChunk" },
    text: { file: "openai/resources/completions", type: "Completion" },
    model: { file: "openai/resources/models", type: "Model" },
  });
});
afterAll(() => model.close());

interface Call {
  index?: number;
  id?: string;
  type?: string;
  function: { name?: string; arguments: string };
}

/** Fields of a message that texts are added to. */
interface Said {
  content: string | null;
  reasoning_content: string;
  reasoning: string;
  tool_calls: Call[];
}

interface Choice {
  readonly index: number;
  readonly delta: Partial<Said> & { readonly role?: string };
  readonly message: Partial<Said>;
  readonly text: string;
  readonly logprobs: { readonly content?: unknown[]; readonly tokens?: unknown[] } | null;
  readonly finish_reason: string | null;
}

interface Body {
  readonly id: string;
  readonly choices: readonly Choice[];
  readonly usage?: { readonly completion_tokens: number } | null;
}

/** The chunks of a stream that ends as OpenAI's do. */
function chunksOf(stream: string): Body[] {
  const data = stream
    .split("\n\n")
    .filter((frame) => frame !== "" && !frame.startsWith(":"))
    .map((frame) => frame.slice("data: ".length));
  expect(data.pop()).toBe("[DONE]");
  return data.map((one) => JSON.parse(one) as Body);
}

/** The usage is in a last chunk of its own if it was asked for, and else nowhere. */
function expectUsage(request: object, chunks: Body[], whole: Body): Body[] {
  const { stream_options: wish } = request as { stream_options?: { include_usage: boolean } };
  if (wish?.include_usage !== true) {
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);
    return chunks;
  }
  const last = chunks.at(-1);
  expect(last?.choices).toEqual([]);
  expect(last?.usage?.completion_tokens).toBe(whole.usage?.completion_tokens);
  const rest = chunks.slice(0, -1);
  expect(rest.every(({ usage }) => usage === null)).toBe(true);
  return rest;
}

/**
 * The type is that of the whole form: it wants a reason of each choice and the usage or nothing,
 * where OpenAI's own server streams null until the end.
 */
function asWhole({ usage, ...chunk }: Body): unknown {
  const choices = chunk.choices.map((one) => ({
    ...one,
    finish_reason: one.finish_reason ?? "stop",
  }));
  return usage === null || usage === undefined
    ? { ...chunk, choices }
    : { ...chunk, choices, usage };
}

/** Puts the deltas of a choice together, as a client does. */
function messageOf(choices: readonly Choice[]): Partial<Said> {
  const said: Said = { content: "", reasoning_content: "", reasoning: "", tool_calls: [] };
  choices.forEach(({ delta }, i) => {
    expect(delta.role).toBe(i === 0 ? "assistant" : undefined);
    said.content = (said.content ?? "") + (delta.content ?? "");
    said.reasoning_content += delta.reasoning_content ?? "";
    said.reasoning += delta.reasoning ?? "";
    for (const call of delta.tool_calls ?? []) {
      const begun = said.tool_calls[call.index ?? -1];
      if (begun === undefined) {
        expect(call).toMatchObject({ index: said.tool_calls.length, type: "function" });
        said.tool_calls.push(structuredClone(call));
      } else {
        expect([call.id, call.function.name]).toEqual([undefined, undefined]);
        begun.function.arguments += call.function.arguments;
      }
    }
  });
  return said;
}

/** What both forms must agree on: ids of calls are each one's own. */
function plain({ content, reasoning_content, reasoning, tool_calls }: Partial<Said>): object {
  return {
    content: content ?? "",
    reasoning_content: reasoning_content ?? "",
    reasoning: reasoning ?? "",
    calls: (tool_calls ?? []).map((call) => call.function),
  };
}

/** Chunks of one choice in order; its last one alone says how it ended. */
function choiceOf(chunks: readonly Body[], index: number, end: string | null): Choice[] {
  const choices = chunks.flatMap(({ choices: all }) => all.filter((one) => one.index === index));
  expect(choices.map(({ finish_reason }) => finish_reason)).toEqual([
    ...Array.from({ length: choices.length - 1 }, () => null),
    end,
  ]);
  return choices;
}

describe("OpenAI's types", () => {
  it("know every chat completion and chunk, in both forms the same", async () => {
    await fc.assert(
      fc.asyncProperty(chatRequest, async (request) => {
        const [body, stream] = await both(app, "/v1/chat/completions", request);
        expectType(types.completion, body);
        const whole = body as unknown as Body;
        const all = chunksOf(stream);
        for (const chunk of all) expectType(types.chunk, chunk);
        const chunks = expectUsage(request, all, whole);
        expect(new Set(all.map(({ id }) => id)).size).toBe(1);
        for (const { index, message, finish_reason: end, logprobs } of whole.choices) {
          const choices = choiceOf(chunks, index, end);
          expect(plain(messageOf(choices))).toEqual(plain(message));
          const streamed = choices.flatMap((one) => one.logprobs?.content ?? []);
          expect(streamed).toEqual(logprobs?.content ?? []);
        }
      }),
      { numRuns: 120, seed },
    );
  }, 900_000);

  it("know every completion, in both forms the same", async () => {
    await fc.assert(
      fc.asyncProperty(completionRequest, async (request) => {
        const [body, stream] = await both(app, "/v1/completions", request);
        expectType(types.text, body);
        const whole = body as unknown as Body;
        const all = chunksOf(stream);
        for (const chunk of all) expectType(types.text, asWhole(chunk));
        const chunks = expectUsage(request, all, whole);
        for (const { index, text, finish_reason: end, logprobs } of whole.choices) {
          const choices = choiceOf(chunks, index, end);
          expect(choices.map((one) => one.text).join("")).toBe(text);
          const streamed = choices.flatMap((one) => one.logprobs?.tokens ?? []);
          expect(streamed).toEqual(logprobs?.tokens ?? []);
        }
      }),
      { numRuns: 60, seed },
    );
  }, 900_000);

  it("know the models, in the list and by name", async () => {
    const { data } = JSON.parse((await ask(app, "GET", "/v1/models")).text) as { data: object[] };
    for (const one of data) expectType(types.model, one);
    const { text } = await ask(app, "GET", "/v1/models/tiny-r1");
    expect(JSON.parse(text)).toEqual(data[0]);
  });
});
