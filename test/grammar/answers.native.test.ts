// Claims about answers in a schema on the real addon: a thousand seeds, every answer that ended by
// itself parses and validates, and no budget is overrun.
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../lib/model/model.js";
import { loadTiny } from "../fixtures/tiny.js";

const SCHEMAS: object[] = [
  {
    type: "object",
    properties: {
      name: { type: "string", minLength: 1, maxLength: 20 },
      age: { type: "integer", minimum: 0, maximum: 150 },
      tags: { type: "array", items: { enum: ["a", "b", 'ü"\\\n'] }, maxItems: 3 },
    },
    required: ["name", "age"],
    additionalProperties: false,
  },
  {
    $ref: "#/$defs/node",
    $defs: {
      node: {
        type: "object",
        properties: {
          value: { type: "number", minimum: 0, maximum: 9 },
          left: { $ref: "#/$defs/node" },
          right: { $ref: "#/$defs/node" },
        },
        required: ["value"],
        additionalProperties: false,
      },
    },
  },
  {
    type: "object",
    properties: { ab: { type: "integer" }, abc: { type: "string", maxLength: 10 } },
    required: ["abc"],
    additionalProperties: { type: "boolean" },
  },
  { type: "string", pattern: "^[a-z]{2,5}-\\d{3}$" },
  {
    type: "array",
    items: {
      type: "array",
      items: { type: "integer", minimum: 0, maximum: 9 },
      minItems: 3,
      maxItems: 3,
    },
    minItems: 1,
    maxItems: 4,
  },
  {
    anyOf: [
      { type: "number", minimum: -3, exclusiveMaximum: 100 },
      { type: "null" },
      { type: "string", format: "date-time" },
    ],
  },
  { enum: ["yes", "no", "是", 3, null] },
  { type: "object", properties: { result: { type: "integer" } }, required: ["result"] },
  {
    type: "array",
    prefixItems: [{ type: "string", maxLength: 5 }, { type: "boolean" }],
    items: false,
    minItems: 2,
  },
  { type: ["object", "array", "string"] },
];

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const CLOSING = " Enough.";

let model: Model;
beforeAll(
  async () => void (model = await loadTiny({ contextSize: 8192, sequences: 8, maxQueue: 2000 })),
);
afterAll(() => model.close());

describe("a thousand seeds", () => {
  it(
    "give only answers that fit, and no reasoning over its budget",
    { timeout: 600_000 },
    async () => {
      const validators = SCHEMAS.map((schema) => ajv.compile(schema));
      const fed = model.tokenizer.encode(CLOSING).length + 1;
      const outcomes = await Promise.all(
        Array.from({ length: 1000 }, async (_, seed) => {
          const kind = seed % SCHEMAS.length;
          const budget = seed % 3 === 0 ? 20 : undefined;
          const run = model.chat([{ role: "user", content: `What is ${seed % 50}+${seed % 7}?` }], {
            seed,
            maxTokens: 400,
            response: { schema: SCHEMAS[kind] },
            reasoning: {
              mode: seed % 2 === 0 ? "forced" : "auto",
              closing: CLOSING,
              ...(budget === undefined ? {} : { maxTokens: budget }),
            },
          });
          const { answer, finishReason, usage } = await run.result();
          // With the tag in the prompt only the closing one is counted, else both.
          const overrun =
            budget === undefined
              ? 0
              : Math.max(0, usage.reasoningTokens - budget - fed - (seed % 2));
          if (finishReason !== "stop") return { ended: 0, wrong: [], overrun };
          let isValid = false;
          try {
            isValid = validators[kind]?.(JSON.parse(answer)) === true;
          } catch {
            isValid = false;
          }
          return { ended: 1, wrong: isValid ? [] : [`seed ${seed}: ${answer}`], overrun };
        }),
      );
      const wrong = outcomes.flatMap((outcome) => outcome.wrong);
      const ended = outcomes.reduce((sum, outcome) => sum + outcome.ended, 0);
      console.log(
        `answers in a schema: ${ended - wrong.length} valid of ${ended} that ended by themselves, of ${outcomes.length} seeds`,
      );
      expect(wrong).toEqual([]);
      expect(Math.max(...outcomes.map((outcome) => outcome.overrun))).toBe(0);
      expect(ended).toBeGreaterThan(800);
    },
  );
});

describe("an opening tag inside an answer in a form", () => {
  it("is text of the answer: the form goes on behind it", async () => {
    const grammar = 'root ::= "a<think>b" "c"{8}';
    const logitBias = { [model.tokenizer.think]: 50 };
    const run = model.chat([{ role: "user", content: "Hi" }], {
      temperature: 0,
      seed: 1,
      maxTokens: 40,
      logitBias,
      reasoning: { mode: "off" },
      response: { grammar },
    });
    const { answer, reasoning, finishReason, tokens } = await run.result();
    expect([...tokens]).toContain(model.tokenizer.think);
    expect({ answer, reasoning, finishReason }).toEqual({
      answer: "a<think>bcccccccc",
      reasoning: "",
      finishReason: "stop",
    });
  });
});
