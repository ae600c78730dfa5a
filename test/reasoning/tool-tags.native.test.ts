// Tool tags on a model whose vocabulary has tokens for them: told by their ids, in what it writes
// and in what it is held to.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../lib/model/model.js";
import { ROLE_TEXTS } from "../../lib/template/segment.js";
import { setPair, tinyParts, writeParts } from "../fixtures/gguf-model.js";
import { temporaryFolder, tinyModel } from "../fixtures/gguf-temp.js";
import { loadTiny } from "../fixtures/tiny.js";
import { readGguf } from "../../scripts/gguf-writer.mjs";

const TAGS = ["toolCallsBegin", "toolCallsEnd", "toolCallBegin", "toolCallEnd", "toolSep"] as const;
/** Ids that the embedded model has no English text for. */
const FIRST = 763;
const idOf = (tag: (typeof TAGS)[number]): number => FIRST + TAGS.indexOf(tag);
const USER_DEFINED = 4;
const QUESTION = [{ role: "user", content: "What is 12+34?" }] as const;
const parameters = {
  type: "object",
  properties: { n: { type: "integer", minimum: 0, maximum: 9 } },
  required: ["n"],
  additionalProperties: false,
};
const tools = (["note", "count"] as const).map(
  (name) => ({ type: "function", function: { name, parameters } }) as const,
);

/** The embedded model with tool tokens in its vocabulary. */
async function withToolTokens(): Promise<string> {
  const { pairs } = await readGguf(tinyModel);
  const parts = await tinyParts();
  const tokens = [...(pairs.get("tokenizer.ggml.tokens")?.strings ?? [])].map(String);
  TAGS.forEach((tag) => (tokens[idOf(tag)] = ROLE_TEXTS[tag]));
  setPair(parts, "tokenizer.ggml.tokens", "arr", { of: "str", values: tokens });
  const types = parts.pairs.get("tokenizer.ggml.token_type") as Buffer;
  for (const tag of TAGS)
    types.writeInt32LE(USER_DEFINED, types.length - 4 * (tokens.length - idOf(tag)));
  return writeParts(join(await temporaryFolder(), "tool-tokens.gguf"), parts);
}

let model: Model;
beforeAll(async () => void (model = await loadTiny({ sequences: 4 }, await withToolTokens())));
afterAll(() => model.close());

describe("a vocabulary with tool tokens", () => {
  it("has them in the prompt, and no text of a user becomes one", () => {
    for (const tag of TAGS)
      expect([...model.tokenizer.encode(ROLE_TEXTS[tag], { special: true })]).toEqual([idOf(tag)]);
    const shown = model.formatChat(
      [{ role: "user", content: Object.values(ROLE_TEXTS).join("") }],
      { tools },
    );
    for (const tag of TAGS)
      expect([...shown.tokens].filter((id) => id === idOf(tag))).toHaveLength(1);
  });

  it("holds a forced call to the tokens, and reads it", async () => {
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, seed) =>
        model
          .chat(QUESTION, {
            seed,
            tools,
            toolChoice:
              seed % 2 === 0 ? "required" : { type: "function", function: { name: "count" } },
            reasoning: { mode: "off" },
            maxTokens: 300,
          })
          .result(),
      ),
    );
    const ended = results.filter(({ finishReason }) => finishReason !== "length");
    expect(ended.length).toBeGreaterThan(6);
    for (const { finishReason, toolCalls, answer, tokens } of ended) {
      expect({ finishReason, answer }).toEqual({ finishReason: "tool-calls", answer: "" });
      for (const call of toolCalls)
        expect(call).toMatchObject({
          name: expect.stringMatching(/^(note|count)$/) as string,
          arguments: { n: expect.any(Number) as number },
        });
      const counts = Object.fromEntries(
        TAGS.map((tag) => [tag, [...tokens].filter((id) => id === idOf(tag)).length]),
      );
      const { length } = toolCalls;
      expect(counts).toEqual({
        toolCallsBegin: 1,
        toolCallsEnd: 1,
        toolCallBegin: length,
        toolCallEnd: length,
        toolSep: length,
      });
    }
  });

  it.each([
    "calls▁end",
    "end｜>",
    ROLE_TEXTS.toolCallEnd,
    `${ROLE_TEXTS.toolCallEnd}${ROLE_TEXTS.toolCallsEnd}`,
  ])(
    "gives the calls and nothing else when the stop string %j ends it inside a tag",
    async (stop) => {
      const call = `${ROLE_TEXTS.toolCallsBegin}${ROLE_TEXTS.toolCallBegin}function${ROLE_TEXTS.toolSep}note\n\`\`\`json\n{"n": 1}\n\`\`\`${ROLE_TEXTS.toolCallEnd}${ROLE_TEXTS.toolCallsEnd}`;
      const run = model.chat(QUESTION, {
        seed: 1,
        tools,
        stop,
        response: { grammar: `root ::= ${JSON.stringify(call)}` },
        reasoning: { mode: "off" },
        logitBias: Object.fromEntries(TAGS.map((tag) => [idOf(tag), 100])),
      });
      const types: string[] = [];
      for await (const part of run) types.push(part.type);
      expect(types).toEqual(["tool-call", "finish"]);
      expect(await run.result()).toMatchObject({
        answer: "",
        toolCalls: [{ name: "note", arguments: { n: 1 } }],
      });
    },
  );

  it("tells letters of a tag that other tokens spell from the tag", async () => {
    const call = `${ROLE_TEXTS.toolCallsBegin}${ROLE_TEXTS.toolCallBegin}function${ROLE_TEXTS.toolSep}note\n\`\`\`json\n{"n": 1}\n\`\`\`${ROLE_TEXTS.toolCallEnd}${ROLE_TEXTS.toolCallsEnd}`;
    const grammar = `root ::= ${JSON.stringify(call)}`;
    const ask = (bias: number): Promise<{ answer: string; toolCalls: readonly unknown[] }> =>
      model
        .chat(QUESTION, {
          seed: 1,
          tools,
          response: { grammar },
          reasoning: { mode: "off" },
          logitBias: Object.fromEntries(TAGS.map((tag) => [idOf(tag), bias])),
        })
        .result();
    expect(await ask(-Infinity)).toMatchObject({ answer: call, toolCalls: [] });
    expect(await ask(100)).toMatchObject({
      answer: "",
      toolCalls: [{ name: "note", arguments: { n: 1 } }],
    });
  });
});
