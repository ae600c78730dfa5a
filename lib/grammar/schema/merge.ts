// Computes the intersection of two JSON Schemas as one schema, for `allOf` and for keywords beside
// `$ref`, `anyOf` and `oneOf`. Pure.

import { canonical } from "../../base/schema/values.js";
import { commonMultiple } from "./multiple.js";
import type { Schema, SchemaObject } from "../../base/schema/types.js";

/** Two schemas that cannot be combined; the message explains why. */
export class MergeProblem extends Error {
  constructor(
    message: string,
    /** Whether no value fits both. */
    readonly isEmpty = false,
  ) {
    super(message);
  }
}

/** The types a schema names; undefined: any. */
export function typesOf(schema: SchemaObject): readonly string[] | undefined {
  const { type } = schema;
  return typeof type === "string" ? [type] : Array.isArray(type) ? type.map(String) : undefined;
}

function mergeTypes(a: SchemaObject, b: SchemaObject): readonly string[] | undefined {
  const [left, right] = [typesOf(a), typesOf(b)];
  if (left === undefined || right === undefined) return left ?? right;
  const both = left.filter((type) => right.includes(type));
  if (left.includes("integer") && right.includes("number") && !both.includes("integer"))
    both.push("integer");
  if (right.includes("integer") && left.includes("number") && !both.includes("integer"))
    both.push("integer");
  if (both.length === 0)
    throw new MergeProblem(
      `asks for type ${left.join(" or ")} and for type ${right.join(" or ")} at once`,
      true,
    );
  return both;
}

const LARGER: ReadonlySet<string> = new Set([
  "minimum",
  "exclusiveMinimum",
  "minLength",
  "minItems",
  "minProperties",
]);
const SMALLER: ReadonlySet<string> = new Set([
  "maximum",
  "exclusiveMaximum",
  "maxLength",
  "maxItems",
  "maxProperties",
]);

const same = (a: unknown, b: unknown): boolean => a === b || canonical(a) === canonical(b);
const asSchema = (value: unknown): Schema =>
  typeof value === "boolean" ? value : ((value ?? {}) as SchemaObject);
const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as unknown[]) : [];

function mergeProperties(a: SchemaObject, b: SchemaObject): Record<string, unknown> | undefined {
  const [left, right] = [a["properties"], b["properties"]] as (SchemaObject | undefined)[];
  if (left === undefined && right === undefined) return undefined;
  const merged: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])) {
    const [one, other] = [own(left, name), own(right, name)];
    // A property that only one side names falls under the other side's additionalProperties.
    const sides = [
      one ?? own(a, "additionalProperties"),
      other ?? own(b, "additionalProperties"),
    ].filter((side) => side !== undefined);
    const schema = mergeProperty(sides.map(asSchema));
    Object.defineProperty(merged, name, { value: schema, enumerable: true, configurable: true });
  }
  return merged;
}

/** A property that nothing fits is one that may not be there. */
function mergeProperty(sides: readonly Schema[]): Schema {
  try {
    return sides.reduce(mergeSchemas, true);
  } catch (error) {
    if (error instanceof MergeProblem && error.isEmpty) return false;
    throw error;
  }
}

function own(object: SchemaObject | undefined, key: string): unknown {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The values that a schema lists, by `enum`, by `const`, or by both: then what they share. */
function valuesOf(schema: SchemaObject): readonly unknown[] | undefined {
  const listed = "enum" in schema ? asList(schema["enum"]) : undefined;
  if (!("const" in schema)) return listed;
  const only = canonical(schema["const"]);
  const isListed = listed === undefined || listed.some((value) => canonical(value) === only);
  return isListed ? [schema["const"]] : [];
}

function mergeEnums(a: SchemaObject, b: SchemaObject): readonly unknown[] | undefined {
  const [left, right] = [valuesOf(a), valuesOf(b)];
  const others = new Set(right?.map((value) => canonical(value)));
  const both =
    left === undefined || right === undefined
      ? (left ?? right)
      : left.filter((value) => others.has(canonical(value)));
  if (both?.length === 0)
    throw new MergeProblem("asks for values of two lists that share none", true);
  return both;
}

const isOpen = (schema: SchemaObject): boolean =>
  schema["additionalProperties"] === undefined || schema["additionalProperties"] === true;
const patternsOf = (schema: SchemaObject): SchemaObject =>
  (schema["patternProperties"] ?? {}) as SchemaObject;

/**
 * A name that matches a pattern of one side falls under the other side's additionalProperties too,
 * which no schema of both can say: patterns are put together where nothing depends on that.
 */
function mergePatterns(a: SchemaObject, b: SchemaObject): SchemaObject | undefined {
  const [left, right] = [patternsOf(a), patternsOf(b)];
  const sources = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  if (sources.length === 0) return undefined;
  const isShared = sources.every(
    (source) => Object.hasOwn(left, source) && Object.hasOwn(right, source),
  );
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const named = (one["properties"] ?? {}) as SchemaObject;
    const hasNames = Object.keys(other["properties"] ?? {}).some(
      (name) => !Object.hasOwn(named, name),
    );
    const hasPatterns = !isShared && Object.keys(patternsOf(other)).length > 0;
    if (!isOpen(one) && (hasNames || hasPatterns))
      throw new MergeProblem(
        "has patternProperties beside additionalProperties of another schema, which cannot be put together",
      );
  }
  return Object.fromEntries(
    sources.map((source) => [
      source,
      mergeProperty(
        [own(left, source), own(right, source)].filter((side) => side !== undefined).map(asSchema),
      ),
    ]),
  );
}

