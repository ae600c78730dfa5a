// Claims about checks of values: each draft as it says, patterns in linear time, a bounded number
// of steps, nothing of one validator obeyed.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../../lib/base/errors.js";
import { compileSchema } from "../../../lib/base/schema/json-schema.js";
import { PatternMatcher, Steps } from "../../../lib/base/schema/pattern-matcher.js";
import { PatternProblem } from "../../../lib/base/schema/pattern.js";
import { compileSchemaGrammar } from "../../../lib/grammar/compile.js";

const fits = (schema: unknown, value: unknown): boolean =>
  compileSchema(schema, "schema")(value) === undefined;
const matches = (pattern: string, text: string): boolean =>
  new PatternMatcher(pattern).matches(text, new Steps(5_000_000));

describe("a pattern", () => {
  it("matches what V8 matches, with characters as wholes", () => {
    const patterns =
      "^a+$ ab|cd ^(a|b)*c$ ^[^x]$ a{2,3} ^\\d{3}-\\w+$ \\bcat\\b \\Bat ^$ ^.$ (a*)* ^\\p{L}+$ ^[\\p{Lu}\\d]$ ^[^\\u{1F600}]$ ^\\uD83D\\uDE00$ [] (?:a|(?<n>b))c? ^a??b$ ^\\cA$ [\\b] x*y{0}z ^\\S+\\s\\S+$ (^a|b$)";
    const texts = ["", "a", "aa", "aaa!", "abc", "123-xy", "a cat", "chat", "é", "É", "😀", "x", "\n", "b c", "\u0001", "\b", "z", "cd", "bc", "xb"]; // prettier-ignore
    for (const pattern of patterns.split(" "))
      for (const text of texts)
        expect([pattern, text, matches(pattern, text)]).toEqual([
          pattern,
          text,
          new RegExp(pattern, "u").test(text),
        ]);
  });

  it("that makes others go back and forth takes linear time", () => {
    for (const [pattern, unit] of [
      ["^(a+)+$", "a"],
      ["^(x+x+)+y$", "x"],
      ["^(a|aa|a?)*$", "a"],
      ["(.*)*=(.*)*;$", "b"],
    ] as const)
      expect(matches(pattern, `${unit.repeat(20_000)}!`)).toBe(false);
  });

  it.each(["(a{1000}){1000}", "^(?=a)", "(a)\\1", "(?<!a)b", "(?<n>a)\\k<n>", "[", "(?i:a)"])(
    "%s is refused in words",
    (pattern) => {
      expect(() => new PatternMatcher(pattern)).toThrow(PatternProblem);
      expect(() => compileSchema({ pattern }, "schema")).toThrow(
        expect.objectContaining({ code: "SCHEMA_UNSUPPORTED" }),
      );
    },
  );
});

