// Log probabilities of tokens that are parts of characters: their bytes, in every protocol that has
// them, and the pieces of POST /tokenize.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonOf, testApp } from "./app.js";
import type { TestApp } from "./app.js";

const TEXT = "🦙 é 中";
const BYTES = [...Buffer.from(TEXT)];
const SCHEMA = { type: "object", properties: { a: { const: TEXT } }, required: ["a"] };

interface Logprob {
  readonly token: string;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly Omit<Logprob, "top_logprobs">[];
}

let server: TestApp;
beforeAll(async () => void (server = await testApp()));
afterAll(() => server[Symbol.asyncDispose]());

function expectBytesOf(text: string, logprobs: readonly Logprob[]): void {
  expect(text).toContain(TEXT);
  expect(logprobs.some(({ token }) => token.includes("\ufffd"))).toBe(true);
  const bytes = Buffer.from(logprobs.flatMap((one) => one.bytes));
  expect(bytes.toString()).toContain(text);
  for (const { token, bytes: own } of logprobs.flatMap((one) => [one, ...one.top_logprobs]))
    expect(Buffer.from(own).toString()).toBe(token);
}

describe("the bytes of log probabilities", () => {
  it("are those of the text in chat completions", async () => {
    const { choices } = await jsonOf<{
      choices: [{ message: { content: string }; logprobs: { content: Logprob[] } }];
    }>(
      server.post("/v1/chat/completions", {
        messages: [{ role: "user", content: "What is 1+1?" }],
        response_format: { type: "json_schema", json_schema: { name: "a", schema: SCHEMA } },
        reasoning_effort: "none",
        logprobs: true,
        top_logprobs: 2,
      }),
    );
    expectBytesOf(choices[0].message.content, choices[0].logprobs.content);
  });

  it("are those of the text in responses", async () => {
    const { output } = await jsonOf<{
      output: { type: string; content: [{ text: string; logprobs: Logprob[] }] }[];
    }>(
      server.post("/v1/responses", {
        input: "What is 1+1?",
        text: { format: { type: "json_schema", name: "a", schema: SCHEMA } },
        reasoning: { effort: "none" },
        include: ["message.output_text.logprobs"],
        top_logprobs: 2,
      }),
    );
    const message = output.find(({ type }) => type === "message");
    expectBytesOf(message?.content[0].text ?? "", message?.content[0].logprobs ?? []);
  });
});

it("POST /tokenize gives the pieces of a divided character as bytes", async () => {
  const { tokens } = await jsonOf<{ tokens: { piece: string | number[] }[] }>(
    server.post("/tokenize", { content: TEXT, with_pieces: true }),
  );
  const bytes = tokens.flatMap(({ piece }) =>
    typeof piece === "string" ? [...Buffer.from(piece)] : piece,
  );
  expect(tokens.some(({ piece }) => typeof piece !== "string")).toBe(true);
  expect(bytes).toEqual(BYTES);
});
