// Claims about schemas that no grammar can keep: each is refused with its place.
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../../lib/base/errors.js";
import { schemaToGrammar } from "../../../lib/grammar/schema/schema-grammar.js";

function refusal(schema: unknown): { path: unknown; message: string } {
  try {
    schemaToGrammar(schema);
  } catch (error) {
    if (isR1Error(error, "SCHEMA_UNSUPPORTED"))
      return { path: error.details["path"], message: error.message };
    throw error;
  }
  throw new Error(`${JSON.stringify(schema).slice(0, 200)} was not refused`);
}

describe("a schema that cannot be kept", () => {
  const deep = (levels: number): unknown =>
    Array.from({ length: levels }).reduce<unknown>((schema) => ({ type: "array", items: schema }), {
      type: "null",
    });
  const cases: [what: string, schema: unknown, path: string, message: RegExp][] = [
    ["false", false, "schema", /no value fits/],
    ["no schema", "string", "schema", /must be a JSON Schema/],
    [
      "a wrong keyword",
      { type: "object", properties: { a: { type: "strin" } } },
      "schema/properties/a/type",
      /not a type of JSON Schema/,
    ],
    [
      "a keyword of the wrong kind",
      { type: "string", minLength: "3" },
      "schema/minLength",
      /not a JSON Schema|must be a whole number/,
    ],
    ["nothing at all", { not: {} }, "schema", /no value fits/],
    [
      "names by format",
      { type: "object", propertyNames: { format: "email" } },
      "schema/propertyNames",
      /a list of names, a pattern and lengths/,
    ],
    ["not", { properties: { a: { not: { const: 1 } } } }, "schema/properties/a/not", /cannot keep/],
    [
      "patternProperties",
      { type: "object", patternProperties: { "\\ba": {} } },
      "schema/patternProperties",
      /word boundary/,
    ],
    [
      "uniqueItems",
      { type: "array", items: { type: "integer" }, uniqueItems: true },
      "schema/uniqueItems",
      /cannot keep/,
    ],
    [
      "multipleOf",
      { properties: { n: { type: "number", multipleOf: 0.1 } } },
      "schema/properties/n/multipleOf",
      /validators disagree/,
    ],
    ["an unknown format", { type: "string", format: "regex" }, "schema/format", /not kept to/],
    ["a look-ahead", { type: "string", pattern: "^(?=a)" }, "schema/pattern", /uses look-ahead/],
    [
      "a back reference",
      { type: "string", pattern: "^(a)\\1$" },
      "schema/pattern",
      /back reference/,
    ],
    [
      "a pattern beyond its lengths",
      { type: "string", pattern: "^a*$", maxLength: 3 },
      "schema/pattern",
      /put the lengths into the pattern/,
    ],
    ["empty bounds", { type: "integer", minimum: 3, maximum: 2 }, "schema", /no integer/],
    [
      "bounds without an integer",
      { type: "integer", minimum: 0.2, maximum: 0.8 },
      "schema",
      /no integer/,
    ],
    [
      "an impossible conjunction",
      { allOf: [{ type: "string" }, { type: "integer" }] },
      "schema",
      /at once/,
    ],
    [
      "an enum that its type forbids",
      { enum: ["a"], type: "integer" },
      "schema",
      /no value that fits/,
    ],
    ["a list of 5 to 2 items", { type: "array", minItems: 5, maxItems: 2 }, "schema", /more items/],
    [
      "a remote reference",
      { properties: { a: { $ref: "https://example.com/schema" } } },
      "schema/properties/a/$ref",
      /only references/,
    ],
    ["a missing definition", { $ref: "#/$defs/nope" }, "schema/$ref", /does not exist/],
    ["a reference to itself", { $ref: "#" }, "schema", /left recursion|without end|never/],
    [
      "a value that needs itself",
      { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] },
      "schema",
      /never come to an end/,
    ],
    [
      "oneOf that may both fit",
      { oneOf: [{ type: "integer" }, { type: "number" }] },
      "schema/oneOf",
      /may both fit/,
    ],
    [
      "a branch of allOf",
      { allOf: [{ type: "array" }, { not: { type: "null" } }] },
      "schema/allOf/1/not",
      /cannot keep/,
    ],
    [
      "a branch behind a reference beside keywords",
      {
        $ref: "#/$defs/a~1b",
        maxItems: 3,
        $defs: { "a/b": { type: "array", items: { contains: {} } } },
      },
      "schema/$defs/a~1b/items/contains",
      /cannot keep/,
    ],
    [
      "a name with signs of pointers",
      { properties: { "a/b~": { not: { type: "null" } } } },
      "schema/properties/a~1b~0/not",
      /cannot keep/,
    ],
    [
      "minProperties",
      { type: "object", additionalProperties: { type: "null" }, minProperties: 2 },
      "schema/minProperties",
      /cannot count/,
    ],
    ["deep nesting", deep(400), `schema${"/items".repeat(301)}`, /levels deep/],
    ["very deep nesting", deep(100_000), "schema", /nested too deeply|cannot be used/],
    [
      "a tuple beside a list",
      {
        allOf: [
          { type: "array", prefixItems: [{ type: ["integer", "string"] }], minItems: 1 },
          { items: { type: "string" } },
        ],
      },
      "schema",
      /cannot be put together/,
    ],
    [
      "a closed branch beside another property that is required",
      {
        allOf: [
          { type: "object", properties: { a: {} }, unevaluatedProperties: false },
          { properties: { b: {} }, required: ["b"] },
        ],
      },
      "schema/allOf/1/properties/b",
      /no value fits/,
    ],
    [
      "oneOf of one value written in two ways",
      { oneOf: [{ const: { a: 1, b: 2 } }, { const: { b: 2, a: 1 } }] },
      "schema/oneOf",
      /may both fit/,
    ],
    [
      "references that double",
      {
        $ref: "#/$defs/a0",
        $defs: Object.fromEntries(
          Array.from({ length: 26 }, (_, i) => [
            `a${i}`,
            i === 25
              ? {}
              : { allOf: [{ $ref: `#/$defs/a${i + 1}` }, { $ref: `#/$defs/a${i + 1}` }] },
          ]),
        ),
      },
      "schema/$defs/a0",
      /more than 200000 schemas/,
    ],
    [
      "a reference that cannot be decoded",
      { $ref: "#/%E0%A4%A" },
      "schema/$ref",
      /not a reference/,
    ],
    ["10 MB", { enum: ["x".repeat(10_000_000)] }, "schema", /characters, but the limit/],
  ];

  it.each(cases)("is refused with its place: %s", (_what, schema, path, message) => {
    const found = refusal(schema);
    expect(found.message).toMatch(message);
    expect(found.path).toBe(path);
  });

  it("is refused when it is circular", () => {
    const loop: Record<string, unknown> = { type: "array" };
    loop["items"] = loop;
    expect(refusal(loop).path).toBe("schema");
  });
});
