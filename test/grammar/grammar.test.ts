// Claims about grammars in TypeScript: printed so that they read back and hold the same texts.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { parseGrammar } from "../fixtures/grammar-parse.js";
import { charRanges, invert, printGrammar, type GrammarNode } from "../../lib/grammar/grammar.js";
import { responseForm } from "../../lib/grammar/response.js";
import { toolGrammar } from "../../lib/grammar/tool-grammar.js";
import { compileSchema } from "../../lib/base/schema/json-schema.js";
import { ToolReader } from "../../lib/reasoning/tool-reader.js";
import { ROLE_TEXTS } from "../../lib/template/segment.js";
import { accepts, numbers, sampler } from "../fixtures/grammar-text.js";

/** The grammar of an answer's form. */
const grammarOf = (value: unknown): unknown => responseForm(value)?.();

function refusal(grammar: string): string {
  try {
    grammarOf({ grammar });
  } catch (error) {
    if (isR1Error(error, "GRAMMAR_INVALID")) return error.message;
    throw error;
  }
  throw new Error(`${grammar.slice(0, 200)} was not refused`);
}

describe("a grammar", () => {
  it("is passed on as it is when it is fit", () => {
    const json = `
      # a comment
      root   ::= object
      value  ::= object | array | string | number | ("true" | "false" | "null") ws
      object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
      array  ::= "[" ws ( value ("," ws value)* )? "]" ws
      string ::= "\\"" ( [^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\\"" ws
      number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
      ws ::= | " " | "\\n" [ \\t]{0,20}
    `.replaceAll("\n      ", "\n");
    expect(grammarOf({ grammar: json })).toBe(json);
    const grammar = parseGrammar(json);
    expect(accepts(grammar, '{"a": [1, -2.5e3, "x\\n", null], "b": {}}')).toBe(true);
    expect(accepts(grammar, '{"a": [1, }')).toBe(false);
  });

  it("reads escapes, sets, groups, repetitions and tokens", () => {
    const grammar = parseGrammar(
      'root ::= "a\\x41\\u00e9\\U0001F600\\"" [^a-c\\]-] .? (x | "y"){2,3} <[5]> !<think>\nx ::= "x"+',
    );
    expect(printGrammar(grammar)).toBe(
      'root ::= "aA\\xE9\\U0001F600\\x22" [^\\x2D\\x5Da-c] .? (x | "y"){2,3} <[5]> !<think>\nx ::= "x"+\n'.replace(
        "(x",
        "(x",
      ),
    );
  });

  it("reads back what was printed, and holds the same texts", () => {
    const leaf: fc.Arbitrary<GrammarNode> = fc.oneof(
      fc
        .constantFrom("a", "b", 'q"\\', "é", "😀", "[]-^")
        .map((text): GrammarNode => ({ kind: "text", text })),
      fc.constantFrom(
        charRanges([[97, 99]]),
        charRanges(invert([[97, 97]])),
        charRanges([
          [93, 94],
          [45, 45],
        ]),
        charRanges([[0, 0x10ffff]]),
      ),
    );
    const node = fc.letrec<{ node: GrammarNode }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc
          .array(tie("node"), { minLength: 1, maxLength: 3 })
          .map((nodes): GrammarNode => ({ kind: "seq", nodes })),
        fc
          .array(tie("node"), { minLength: 1, maxLength: 3 })
          .map((nodes): GrammarNode => ({ kind: "alt", nodes })),
        fc
          .tuple(tie("node"), fc.constantFrom([0, 1], [0, 2], [1, 3], [2, 2], [1, Infinity]))
          .map(([inner, [min, max]]): GrammarNode => ({
            kind: "repeat",
            node: inner,
            min: min ?? 0,
            max: max ?? 1,
          })),
      ),
    })).node;
    fc.assert(
      fc.property(node, fc.nat(), (root, seed) => {
        const grammar = new Map([["root", root]]);
        const back = parseGrammar(printGrammar(grammar));
        expect(printGrammar(parseGrammar(printGrammar(back)))).toBe(printGrammar(back));
        for (const [one, other] of [
          [grammar, back],
          [back, grammar],
        ] as const) {
          const next = sampler(one, numbers(seed));
          for (let i = 0; i < 3; i++) {
            const text = next();
            if (text.length < 60) expect(accepts(other, text), JSON.stringify(text)).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("a grammar that no engine is asked about", () => {
  it.each([
    ["10 MB", `root ::= "${"a".repeat(10_000_000)}"`, /longer than/],
    ["a null character", 'root ::= "a\0"', /null character/],
  ])("is refused at the call: %s", (_what, grammar, message) => {
    expect(refusal(grammar)).toMatch(message);
  });
});

describe("the option response", () => {
  it("takes a schema, a schema with toJSONSchema, or a grammar", () => {
    const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    const made = grammarOf({ schema });
    expect(made).toContain("root ::=");
    expect(grammarOf({ schema: { toJSONSchema: () => schema } })).toBe(made);
    // What Zod's own converter returns carries a property that is no keyword.
    expect(
      grammarOf({
        schema: Object.defineProperty({ ...schema }, "~standard", { value: {}, enumerable: false }),
      }),
    ).toBe(made);
    expect(grammarOf(undefined)).toBeUndefined();
  });

  it("is refused when it is neither, both, or misspelt", () => {
    for (const value of [
      {},
      { schema: {}, grammar: 'root ::= "a"' },
      "json",
      { grammar: 5 },
      { grammar: " " },
    ]) {
      expect(() => grammarOf(value)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
    expect(() => grammarOf({ shema: {} })).toThrow(
      expect.objectContaining({ code: "UNKNOWN_OPTION" }),
    );
    expect(() => grammarOf({ type: "object", def: {} })).toThrow(
      "Write response: { schema } or { grammar }.",
    );
    const broken = (): never => {
      throw new Error("Transforms cannot be represented");
    };
    expect(() => grammarOf({ schema: { toJSONSchema: broken } })).toThrow(
      /Transforms cannot be represented/,
    );
    expect(() => grammarOf({ schema: { _zod: {} } })).toThrow(
      expect.objectContaining({ code: "SCHEMA_UNSUPPORTED" }),
    );
  });
});

describe("a forced tool call", () => {
  const parameters = {
    type: "object",
    properties: {
      city: { type: "string", maxLength: 20 },
      days: { type: "integer", minimum: 1, maximum: 9 },
    },
    required: ["city"],
    additionalProperties: false,
  };
  const tools = [
    { name: "get_weather", parameters, check: compileSchema(parameters, "p") },
    { name: "ping", parameters: {}, check: compileSchema({ type: "object" }, "p") },
  ];

  it("is always one that the reader takes and the schema allows", () => {
    for (const forced of [tools, tools.slice(0, 1), tools.slice(1)]) {
      const next = sampler(parseGrammar(toolGrammar(forced, ROLE_TEXTS)), numbers(3));
      for (let i = 0; i < 100; i++) {
        const reader = new ToolReader(tools, ROLE_TEXTS);
        const parts = [...reader.push(next()), ...reader.end()].filter(
          (part) => typeof part !== "string" || part.trim() !== "",
        );
        expect(parts.length).toBeGreaterThan(0);
        expect(parts.length).toBeLessThanOrEqual(forced.length === 1 ? 1 : 16);
        for (const part of parts) expect(part).toMatchObject({ type: "tool-call" });
      }
    }
  });

  it("names the tool whose schema cannot be kept", () => {
    const bad = [
      tools[1] as (typeof tools)[number],
      { name: "f", parameters: { properties: { x: { not: { const: 1 } } } } },
    ];
    expect(() => toolGrammar(bad, ROLE_TEXTS)).toThrow(
      "tools[1].function.parameters/properties/x/not",
    );
  });
});
