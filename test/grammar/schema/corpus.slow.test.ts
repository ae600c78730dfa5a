// Claims about schemas that people and their generators wrote: OpenAPI documents, and what TypeBox,
// Valibot and Zod print. Every text of a schema's grammar fits it by Ajv; what is refused is
// refused in words.
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toJsonSchema } from "@valibot/to-json-schema";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import Type from "typebox";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isR1Error } from "../../../lib/base/errors.js";
import { compileSchemaGrammar } from "../../../lib/grammar/compile.js";
import { numbers, sampler } from "../../fixtures/grammar-text.js";
import { parseGrammar } from "../../fixtures/grammar-parse.js";

type Json = Record<string, unknown>;

const EXAMPLES = fileURLToPath(
  new URL("../../../node_modules/@readme/oas-examples/", import.meta.url),
);
const DRAFT_04 = "http://json-schema.org/draft-04/schema#";
const DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema";
const TEXTS = 4;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Every schema of an OpenAPI document: named ones, and those of bodies and answers. */
function schemasOf(node: unknown, found: Json[]): Json[] {
  if (Array.isArray(node)) for (const one of node) schemasOf(one, found);
  if (!isObject(node)) return found;
  for (const [key, child] of Object.entries(node)) {
    if (key === "schema" && isObject(child)) found.push(child);
    else if ((key === "schemas" || key === "definitions") && isObject(child))
      found.push(...Object.values(child).filter(isObject));
    else schemasOf(child, found);
  }
  return found;
}

/** The schemas of the package's documents, each once, with what their references lead to. */
async function documentSchemas(): Promise<Json[]> {
  const schemas = new Map<string, Json>();
  for (const version of ["2.0", "3.0", "3.1"]) {
    const folder = join(EXAMPLES, version, "json");
    for (const name of await readdir(folder)) {
      if (!name.endsWith(".json")) continue;
      const document = JSON.parse(readFileSync(join(folder, name), "utf8")) as Json;
      const shared: Json = {};
      for (const key of ["components", "definitions"])
        if (key in document) shared[key] = document[key];
      const draft = version === "3.1" ? DRAFT_2020 : DRAFT_04;
      for (const schema of schemasOf(document, [])) {
        const whole = { $schema: draft, ...shared, allOf: [schema] };
        const key = JSON.stringify(schema);
        if (!schemas.has(key)) schemas.set(key, whole);
      }
    }
  }
  return [...schemas.values()];
}

/** What generators write of the same types. */
function generated(): Json[] {
  const valibot = v.object({
    id: v.pipe(v.string(), v.uuid()),
    age: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(150))),
    tags: v.pipe(v.array(v.string()), v.maxLength(4)),
    kind: v.picklist(["a", "b", "c"]),
    at: v.nullable(v.pipe(v.string(), v.isoTimestamp())),
    pair: v.tuple([v.string(), v.boolean()]),
    shape: v.variant("type", [
      v.object({ type: v.literal("circle"), r: v.number() }),
      v.object({ type: v.literal("square"), side: v.number() }),
    ]),
  });
  const node: z.ZodType = z.lazy(() =>
    z.object({ name: z.string(), children: z.array(node).max(2) }),
  );
  const zods: z.ZodType[] = [
    z.object({ email: z.email(), url: z.url().optional(), n: z.number().int().min(1).max(9) }),
    z.discriminatedUnion("op", [
      z.object({ op: z.literal("add"), by: z.number() }),
      z.object({ op: z.literal("drop"), ids: z.array(z.int()).min(1).max(5) }),
    ]),
    z.record(z.string(), z.number().nullable()),
    z.union([z.string().max(10), z.number(), z.null()]),
    z.tuple([z.string(), z.number()]).rest(z.boolean()),
    z.strictObject({ a: z.iso.date(), b: z.enum(["x", "y"]).default("x") }),
    node,
  ];
  const typebox = [
    Type.Object({
      id: Type.Integer({ minimum: 1 }),
      name: Type.String({ minLength: 1, maxLength: 12 }),
      when: Type.Optional(Type.String({ format: "date-time" })),
      role: Type.Union([Type.Literal("admin"), Type.Literal("user")]),
    }),
    Type.Array(Type.Tuple([Type.String(), Type.Number()]), { maxItems: 3 }),
    Type.Intersect([
      Type.Object({ a: Type.String() }),
      Type.Object({ b: Type.Optional(Type.Boolean()) }),
    ]),
    Type.Union([Type.Object({ ok: Type.Literal(true) }), Type.Object({ error: Type.String() })]),
  ];
  return [toJsonSchema(valibot), ...zods.map((zod) => z.toJSONSchema(zod)), ...typebox].map(
    (schema) => JSON.parse(JSON.stringify(schema)) as Json,
  );
}

