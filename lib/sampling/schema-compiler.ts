// Turns a JSON Schema into rules whose every text parses as JSON and fits the schema. Pure; runs on any JavaScript thread.
import { compileSchema } from "../base/json-schema.js";
import { alt, empty, optional, ref, repeat, seq, text, type GrammarNode } from "./grammar.js";
import {
  closedBranch,
  isAnnotation,
  MergeProblem,
  mergeSchemas,
  typesOf,
  type Schema,
  type SchemaObject,
} from "./schema-merge.js";
import { arrayNode, objectNode } from "./schema-object.js";
import { CHARACTER } from "./schema-string.js";
import { count, fail, numericNode, stringNode } from "./schema-leaf.js";
import { areDisjoint } from "./schema-disjoint.js";
import { pointerPart } from "./schema-place.js";

const MAX_DEPTH = 64;
/** Most schemas that are converted or merged: references that refer to others twice double with each. */
const MAX_WORK = 5000;
const TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"] as const;

const STRING_KEYWORDS = ["minLength", "maxLength", "pattern", "format"];
const KEYWORDS_BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  string: STRING_KEYWORDS,
  array: [
    "items",
    "prefixItems",
    "additionalItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
  ],
  object: [
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
  ],
};
const KNOWN = new Set([
  ...Object.values(KEYWORDS_BY_TYPE).flat(),
  "type",
  "enum",
  "const",
  "$ref",
  "allOf",
  "anyOf",
  "oneOf",
  "unevaluatedProperties",
]);
/** Keywords of JSON Schema that no grammar here can keep. Others that are unknown mean nothing in JSON Schema and are passed over. */
const UNSUPPORTED = [
  "not",
  "if",
  "then",
  "else",
  "contains",
  "minContains",
  "maxContains",
  "patternProperties",
  "dependencies",
  "dependentRequired",
  "dependentSchemas",
  "unevaluatedItems",
  "$dynamicRef",
  "$recursiveRef",
];

/** The names a `propertyNames` lists; undefined when it allows any. */
function listedNames(schema: unknown, path: string): readonly string[] | undefined {
  if (schema === undefined || schema === true) return undefined;
  const {
    enum: listed,
    const: only,
    type: _type,
    ...others
  } = (typeof schema === "object" && schema !== null ? schema : { not: {} }) as SchemaObject;
  const values = only === undefined ? listed : [only];
  if (Object.keys(others).some((key) => !isAnnotation(key)))
    fail(
      path,
      "restricts names in a way that a grammar cannot keep; only a list of names can be kept",
    );
  return Array.isArray(values) ? values.filter((value) => typeof value === "string") : undefined;
}

/** Compiles one document; rules are shared by all its schemas. */
export class SchemaCompiler {
  readonly rules = new Map<string, GrammarNode>();
  private readonly refs = new Map<string, string>();
  private work = 0;

  constructor(
    private readonly document: Schema,
    private readonly path: string,
  ) {
    this.rules.set("ws", optional(alt(text(" "), seq(text("\n"), repeat(text(" "), 0, 20)))));
    this.rules.set("string", seq(text('"'), repeat(ref("char"), 0), text('"')));
    this.rules.set("char", CHARACTER);
  }

  /** A rule of its own for a node. */
  readonly add = (node: GrammarNode): GrammarNode => {
    if (node.kind === "ref" || (node.kind === "seq" && node.nodes.length === 0)) return node;
    const name = `r${this.rules.size}`;
    this.rules.set(name, node);
    return ref(name);
  };

  private count(path: string, more: number): void {
    this.work += more;
    if (this.work > MAX_WORK)
      fail(
        path,
        `leads to more than ${MAX_WORK} schemas when its references and combinations are written out`,
      );
  }

