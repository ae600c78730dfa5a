// Converts the schemas of arrays and objects, whose items and properties are schemas themselves. Pure but
// for the rules they add; runs on any JavaScript thread.
import { pointerPart, type Schema, type SchemaObject } from "../base/schema-types.js";
import type { GrammarNode } from "./grammar.js";
import { count, fail, failEmpty } from "./schema-leaf.js";
import { arrayNode, objectNode, type AddRule } from "./schema-object.js";

/** Most items of an array that are counted; a `maxItems` above is kept as this. */
const MAX_ITEMS = 2000;

/** How schemas inside another one are converted. */
export interface InnerSchemas {
  /** @throws {NoValueError} when no value fits the schema. */
  readonly convert: (schema: Schema, path: string, depth: number) => GrammarNode;
  /** As `convert`; undefined when no value fits the schema. */
  readonly perhaps: (schema: Schema, path: string, depth: number) => GrammarNode | undefined;
  readonly add: AddRule;
  /** Counts work against the bound. */
  readonly count: (path: string, more: number) => void;
}

/** The names a `propertyNames` lists; undefined when it allows any. */
function listedNames(schema: unknown, path: string): readonly string[] | undefined {
  if (schema === undefined || schema === true) return undefined;
  const {
    enum: listed,
    const: only,
    type,
    ...others
  } = (typeof schema === "object" && schema !== null ? schema : { not: {} }) as SchemaObject;
  const values = only === undefined ? listed : [only];
  if (Object.keys(others).length === 0 && values === undefined && type === "string")
    return undefined;
  if (Object.keys(others).length > 0)
    fail(
      path,
      "restricts names in a way that a grammar cannot keep; only a list of names can be kept",
    );
  return Array.isArray(values) ? values.filter((value) => typeof value === "string") : undefined;
}

/** An array of a schema's items and lengths. */
export function arrayOf(
  schema: SchemaObject,
  path: string,
  depth: number,
  inner: InnerSchemas,
): GrammarNode {
  const min = count(schema, "minItems", path) ?? 0;
  const limit = count(schema, "maxItems", path) ?? Infinity;
  if (min > MAX_ITEMS) fail(path, `asks for more than ${MAX_ITEMS} items`);
  const max = limit === Infinity ? Infinity : Math.min(limit, MAX_ITEMS);
  if (min > max) failEmpty(path, "asks for more items than it allows");
  if (schema["uniqueItems"] === true && max > 1)
    fail(`${path}/uniqueItems`, "uses a keyword that a grammar cannot keep");
  const { items } = schema as { items?: Schema };
  const fixed = ((schema["prefixItems"] ?? []) as readonly Schema[]).slice(0, max);
  const prefix: GrammarNode[] = [];
  for (const [i, item] of fixed.entries()) {
    const node =
      i < min
        ? inner.convert(item, `${path}/prefixItems/${i}`, depth + 1)
        : inner.perhaps(item, `${path}/prefixItems/${i}`, depth + 1);
    if (node === undefined) return inner.add(arrayNode(prefix, undefined, min, i, inner.add));
    prefix.push(node);
  }
  // Beyond the fixed items nothing need follow; a schema that says nothing of others gets none.
  const isSilent = prefix.length > 0 && items === undefined && min <= prefix.length;
  const rest =
    prefix.length >= max || isSilent
      ? undefined
      : inner.perhaps(items ?? true, `${path}/items`, depth + 1);
  if (rest === undefined && min > prefix.length)
    failEmpty(path, "asks for more items than it allows");
  return inner.add(arrayNode(prefix, rest, min, max, inner.add));
}

/** An object of a schema's properties, and of what it says of others. */
export function objectOf(
  schema: SchemaObject,
  path: string,
  depth: number,
  inner: InnerSchemas,
): GrammarNode {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  const required = new Set((schema["required"] ?? []) as readonly string[]);
  const additional = (schema["additionalProperties"] ?? schema["unevaluatedProperties"]) as
    Schema | undefined;
  // Silence about other properties allows them in JSON Schema; the grammar then writes the named
  // ones only, or any if none is named.
  const allowed = listedNames(schema["propertyNames"], `${path}/propertyNames`);
  const allowedSet = allowed === undefined ? undefined : new Set(allowed);
  const others =
    allowed === undefined &&
    (additional ?? (Object.keys(properties).length === 0 && required.size === 0));
  const named = Object.keys(properties).filter(
    (name) => allowedSet?.has(name) !== false || required.has(name),
  );
  // With a list of names, those are all there can be, and each that has no schema of its own falls
  // under the schema for others.
  const further =
    additional === false ? [] : (allowed ?? []).filter((name) => !Object.hasOwn(properties, name));
  const names = [...new Set([...named, ...required, ...further])];
  const barred = [...required].find((name) => allowedSet?.has(name) === false);
  if (barred !== undefined)
    failEmpty(
      `${path}/required`,
      `asks for ${JSON.stringify(barred)}, which propertyNames forbids`,
    );
  const unnamed = names.find((name) => !Object.hasOwn(properties, name));
  if (unnamed !== undefined && additional === false)
    failEmpty(
      `${path}/required`,
      `asks for ${JSON.stringify(unnamed)}, which additionalProperties forbids`,
    );
  const made = names.flatMap((name) => {
    const isRequired = required.has(name);
    const [property, at] = Object.hasOwn(properties, name)
      ? [properties[name] as Schema, `${path}/properties/${pointerPart(name)}`]
      : [additional ?? true, path];
    const value = isRequired
      ? inner.convert(property, at, depth + 1)
      : inner.perhaps(property, at, depth + 1);
    return value === undefined ? [] : [{ name, value, isRequired }];
  });
  const least = count(schema, "minProperties", path) ?? 0;
  const most = count(schema, "maxProperties", path) ?? Infinity;
  const rest =
    others === false ? undefined : inner.perhaps(others, `${path}/additionalProperties`, depth + 1);
  if (least > Math.max(1, required.size))
    fail(
      `${path}/minProperties`,
      "asks for more properties than are required, which a grammar cannot count",
    );
  if (most < required.size) failEmpty(path, "requires more properties than it allows");
  if (most < (rest === undefined ? made.length : Infinity))
    fail(
      `${path}/maxProperties`,
      "allows fewer properties than are named, which a grammar cannot count",
    );
  if (least > 0 && made.length === 0 && rest === undefined)
    failEmpty(path, "asks for a property and allows none");
  inner.count(path, Math.ceil(names.length / 4));
  return inner.add(objectNode(made, rest, Object.keys(properties), inner.add, least > 0));
}
