// Converts a JSON Schema to rules. Every text that they allow parses as JSON and matches the
// schema. Pure.
import { Steps } from "../../base/schema/pattern-matcher.js";
import type { SchemaChecker } from "../../base/schema/check-value.js";
import type { SchemaDocument } from "../../base/schema/document.js";
import type { Schema, SchemaObject } from "../../base/schema/types.js";
import { alt, never, optional, ref, repeat, seq, text, type GrammarNode } from "../grammar.js";
import { arrayOf, type InnerSchemas } from "./array.js";
import { closedBranch, MergeProblem, mergeAll, mergeSchemas, typesOf } from "./merge.js";
import { anyOther, arrayNode, objectNode } from "./object.js";
import { CHARACTER, textsNode } from "./string.js";
import { fail, failEmpty, NoValueError, numericNode, stringNode } from "./leaf.js";
import { findOverlap } from "./disjoint.js";
import { objectOf } from "./properties.js";

const MAX_DEPTH = 300;
/**
 * Maximum number of schemas to convert or merge: each reference that contains two others doubles
 * the work.
 */
export const MAX_WORK = 200_000;
/** Steps to check the values of one list. */
const MAX_STEPS = 20_000_000;

/** A schema needs more work than was allowed here; elsewhere the limit may be higher. */
export class TooMuchWork extends Error {}
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
    "unevaluatedProperties",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
  ],
};
/** Keywords that the grammars here cannot express. */
const UNSUPPORTED = [
  "not",
  "if",
  "then",
  "else",
  "contains",
  "minContains",
  "maxContains",
  "dependentRequired",
  "dependentSchemas",
  "unevaluatedItems",
  "$dynamicRef",
];

/** Compiles one document; rules are shared by all its schemas. */
export class SchemaCompiler {
  readonly rules = new Map<string, GrammarNode>();
  private readonly refs = new Map<string, { name: string; error?: NoValueError }>();
  /** What was made of the document's schemas: equal ones are one object there. */
  private readonly made = new Map<Schema, GrammarNode>();
  private work = 0;

