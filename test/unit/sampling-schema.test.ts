// Claims about the grammars of JSON Schemas: every text fits the schema, what does not fit is not in them, and what cannot be kept is refused with its place.
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { parseGrammar } from "../fixtures/grammar-parse.js";
import { schemaToGrammar } from "../../lib/sampling/schema-grammar.js";
import { numbers, sampler } from "../fixtures/grammar-text.js";

const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });

/** Checks that texts out of the printed grammar parse and fit, and returns the grammar as read back. */
function checkSchema(schema: unknown, count = 60): ReturnType<typeof parseGrammar> {
  const grammar = parseGrammar(schemaToGrammar(schema));
  const validate = ajv.compile(schema as object);
  const next = sampler(grammar, numbers(count));
  for (let i = 0; i < count; i++) {
    const text = next();
    const value = JSON.parse(text) as unknown;
    if (!validate(value))
      throw new Error(
        `${text} does not fit ${JSON.stringify(schema)}: ${ajv.errorsText(validate.errors)}`,
      );
  }
  return grammar;
}

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

const PERSON = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 40 },
    age: { type: "integer", minimum: 0, maximum: 150 },
    email: { type: "string", format: "email" },
    tags: { type: "array", items: { enum: ["a", "b", 'ü"\\\n'] }, maxItems: 3 },
    born: { anyOf: [{ type: "string", format: "date" }, { type: "null" }] },
  },
  required: ["name", "age"],
  additionalProperties: false,
};
const TREE = {
  $ref: "#/$defs/node",
  $defs: {
    node: {
      type: "object",
      properties: {
        value: { type: "number" },
        left: { $ref: "#/$defs/node" },
        right: { $ref: "#/$defs/node" },
      },
      required: ["value"],
      additionalProperties: false,
    },
  },
};