describe("a check", () => {
  it("agrees with the JSON Schema test suite where it does not refuse", () => {
    const folder = new URL(
      "../../../node_modules/json-schema-test-suite/tests/draft4/",
      import.meta.url,
    );
    interface Group {
      description: string;
      schema: object;
      tests: { description: string; data: unknown; valid: boolean }[];
    }
    let [tried, refused] = [0, 0];
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")))
      for (const group of JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Group[]) {
        const schema = { $schema: "http://json-schema.org/draft-04/schema#", ...group.schema };
        try {
          compileSchema(schema, "schema");
        } catch (error) {
          if (!isR1Error(error, "SCHEMA_UNSUPPORTED")) throw error;
          expect(error.message).toMatch(/only references within the schema/);
          refused++;
          continue;
        }
        for (const test of group.tests) {
          tried++;
          expect(
            fits(schema, test.data),
            `${file}: ${group.description}: ${test.description}`,
          ).toBe(test.valid);
        }
      }
    expect(tried).toBeGreaterThan(240);
    expect(refused).toBeLessThan(10);
  });

  it("obeys no word of one validator", () => {
    expect(fits({ $async: true, type: "integer" }, "x")).toBe(false);
    expect(fits({ type: "string", nullable: true }, null)).toBe(false);
    expect(fits({ properties: { a: { maximum: 3 } }, formatMaximum: 1 }, { a: 2 })).toBe(true);
    expect(() => compileSchema({ maximum: { $data: "1/a" } }, "schema")).toThrow(
      /must be a number/,
    );
    expect(fits({ discriminator: { propertyName: "k" }, oneOf: [true] }, {})).toBe(true);
  });

  it("reads a schema as the draft it names", () => {
    const [d4, d7] = ["http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"]; // prettier-ignore
    expect(fits({ $schema: d4, minimum: 0, exclusiveMinimum: true }, 0)).toBe(false);
    expect(fits({ $schema: d4, const: 1 }, 2)).toBe(true);
    const beside = { definitions: { a: { type: "string" } }, properties: { x: { $ref: "#/definitions/a", maxLength: 1 } } }; // prettier-ignore
    expect(fits({ $schema: d7, ...beside }, { x: "long" })).toBe(true);
    expect(fits(beside, { x: "long" })).toBe(false);
    expect(fits({ $schema: d7, items: [{ type: "integer" }], additionalItems: false }, [1, 2])).toBe(false); // prettier-ignore
    expect(fits({ $defs: { n: { $anchor: "n", type: "integer" } }, $ref: "#n" }, "x")).toBe(false);
  });

  it("keeps what cousins have evaluated apart", () => {
    const closed = { properties: { a: true }, unevaluatedProperties: false };
    expect(fits({ allOf: [{ properties: { b: true } }, closed] }, { a: 1, b: 1 })).toBe(false);
    expect(fits({ allOf: [{ properties: { b: true } }], ...closed }, { a: 1, b: 1 })).toBe(true);
  });

  it("ends after a bounded number of steps, and says so", () => {
    const twice = (n: number): object => ({ anyOf: [{ allOf: [{ $ref: `#/$defs/d${n}` }, false] }, { $ref: `#/$defs/d${n}` }] }); // prettier-ignore
    const $defs = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`d${i}`, i === 29 ? false : twice(i + 1)])); // prettier-ignore
    expect(compileSchema({ $defs, $ref: "#/$defs/d0" }, "schema")(1)).toMatch(/too many steps/);
    expect(compileSchema({ $ref: "#" }, "schema")(1)).toMatch(/too often|too deeply/);
    const list = Array.from({ length: 20_000 }, (_, i) => ({ i }));
    expect(fits({ uniqueItems: true }, list)).toBe(true);
    expect(fits({ uniqueItems: true }, [...list, { i: 3 }])).toBe(false);
  });
});

describe("a large schema", () => {
  const wide = { oneOf: Array.from({ length: 600 }, (_, i) => ({ type: "object", properties: { k: { const: `k${i}` } }, required: ["k"] })) }; // prettier-ignore

  it("is compiled in another process, once for all who ask, and a small one at once", async () => {
    const [one, other] = [compileSchemaGrammar(wide, "a"), compileSchemaGrammar(wide, "a")];
    expect(one).toBeInstanceOf(Promise);
    expect(await one).toBe(await other);
    expect(compileSchemaGrammar(wide, "b")).toBe(await one);
    expect(typeof compileSchemaGrammar({ type: "integer", minimum: 12 }, "a")).toBe("string");
  });

  it("that cannot be kept rejects with its place", async () => {
    await expect(
      compileSchemaGrammar({ ...wide, allOf: [{ not: { type: "null" } }] }, "s"),
    ).rejects.toMatchObject({ code: "SCHEMA_UNSUPPORTED" });
    await expect(compileSchemaGrammar({ pattern: "(?=a)" }, "s")).rejects.toMatchObject({
      code: "SCHEMA_UNSUPPORTED",
      details: { path: "s/pattern" },
    });
  });
});