/** Keywords that are put together each in a way of its own. */
const OWN_WAYS: ReadonlySet<string> = new Set([
  ...["type", "properties", "required", "enum", "const"],
  ...["additionalProperties", "patternProperties"],
]);

const TUPLE = ["prefixItems", "items", "additionalItems"];

/**
 * A tuple's first items and a list's items would have to be merged one by one: only equal ones are
 * put together.
 */
function refuseTuples(a: SchemaObject, b: SchemaObject): void {
  const isTuple = [a, b].some(
    (schema) => schema["prefixItems"] !== undefined || Array.isArray(schema["items"]),
  );
  const speaks = (schema: SchemaObject): boolean => TUPLE.some((key) => schema[key] !== undefined);
  if (isTuple && speaks(a) && speaks(b) && !TUPLE.every((key) => same(a[key], b[key])))
    throw new MergeProblem("has a tuple beside other items, which cannot be put together");
}

/**
 * A branch from the point of view of the others: its unevaluated properties concern only itself, so
 * they mean additional ones.
 *
 * @throws {MergeProblem} if its own branches change that meaning.
 */
export function closedBranch(schema: Schema): Schema {
  if (typeof schema === "boolean" || schema["unevaluatedProperties"] === undefined) return schema;
  const { unevaluatedProperties, ...others } = schema;
  if (
    ["allOf", "anyOf", "oneOf", "$ref", "additionalProperties"].some(
      (key) => schema[key] !== undefined,
    )
  )
    throw new MergeProblem("has unevaluatedProperties in a branch that has branches of its own");
  return { ...others, additionalProperties: unevaluatedProperties };
}

/**
 * A schema for the values that fit both.
 *
 * @throws {MergeProblem} when no value fits both, or when the two cannot be written as one schema.
 */
export function mergeSchemas(a: Schema, b: Schema): Schema {
  if (a === true) return b;
  if (b === true) return a;
  if (a === false || b === false) return false;
  refuseTuples(a, b);
  const merged: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (OWN_WAYS.has(key)) continue;
    const [left, right] = [a[key], b[key]];
    if (left === undefined || right === undefined) merged[key] = left ?? right;
    else if (LARGER.has(key)) merged[key] = Math.max(Number(left), Number(right));
    else if (SMALLER.has(key)) merged[key] = Math.min(Number(left), Number(right));
    else if (key === "items") merged[key] = mergeSchemas(asSchema(left), asSchema(right));
    else if (key === "allOf") merged[key] = [...asList(left), ...asList(right)];
    else if (same(left, right)) merged[key] = left;
    else if (key === "multipleOf") merged[key] = mergeMultiples(Number(left), Number(right));
    else if (key === "uniqueItems") merged[key] = left === true || right === true;
    else if (key === "anyOf" || key === "oneOf" || key === "$ref") {
      // Both must hold: keep one here and the other in allOf, to be merged in its turn.
      merged[key] = left;
      merged["allOf"] = [...asList(merged["allOf"]), { [key]: right }];
    } else throw new MergeProblem(`has two different values of ${key} that cannot be put together`);
  }
  const types = mergeTypes(a, b);
  if (types !== undefined) merged["type"] = types.length === 1 ? types[0] : types;
  const properties = mergeProperties(a, b);
  if (properties !== undefined) merged["properties"] = properties;
  const patterns = mergePatterns(a, b);
  if (patterns !== undefined) merged["patternProperties"] = patterns;
  const required = [...new Set([...asList(a["required"]), ...asList(b["required"])])];
  if (required.length > 0) merged["required"] = required;
  const values = mergeEnums(a, b);
  if (values !== undefined) merged["enum"] = values;
  const [left, right] = [a["additionalProperties"], b["additionalProperties"]];
  if (left !== undefined || right !== undefined)
    merged["additionalProperties"] = mergeSchemas(asSchema(left ?? true), asSchema(right ?? true));
  return merged;
}

function mergeMultiples(a: number, b: number): number {
  const found = commonMultiple(a, b);
  if (found !== undefined) return found;
  throw new MergeProblem(`asks for multiples of ${a} and of ${b}, which are too far apart`);
}

/**
 * A schema for the values that fit all. In halves, so that many small ones are not copied once for
 * each.
 */
export function mergeAll(schemas: readonly Schema[]): Schema {
  if (schemas.length <= 2) return schemas.reduce(mergeSchemas, true);
  const middle = schemas.length >> 1;
  return mergeSchemas(mergeAll(schemas.slice(0, middle)), mergeAll(schemas.slice(middle)));
}
