// Claims about the grammars of JSON Schemas: every text fits the schema, what does not fit is not
// in them, and what cannot be kept is refused with its place.
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parseGrammar } from "../../fixtures/grammar-parse.js";
import { schemaToGrammar } from "../../../lib/grammar/schema/schema-grammar.js";
import { numbers, sampler } from "../../fixtures/grammar-text.js";

const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });

/**
 * Checks that texts out of the printed grammar parse and fit, and returns the grammar as read back.
 */
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
    ["no other properties, and no type", { unevaluatedProperties: false }],
    [
      "no other properties than a branch's, and no type",
      { anyOf: [{ properties: { a: { type: "null" } } }], unevaluatedProperties: false },
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