  convert(schema: unknown, path: string, depth = 0): GrammarNode {
    this.count(path, 1);
    if (depth > MAX_DEPTH) fail(path, `is nested more than ${MAX_DEPTH} levels deep`);
    if (schema === true) return this.any();
    if (schema === false) fail(path, "is false: no value fits it");
    if (typeof schema !== "object" || schema === null || Array.isArray(schema))
      fail(path, "must be an object, true or false");
    const object = this.plain(schema as SchemaObject, path);
    if (typeof object === "boolean") return this.convert(object, path, depth + 1);
    const { $ref: target, allOf, anyOf, oneOf, ...base } = object;
    const isBare = Object.keys(base).length === 0;
    if (target !== undefined) {
      if (isBare && allOf === undefined && anyOf === undefined && oneOf === undefined)
        return this.reference(target, path);
      const { $ref: _target, ...beside } = object;
      return this.convert(
        this.merge([this.resolve(target, path).schema, beside], path),
        path,
        depth + 1,
      );
    }
    if (allOf !== undefined) {
      const { allOf: _all, ...beside } = object;
      return this.convert(
        this.merge([...this.list(allOf, `${path}/allOf`), beside], path),
        path,
        depth + 1,
      );
    }
    for (const [key, branches] of [
      ["anyOf", anyOf],
      ["oneOf", oneOf],
    ] as const) {
      if (branches === undefined) continue;
      const { [key]: _branches, ...beside } = object;
      const list = this.list(branches, `${path}/${key}`);
      if (key === "oneOf") this.refuseOverlap(list, `${path}/oneOf`);
      const merged = list.map((branch) =>
        Object.keys(beside).length === 0 ? branch : this.merge([branch, beside], path),
      );
      return this.add(
        alt(...merged.map((branch, i) => this.convert(branch, `${path}/${key}/${i}`, depth + 1))),
      );
    }
    return this.simple(object, path, depth);
  }

  /** A schema without its annotations, its keywords known. */
  private plain(schema: SchemaObject, path: string): SchemaObject {
    const unsupported = UNSUPPORTED.find((key) => schema[key] !== undefined);
    if (unsupported === "not" && (schema["not"] === true || JSON.stringify(schema["not"]) === "{}"))
      fail(path, "is the opposite of anything: no value fits it");
    if (unsupported !== undefined)
      fail(
        `${path}/${unsupported}`,
        "uses a keyword that a grammar cannot keep; leave it out and check the answer yourself",
      );
    return Object.fromEntries(
      Object.entries(schema).filter(
        ([key, value]) => !isAnnotation(key) && value !== undefined && KNOWN.has(key),
      ),
    );
  }

  private list(value: unknown, path: string): readonly Schema[] {
    if (!Array.isArray(value) || value.length === 0) fail(path, "must be a list of schemas");
    return value as Schema[];
  }

  private merge(schemas: readonly Schema[], path: string): Schema {
    this.count(path, schemas.length);
    try {
      const found = schemas.map((schema) =>
        typeof schema === "object" && "$ref" in schema ? this.follow(schema, path) : schema,
      );
      // The last one stands beside the others, and sees their properties; they do not see each other's.
      return found
        .map((schema, i) => (i < found.length - 1 ? closedBranch(schema) : schema))
        .reduce(mergeSchemas, true);
    } catch (error) {
      if (error instanceof MergeProblem) fail(path, error.message);
      throw error;
    }
  }

  /** A schema with its own reference put in, for merging. */
  private follow(schema: SchemaObject, path: string, depth = 0): Schema {
    if (depth > 32) fail(path, "refers to itself without end");
    const { $ref: target, ...beside } = schema;
    const found = this.resolve(target, path).schema;
    const inner =
      typeof found === "object" && "$ref" in found ? this.follow(found, path, depth + 1) : found;
    return mergeSchemas(Object.keys(beside).length > 0 ? closedBranch(inner) : inner, beside);
  }