  /** @param maxWork - Schemas to convert before it throws {@link TooMuchWork}. */
  constructor(
    private readonly document: SchemaDocument,
    private readonly checker: SchemaChecker,
    private readonly path: string,
    private readonly maxWork: number,
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

  private steps(): Steps {
    return new Steps(Math.min(MAX_STEPS, this.maxWork * 1000));
  }

  /** A rule that others may refer to before it is there. */
  private declare(): readonly [GrammarNode, (node: GrammarNode) => void] {
    const name = `r${this.rules.size}`;
    this.rules.set(name, never);
    return [ref(name), (node) => this.rules.set(name, node)];
  }

  private readonly inner: InnerSchemas = {
    convert: (schema, path, depth) => this.convert(schema, path, depth),
    perhaps: (schema, path, depth) => this.perhaps(schema, path, depth),
    add: (node) => this.add(node),
    declare: () => this.declare(),
    steps: () => this.steps(),
    count: (path, more) => this.count(path, more),
  };

  private count(path: string, more: number): void {
    this.work += more;
    if (this.work > this.maxWork && this.maxWork < MAX_WORK) throw new TooMuchWork();
    if (this.work > MAX_WORK)
      fail(
        path,
        `leads to more than ${MAX_WORK} schemas when its references and combinations are written out`,
      );
  }

  /** @throws {NoValueError} when no value fits. */
  convert(schema: Schema, path: string, depth = 0): GrammarNode {
    const pointer = this.document.pointerOf(schema);
    const known = pointer === undefined ? undefined : this.made.get(schema);
    if (known !== undefined) return known;
    const at = pointer === undefined ? path : this.path + pointer;
    const node = this.convertNew(schema, at, depth);
    // A rule of its own, so that many uses do not write it out many times.
    if (pointer === undefined || typeof schema === "boolean") return node;
    const shared = node.kind === "ref" || node.kind === "text" ? node : this.add(node);
    this.made.set(schema, shared);
    return shared;
  }

  private convertNew(schema: Schema, path: string, depth: number): GrammarNode {
    this.count(path, 1);
    if (depth > MAX_DEPTH) fail(path, `is nested more than ${MAX_DEPTH} levels deep`);
    if (schema === true) return this.any();
    if (schema === false) return failEmpty(path, "is false: no value fits it");
    this.refuseUnsupported(schema, path);
    const { $ref: target, allOf, anyOf, oneOf, ...base } = schema;
    const isBare = Object.keys(base).length === 0;
    if (target !== undefined) {
      if (isBare && allOf === undefined && anyOf === undefined && oneOf === undefined)
        return this.reference(target, path);
      const { $ref: _target, ...beside } = schema;
      return this.convert(this.merge([this.resolve(target).schema, beside], path), path, depth + 1);
    }
    if (allOf !== undefined) {
      const { allOf: _all, ...beside } = schema;
      return this.convert(
        this.merge([...(allOf as readonly Schema[]), beside], path),
        path,
        depth + 1,
      );
    }
    for (const [key, branches] of [
      ["anyOf", anyOf],
      ["oneOf", oneOf],
    ] as const) {
      if (branches === undefined) continue;
      const { [key]: _branches, ...beside } = schema;
      const list = branches as readonly Schema[];
      if (key === "oneOf") this.refuseOverlap(list, `${path}/oneOf`);
      return this.branches(list, beside, `${path}/${key}`, depth);
    }
    return this.simple(schema, path, depth);
  }

  /** Returns the branches that some value matches; a branch without values adds nothing. */
  private branches(
    list: readonly Schema[],
    beside: SchemaObject,
    path: string,
    depth: number,
  ): GrammarNode {
    const nodes: GrammarNode[] = [];
    let dead: NoValueError | undefined;
    list.forEach((branch, i) => {
      const at = `${path}/${i}`;
      try {
        const merged = Object.keys(beside).length === 0 ? branch : this.merge([branch, beside], at);
        nodes.push(this.convert(merged, at, depth + 1));
      } catch (error) {
        if (!(error instanceof NoValueError)) throw error;
        dead ??= error;
      }
    });
    if (dead !== undefined && nodes.length === 0) throw dead;
    return this.add(alt(...nodes));
  }

  private refuseUnsupported(schema: SchemaObject, path: string): void {
    const unsupported = UNSUPPORTED.find((key) => schema[key] !== undefined);
    if (unsupported === undefined) return;
    const { not } = schema;
    if (unsupported === "not") {
      if (not === true || (typeof not === "object" && Object.keys(not as object).length === 0))
        failEmpty(path, "is the opposite of anything: no value fits it");
      if (not === false) return;
    }
    fail(
      `${path}/${unsupported}`,
      "uses a keyword that a grammar cannot keep; leave it out and check the answer yourself",
    );
  }

  private merge(schemas: readonly Schema[], path: string): Schema {
    this.count(path, schemas.length);
    try {
      const found = schemas.map((schema) =>
        typeof schema === "object" && "$ref" in schema ? this.follow(schema, path) : schema,
      );
      // The last one stands beside the others, and sees their properties; they do not see each
      // other's.
      return mergeAll(
        found.map((schema, i) => (i < found.length - 1 ? closedBranch(schema) : schema)),
      );
    } catch (error) {
      if (error instanceof MergeProblem)
        return (error.isEmpty ? failEmpty : fail)(path, error.message);
      throw error;
    }
  }

  /** A schema with its own reference put in, for merging. */
  private follow(schema: SchemaObject, path: string, depth = 0): Schema {
    this.count(path, 1);
    if (depth > 32) fail(path, "refers to itself without end");
    const { $ref: target, ...beside } = schema;
    const found = this.resolve(target).schema;
    const inner =
      typeof found === "object" && "$ref" in found ? this.follow(found, path, depth + 1) : found;
    return mergeSchemas(Object.keys(beside).length > 0 ? closedBranch(inner) : inner, beside);
  }

  private resolve(target: unknown): { schema: Schema; path: string } {
    const { schema, pointer } = this.document.target(target);
    return { schema, path: this.path + pointer };
  }

  private reference(target: unknown, path: string): GrammarNode {
    const key = String(target);
    let known = this.refs.get(key);
    if (known === undefined) {
      known = { name: `ref${this.refs.size}` };
      this.refs.set(key, known);
      this.rules.set(known.name, never);
      const found = this.resolve(target);
      try {
        this.rules.set(known.name, this.convert(found.schema, found.path));
      } catch (error) {
        if (!(error instanceof NoValueError)) throw error;
        known.error = error;
      }
    }
    if (known.error !== undefined) throw known.error;
    this.count(path, 1);
    return ref(known.name);
  }

  private refuseOverlap(branches: readonly Schema[], path: string): void {
    const resolved = branches.map((branch) =>
      typeof branch === "object" && "$ref" in branch ? this.tryMerge(branch, path) : branch,
    );
    const overlap = findOverlap(resolved, (pairs) => this.count(path, pairs));
    if (overlap !== undefined)
      fail(
        path,
        `has branches ${overlap[0]} and ${overlap[1]} that one value may both fit; use anyOf, or give each a property with a different const`,
      );
  }

  private tryMerge(branch: Schema, path: string): Schema {
    try {
      return this.merge([branch], path);
    } catch (error) {
      if (error instanceof NoValueError) return false;
      throw error;
    }
  }

  /** Any JSON value. */
  private any(): GrammarNode {
    if (!this.rules.has("value")) {
      this.rules.set("value", never);
      const value = ref("value");
      this.rules.set(
        "value",
        alt(
          ...TYPES.filter((type) => type !== "integer").map((type) =>
            type === "array"
              ? arrayNode([], value, 0, Infinity, this.add)
              : type === "object"
                ? objectNode([], [anyOther(value)], this.add)
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
    const listed = "const" in schema ? [schema["const"]] : (schema["enum"] as readonly unknown[]);
    this.count(path, Math.ceil(listed.length / 8));
    const steps = this.steps();
    const fitting = listed.filter(
      (value) => this.checker.check(schema, value, steps) === undefined,
    );
    if (fitting.length === 0) failEmpty(path, "lists no value that fits its other keywords");
    return this.add(textsNode(fitting.map((value) => JSON.stringify(value))));
  }

  private typed(type: string, schema: SchemaObject, path: string, depth: number): GrammarNode {
    switch (type) {
      case "null":
        return text("null");
      case "boolean":
        return alt(text("true"), text("false"));
      case "integer":
      case "number":
        return this.add(
          numericNode(type, schema, path, this.add, (work) => this.count(path, work)),
        );
      case "string":
        return Object.keys(schema).some((key) => key !== "type" && STRING_KEYWORDS.includes(key))
          ? this.add(stringNode(schema, path))
          : ref("string");
      case "array":
        return arrayOf(schema, path, depth, this.inner);
      case "object":
        return objectOf(schema, path, depth, this.inner);
      default:
        return fail(
          `${path}/type`,
          `names ${JSON.stringify(type)}, which is no type of JSON Schema`,
        );
    }
  }

  /** What a schema becomes, or nothing when no value fits it. */
  private perhaps(schema: Schema, path: string, depth: number): GrammarNode | undefined {
    try {
      return this.convert(schema, path, depth);
    } catch (error) {
      if (error instanceof NoValueError) return undefined;
      throw error;
    }
  }
}
