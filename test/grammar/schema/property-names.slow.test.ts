// Claims about the names of properties in grammars: `patternProperties` and the patterns and
// lengths of `propertyNames` are kept, alone, beside each other and beside named and other
// properties.
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../../lib/base/errors.js";
import { schemaToGrammar } from "../../../lib/grammar/schema/schema-grammar.js";
import { parseGrammar } from "../../fixtures/grammar-parse.js";
import { accepts, numbers, sampler } from "../../fixtures/grammar-text.js";

const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });

const grammarOf = (schema: object): ReturnType<typeof parseGrammar> =>
  parseGrammar(schemaToGrammar(schema));

const number = { type: "integer" } as const;
const flag = { type: "boolean" } as const;

describe("patternProperties", () => {
  it.each([
    ["of TypeBox's records", { "^(.*)$": number }, {}, ['{"a":1}', "{}", '{"":2,"ä b":3}'], []],
    [
      "closed",
      { "^x-": number, "^y": flag },
      { additionalProperties: false },
      ['{"x-a":1}', '{"y":true,"x-":0}'],
      ['{"z":1}', '{"x-a":true}', '{"y":1}'],
    ],
    [
      "beside named ones, one of which matches",
      { "^a": number },
      { properties: { ab: { minimum: 5 }, c: flag }, required: ["c"] },
      ['{"ab":7,"c":true}', '{"c":true,"aa":-3}'],
      ['{"ab":3,"c":true}', '{"ab":7}', '{"c":true,"ab":3}', '{"c":1,"ab":7}'],
    ],
    [
      "that ask for a required name",
      { "^a": number },
      { required: ["ab"], additionalProperties: false },
      ['{"ab":1}', '{"ab":1,"a":2}'],
      ["{}", '{"ab":true}', '{"a":1}'],
    ],
    [
      "beside other properties",
      { "^a": number },
      { additionalProperties: flag },
      ['{"a":1,"b":true}', '{"b":false,"ba":true}'],
      ['{"a":true}', '{"b":1}'],
    ],
    [
      "that one name matches both",
      { "^a": { minimum: 3 }, b$: { type: "integer", maximum: 5 } },
      { additionalProperties: false },
      ['{"ab":4}', '{"b":-1}'],
      ['{"ab":9}', '{"ab":1}', '{"b":9}', '{"c":1}'],
    ],
    ["with false", { "^a": false, "": flag }, {}, ['{"b":true}', "{}"], ['{"a":true}', '{"b":1}']],
    [
      "with characters that JSON escapes",
      { '^["\\\\]+$': number },
      { additionalProperties: false },
      ['{"\\"\\\\":1}'],
      ['{"a":1}'],
    ],
  ] as const)("%s are kept", (_what, patternProperties, beside, inside, outside) => {
    const schema = { type: "object", patternProperties, ...beside };
    const grammar = grammarOf(schema);
    const validate = ajv.compile(schema);
    for (const text of inside) {
      expect(validate(JSON.parse(text)), text).toBe(true);
      expect(accepts(grammar, text), text).toBe(true);
    }
    for (const text of outside) expect(accepts(grammar, text), text).toBe(false);
  });

  it("are put together with those of allOf where nothing is lost by it", () => {
    const grammar = grammarOf({
      allOf: [
        { type: "object", patternProperties: { "^a": number } },
        { patternProperties: { "^a": { minimum: 3 }, "^b": flag }, properties: { c: flag } },
      ],
    });
    const texts = ['{"a":4}', '{"c":true,"b":false}', '{"a":2}', '{"b":1}'];
    expect(texts.map((text) => accepts(grammar, text))).toEqual([true, true, false, false]);
    const lost = {
      allOf: [
        { type: "object", patternProperties: { "^a": number } },
        { additionalProperties: flag },
      ],
    };
    expect(() => schemaToGrammar(lost)).toThrow(/patternProperties beside additionalProperties/);
  });

  it.each([
    [{ "\\bword\\b": {} }, /word boundary/],
    [{ "(?=a)b": {} }, /look|group|unexpected|not/],
    [{ "^a{0,100000}$": {} }, /too large/],
    [{ "a.{300}b.{300}c": {} }, /too many rules|too much work/],
  ])("refuses %j in words and at once", (patternProperties, words) => {
    const started = performance.now();
    expect(() => schemaToGrammar({ type: "object", patternProperties })).toThrow(words);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe("propertyNames", () => {
  it("keeps a pattern and lengths", () => {
    const grammar = grammarOf({
      type: "object",
      propertyNames: { type: "string", pattern: "^[a-z]+$", maxLength: 3 },
      additionalProperties: number,
    });
    const texts = ['{"abc":1}', "{}", '{"abcd":1}', '{"A":1}', '{"":1}', '{"a":true}'];
    expect(texts.map((text) => accepts(grammar, text))).toEqual([
      ...[true, true, false, false, false, false],
    ]);
  });

  it("keeps a pattern beside named properties and patterns of others", () => {
    const grammar = grammarOf({
      type: "object",
      propertyNames: { pattern: "^[a-c]+$" },
      properties: { ab: flag, xy: flag },
      patternProperties: { c$: number },
    });
    const texts = ['{"ab":true,"c":1}', '{"bc":2}', '{"xy":true}', '{"dc":1}', '{"c":true}'];
    expect(texts.map((text) => accepts(grammar, text))).toEqual([true, true, false, false, false]);
  });
});

it("1,000 random objects write nothing that Ajv refuses", () => {
  const random = numbers(20_26);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const values = [number, flag, { const: null }, { type: "integer", minimum: 3 }, {}, false];
  const patterns = ["^a", "b$", "c", "^[a-c]{1,3}$", "", "^$", "^\\d+$", "[^x]", "^(ab|cd)*$"];
  const names = ["a", "ab", "cb", "x", "12", ""];
  const some = <T>(list: readonly T[]): T[] => list.filter(() => random() < 0.3);
  let kept = 0;
  for (let i = 0; i < 1000; i++) {
    const schema: Record<string, unknown> = { type: "object" };
    if (random() < 0.8)
      schema["patternProperties"] = Object.fromEntries(
        some(patterns).map((source) => [source, pick(values)]),
      );
    if (random() < 0.5)
      schema["properties"] = Object.fromEntries(some(names).map((name) => [name, pick(values)]));
    if (random() < 0.3) schema["required"] = some(names);
    if (random() < 0.5) schema["additionalProperties"] = pick([true, false, number]);
    if (random() < 0.3) schema["propertyNames"] = pick([{ pattern: "b" }, { maxLength: 2 }]);
    let source: string;
    try {
      source = schemaToGrammar(schema);
    } catch (error) {
      if (!isR1Error(error, "SCHEMA_UNSUPPORTED")) throw error;
      continue;
    }
    kept++;
    const validate = ajv.compile(schema);
    const next = sampler(parseGrammar(source), numbers(i));
    for (let j = 0; j < 8; j++) {
      const text = next();
      expect(validate(JSON.parse(text)), `${JSON.stringify(schema)}: ${text}`).toBe(true);
    }
  }
  expect(kept).toBeGreaterThan(600);
});