  private resolve(target: unknown, path: string): { schema: Schema; path: string } {
    if (typeof target !== "string" || !/^#(\/|$)/.test(target))
      fail(
        `${path}/$ref`,
        `refers to ${JSON.stringify(target)}; only references within the schema, such as "#/$defs/name", are followed`,
      );
    let found: unknown = this.document;
    let pointer: string;
    try {
      pointer = decodeURIComponent(target);
    } catch {
      return fail(`${path}/$ref`, `refers to ${JSON.stringify(target)}, which is no reference`);
    }
    for (const part of pointer.split("/").slice(1)) {
      const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
      found =
        typeof found === "object" && found !== null && Object.hasOwn(found, key)
          ? (found as Record<string, unknown>)[key]
          : undefined;
    }
    if (typeof found !== "boolean" && (typeof found !== "object" || found === null))
      fail(`${path}/$ref`, `refers to ${JSON.stringify(target)}, which is not there`);
    return { schema: found as Schema, path: `${this.path}${pointer.slice(1)}` };
  }

  private reference(target: unknown, path: string): GrammarNode {
    const found = this.resolve(target, path);
    const key = String(target);
    let name = this.refs.get(key);
    if (name === undefined) {
      name = `ref${this.refs.size}`;
      this.refs.set(key, name);
      this.rules.set(name, empty);
      this.rules.set(name, this.convert(found.schema, found.path));
    }
    return ref(name);
  }

  private refuseOverlap(branches: readonly Schema[], path: string): void {
    const resolved = branches.map((branch) =>
      typeof branch === "object" && "$ref" in branch ? this.merge([branch], path) : branch,
    );
    resolved.forEach((a, i) => {
      const other = resolved.findIndex((b, j) => j > i && !areDisjoint(a, b));
      if (other >= 0)
        fail(
          path,
          `has branches ${i} and ${other} that one value may both fit; use anyOf, or give each a property with a different const`,
        );
    });
  }

  /** Any JSON value. */
  private any(): GrammarNode {
    if (!this.rules.has("value")) {
      this.rules.set("value", empty);
      const value = ref("value");
      this.rules.set(
        "value",
        alt(
          ...TYPES.filter((type) => type !== "integer").map((type) =>
            type === "array"
              ? arrayNode([], value, 0, Infinity, this.add)
              : type === "object"
                ? objectNode([], value, [], this.add)
                : this.typed(type, {}, "", 0),
          ),
        ),
      );
    }
    return ref("value");
  }

  private simple(schema: SchemaObject, path: string, depth: number): GrammarNode {
    if ("const" in schema || "enum" in schema) return this.values(schema, path);
    const implied = Object.entries(KEYWORDS_BY_TYPE).flatMap(([type, keywords]) =>
      keywords.some((key) => key in schema) ? [type] : [],
    );
    const types = typesOf(schema) ?? (implied.length > 0 ? implied : undefined);
    if (types === undefined) return this.any();
    if (types.length === 0) fail(`${path}/type`, "names no type");
    const kept = types.includes("number") ? types.filter((type) => type !== "integer") : types;
    return kept.length === 1
      ? this.typed(kept[0] ?? "", schema, path, depth)
      : this.add(alt(...kept.map((type) => this.typed(type, schema, path, depth))));
  }

  /** The listed values that fit the schema's other keywords. */
  private values(schema: SchemaObject, path: string): GrammarNode {
    const listed = "const" in schema ? [schema["const"]] : schema["enum"];
    if (!Array.isArray(listed)) fail(`${path}/enum`, "must be a list of values");
    const check = compileSchema(schema, path);
    const fitting = (listed as unknown[]).filter((value) => check(value) === undefined);
    if (fitting.length === 0) fail(path, "lists no value that fits its other keywords");
    return this.add(alt(...fitting.map((value) => text(JSON.stringify(value)))));
  }

  private typed(type: string, schema: SchemaObject, path: string, depth: number): GrammarNode {
    switch (type) {
      case "null":
        return text("null");
      case "boolean":
        return alt(text("true"), text("false"));
      case "integer":
      case "number":
        return this.add(numericNode(type, schema, path));
      case "string":
        return Object.keys(schema).some((key) => key !== "type" && STRING_KEYWORDS.includes(key))
          ? this.add(stringNode(schema, path))
          : ref("string");
      case "array":
        return this.array(schema, path, depth);
      case "object":
        return this.object(schema, path, depth);
      default:
        return fail(
          `${path}/type`,
          `names ${JSON.stringify(type)}, which is no type of JSON Schema`,
        );
    }
  }

  private array(schema: SchemaObject, path: string, depth: number): GrammarNode {
    const [min, max] = [
      count(schema, "minItems", path) ?? 0,
      count(schema, "maxItems", path) ?? Infinity,
    ];
    if (min > 2000 || (max !== Infinity && max > 2000))
      fail(path, "counts more than 2000 items, which llama.cpp cannot");
    if (min > max) fail(path, "asks for more items than it allows");
    if (schema["uniqueItems"] === true && max > 1)
      fail(`${path}/uniqueItems`, "uses a keyword that a grammar cannot keep");
    const { items } = schema;
    const isTuple = Array.isArray(items);
    const fixed = isTuple ? (items as unknown[]) : (schema["prefixItems"] ?? []);
    if (!Array.isArray(fixed)) fail(`${path}/prefixItems`, "must be a list of schemas");
    const where = isTuple ? "items" : "prefixItems";
    const prefix = (fixed as unknown[])
      .slice(0, max)
      .map((item, i) => this.convert(item, `${path}/${where}/${i}`, depth + 1));
    const others = isTuple ? (schema["additionalItems"] ?? true) : (items ?? true);
    const isClosed = others === false || prefix.length >= max;
    if (isClosed && min > prefix.length) fail(path, "asks for more items than it allows");
    // Beyond the fixed items nothing need follow; a schema that says nothing of others gets none.
    const isSilent =
      prefix.length > 0 &&
      (isTuple ? schema["additionalItems"] : items) === undefined &&
      min <= prefix.length;
    const rest =
      isClosed || isSilent
        ? undefined
        : this.convert(others, `${path}/${isTuple ? "additionalItems" : "items"}`, depth + 1);
    return this.add(arrayNode(prefix, rest, min, max, this.add));
  }

  private object(schema: SchemaObject, path: string, depth: number): GrammarNode {
    const properties = (schema["properties"] ?? {}) as SchemaObject;
    const required = (schema["required"] ?? []) as readonly unknown[];
    if (typeof properties !== "object" || !Array.isArray(required))
      fail(path, "must have properties as an object and required as a list");
    const additional =
      schema["additionalProperties"] ??
      (schema["unevaluatedProperties"] === undefined ? undefined : schema["unevaluatedProperties"]);
    // Silence about other properties allows them in JSON Schema; the grammar then writes the named ones only, or any if none is named.
    const allowed = listedNames(schema["propertyNames"], `${path}/propertyNames`);
    const others =
      allowed === undefined &&
      (additional ?? (Object.keys(properties).length === 0 && required.length === 0));
    const named = Object.entries(properties).filter(
      ([name, value]) =>
        (value !== false && allowed?.includes(name) !== false) || required.includes(name),
    );
    // With a list of names, those are all there can be, and each that has no schema of its own falls under the schema for others.
    const further =
      additional === false
        ? []
        : (allowed ?? []).filter((name) => !Object.hasOwn(properties, name));
    const names = [
      ...new Set([...named.map(([name]) => name), ...required.map(String), ...further]),
    ];
    const barred = required.map(String).find((name) => allowed?.includes(name) === false);
    if (barred !== undefined)
      fail(`${path}/required`, `asks for ${JSON.stringify(barred)}, which propertyNames forbids`);
    const unnamed = names.filter((name) => !Object.hasOwn(properties, name));
    if (unnamed.length > 0 && additional === false)
      fail(
        `${path}/required`,
        `asks for ${JSON.stringify(unnamed[0])}, which additionalProperties forbids`,
      );
    const made = names.map((name) => ({
      name,
      value: Object.hasOwn(properties, name)
        ? this.convert(properties[name], `${path}/properties/${pointerPart(name)}`, depth + 1)
        : this.convert(additional ?? true, path, depth + 1),
      isRequired: required.includes(name),
    }));
    const [least, most] = [
      count(schema, "minProperties", path) ?? 0,
      count(schema, "maxProperties", path) ?? Infinity,
    ];
    if (least > required.length)
      fail(
        `${path}/minProperties`,
        "asks for more properties than are required, which a grammar cannot count",
      );
    if (most < (others === false ? made.length : Infinity))
      fail(
        `${path}/maxProperties`,
        "allows fewer properties than are named, which a grammar cannot count",
      );
    const rest =
      others === false
        ? undefined
        : this.convert(others, `${path}/additionalProperties`, depth + 1);
    return this.add(objectNode(made, rest, Object.keys(properties), this.add));
  }
}