/**
 * Draft 04's bounds with a flag, as the drafts that Ajv knows write them; and no word of OpenAPI's
 * that Ajv obeys.
 */
function forAjv(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(forAjv);
  if (!isObject(node)) return node;
  const pairs = Object.entries(node).flatMap(([key, child]): [string, unknown][] => {
    if (key === "$schema" || (key === "nullable" && typeof child === "boolean")) return [];
    const bound = /^exclusive(M..imum)$/.exec(key)?.[1]?.toLowerCase();
    if (bound !== undefined && typeof child === "boolean")
      return child && bound in node ? [[key, node[bound]]] : [];
    return [[key, forAjv(child)]];
  });
  return Object.fromEntries(pairs);
}

const options = { strict: false, logger: false, validateFormats: false } as const;
const newest = new Ajv2020(options);
const draft07 = new Ajv(options);

/** TypeBox writes tuples as draft 07 does, and does not name it. */
const isDraft07 = (schema: Json): boolean =>
  "$schema" in schema
    ? String(schema["$schema"]).includes("draft-07")
    : JSON.stringify(schema).includes('"additionalItems"');

/** How many texts fit; or the words of the refusal. Throws where a text does not fit. */
async function outcome(schema: Json): Promise<number | string> {
  let source: string;
  try {
    source = await compileSchemaGrammar(schema, "schema");
  } catch (error) {
    if (!isR1Error(error, "SCHEMA_UNSUPPORTED")) throw error;
    return error.message;
  }
  const oracle = forAjv(schema) as Json;
  const ajv = isDraft07(schema) ? draft07 : newest;
  const fits = ajv.compile(oracle);
  ajv.removeSchema(oracle);
  const next = sampler(parseGrammar(source), numbers(1));
  for (let i = 0; i < TEXTS; i++) {
    const text = next();
    if (!fits(JSON.parse(text)))
      throw new Error(
        `${text} does not fit ${JSON.stringify(schema["allOf"] ?? schema)}: ${JSON.stringify(fits.errors?.[0])}`,
      );
  }
  return TEXTS;
}

describe("schemas as people write them", () => {
  it("of OpenAPI documents are kept, or refused in words", async () => {
    const schemas = await documentSchemas();
    const refused: string[] = [];
    for (const schema of schemas) {
      const result = await outcome(schema);
      if (typeof result === "string") refused.push(result);
    }
    console.log(
      `schemas of OpenAPI documents kept / tried: ${schemas.length - refused.length} / ${schemas.length}`,
    );
    expect(schemas.length).toBeGreaterThan(200);
    // Branches of one oneOf that overlap, defined formats that are not kept, and mistakes of their
    // writers.
    expect(refused.length).toBeLessThan(schemas.length / 10);
    for (const message of refused) expect(message).toMatch(/^The schema at `schema[^`]*` /);
  }, 120_000);

  it("of TypeBox, Valibot and Zod are kept", async () => {
    for (const schema of generated()) expect(await outcome(schema)).toBe(TEXTS);
  }, 60_000);

  it("of TypeBox's records are kept: it writes them with patternProperties", async () => {
    const record = JSON.parse(JSON.stringify(Type.Record(Type.String(), Type.Number()))) as Json;
    expect(await outcome(record)).toBe(TEXTS);
  });
});