describe("texts of the grammar fit the schema", () => {
  const schemas: [what: string, schema: unknown][] = [
    ["anything", true],
    ["an empty schema", {}],
    ["a record", PERSON],
    ["a tree", TREE],
    ["a list that nests in itself", { type: "array", items: { $ref: "#" } }],
    [
      "optional properties only",
      {
        type: "object",
        properties: { a: { type: "boolean" }, b: { type: "null" }, c: { const: 3 } },
      },
    ],
    [
      "other properties",
      {
        type: "object",
        properties: { ab: { type: "integer" }, abc: { type: "string" }, "": { type: "null" } },
        required: ["abc"],
        additionalProperties: { type: "boolean" },
      },
    ],
    ["a map", { type: "object", additionalProperties: { type: "integer" } }],
    [
      "a required property without a schema",
      { type: "object", properties: { a: { type: "null" } }, required: ["z", "a"] },
    ],
    [
      "names that need escapes",
      {
        type: "object",
        properties: { 'q"\\\n\u0001é😀': { type: "null" }, __proto__x: { type: "null" } },
        required: ['q"\\\n\u0001é😀'],
        additionalProperties: { type: "string" },
      },
    ],
    [
      "a tuple",
      {
        type: "array",
        prefixItems: [{ type: "integer" }, { type: "string" }],
        items: false,
        minItems: 1,
      },
    ],
    [
      "a tuple with more",
      {
        type: "array",
        prefixItems: [{ type: "integer" }],
        items: { type: "boolean" },
        minItems: 3,
        maxItems: 5,
      },
    ],
    ["an array of 2 to 4", { type: "array", items: { type: "null" }, minItems: 2, maxItems: 4 }],
    ["an empty array", { type: "array", maxItems: 0 }],
    [
      "several types",
      { type: ["string", "null", "integer"], maxLength: 3, minimum: 5, maximum: 12 },
    ],
    [
      "allOf",
      {
        allOf: [
          { type: "object", properties: { a: { type: "number" } }, required: ["a"] },
          { properties: { a: { type: "integer", minimum: 3 }, b: { type: "null" } } },
        ],
      },
    ],
    [
      "anyOf beside properties",
      {
        type: "object",
        properties: { kind: { type: "string" } },
        required: ["kind"],
        anyOf: [
          { properties: { kind: { const: "x" } } },
          { properties: { kind: { const: "y" }, n: { type: "integer" } }, required: ["n"] },
        ],
      },
    ],
    [
      "oneOf told apart by a const",
      {
        oneOf: [
          {
            type: "object",
            properties: { t: { const: "a" }, v: { type: "integer" } },
            required: ["t"],
          },
          { type: "object", properties: { t: { const: "b" } }, required: ["t", "v"] },
          { type: "string" },
        ],
      },
    ],
    [
      "a reference beside keywords",
      { $defs: { s: { type: "string", maxLength: 9 } }, $ref: "#/$defs/s", minLength: 2 },
    ],
    [
      "an enum of mixed values cut down by its type",
      { enum: [1, "one", null, [1], { a: 1 }], type: ["integer", "object"] },
    ],
    ["long strings", { type: "string", minLength: 3, maxLength: 12345 }],
    [
      "a map with listed names",
      {
        type: "object",
        propertyNames: { type: "string", enum: ["a", "b"] },
        additionalProperties: { type: "integer" },
        required: ["b"],
      },
    ],
    [
      "a map with names of any kind",
      { type: "object", propertyNames: { type: "string" }, additionalProperties: { type: "null" } },
    ],
    [
      "an expression beside its format",
      {
        type: "string",
        format: "ipv4",
        pattern: "^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|1?[0-9])$",
      },
    ],
    [
      "an enum of 1500 values",
      { enum: Array.from({ length: 1500 }, (_, i) => `value number ${i}`) },
    ],
    ["strings of exactly 5 characters", { type: "string", minLength: 5, maxLength: 5 }],
  ];

  it.each(schemas)("%s", (_what, schema) => {
    checkSchema(schema, 150);
  });

  const bounds: object[] = [
    { minimum: 0 },
    { maximum: 0 },
    { minimum: 1, maximum: 1 },
    { minimum: -5, maximum: 17 },
    { minimum: 99, maximum: 1001 },
    { minimum: -1234, maximum: -56 },
    { exclusiveMinimum: 0 },
    { exclusiveMaximum: 0 },
    { exclusiveMinimum: 0, exclusiveMaximum: 2 },
    { minimum: 10, exclusiveMaximum: 100 },
    { minimum: -0.5, maximum: 0.5 },
    { minimum: 1.5 },
    { maximum: -1.5 },
    { minimum: 0, maximum: 4294967295 },
    { minimum: -9007199254740991, maximum: 9007199254740991 },
    { exclusiveMaximum: 1000000 },
    { exclusiveMinimum: 1000000 },
    { minimum: 0, maximum: 1 },
  ];
  it.each(bounds)("numbers and integers within %j", (bound) => {
    checkSchema({ type: "integer", ...bound }, 200);
    checkSchema({ type: "number", ...bound }, 200);
  });

  it.each([
    { minimum: 0.25, maximum: 0.75 },
    { exclusiveMinimum: 0.1, exclusiveMaximum: 0.12 },
    { minimum: 3.05, maximum: 3.06 },
    { minimum: -0.75, maximum: -0.25 },
  ])("numbers within %j", (bound) => {
    checkSchema({ type: "number", ...bound }, 200);
  });

  const patterns = [
    "^[a-z]{2,5}$",
    "^\\d{3}-\\d{4}$",
    "abc",
    "^(foo|ba[rz])+$",
    "^a.c$",
    '^["\\\\]+$',
    "^[^a-z]{1,4}$",
    "^\\S+@\\S+$",
    "^\\w*\\s\\W?$",
    "^(?:a|b)?c*$",
    "^$",
    "^\\u00e9\\x41$",
    "a|^b|c$",
    "^\\n\\t$",
    "^[\\w.-]+$",
    "^(?<year>\\d{4})$",
    "^a+?$",
  ];
  it.each(patterns)("strings of pattern %s", (pattern) => {
    checkSchema({ type: "string", pattern }, 200);
  });

  it.each(["date", "time", "date-time", "uuid", "ipv4", "hostname", "email", "uri"])(
    "strings of format %s",
    (format) => {
      const next = sampler(checkSchema({ type: "string", format }), numbers(7));
      for (let i = 0; i < 200; i++) {
        const value = JSON.parse(next()) as string;
        if (format === "date" || format === "date-time")
          expect(Number.isNaN(Date.parse(value)), value).toBe(false);
        if (format === "uri") expect(URL.canParse(value), value).toBe(true);
      }
    },
  );
});

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
      /no type of JSON Schema/,
    ],
    [
      "a keyword of the wrong kind",
      { type: "string", minLength: "3" },
      "schema/minLength",
      /not a JSON Schema|must be a number/,
    ],
    ["nothing at all", { not: {} }, "schema", /no value fits/],
    [
      "names by expression",
      { type: "object", propertyNames: { pattern: "^a" } },
      "schema/propertyNames",
      /only a list/,
    ],
    ["not", { properties: { a: { not: { const: 1 } } } }, "schema/properties/a/not", /cannot keep/],
    [
      "patternProperties",
      { type: "object", patternProperties: { "^a": {} } },
      "schema/patternProperties",
      /cannot keep/,
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
      /cannot keep/,
    ],
    ["an unknown format", { type: "string", format: "regex" }, "schema/format", /not kept to/],
    ["a look-ahead", { type: "string", pattern: "^(?=a)" }, "schema/pattern", /looks ahead/],
    ["a back reference", { type: "string", pattern: "^(a)\\1$" }, "schema/pattern", /refers back/],
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
    ["a missing definition", { $ref: "#/$defs/nope" }, "schema/$ref", /not there/],
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
    ["a reference that cannot be decoded", { $ref: "#/%E0%A4%A" }, "schema/$ref", /no reference/],
    ["10 MB", { enum: ["x".repeat(10_000_000)] }, "schema", /characters, more than/],
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
