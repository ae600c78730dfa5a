// Converts the schemas of objects: named properties, others by the patterns of their names, and the
// number of properties. Pure, except that it adds rules.
import { PatternMatcher, type Steps } from "../../base/schema/pattern-matcher.js";
import { PatternProblem } from "../../base/schema/pattern.js";
import { isObject, pointerPart, type Schema, type SchemaObject } from "../../base/schema/types.js";
import type { GrammarNode } from "../grammar.js";
import type { InnerSchemas } from "./array.js";
import { count, fail, failEmpty } from "./leaf.js";
import { nameGroups } from "./names.js";
import { anyOther, objectNode, type OtherNode } from "./object.js";

/** What `propertyNames` allows. */
interface AllowedNames {
  /** These names alone. */
  readonly listed?: readonly string[];
  /** Names that match all of these. */
  readonly patterns: readonly string[];
}

function allowedNames(schema: unknown, path: string): AllowedNames {
  if (schema === undefined || schema === true) return { patterns: [] };
  const {
    enum: values,
    const: only,
    type,
    pattern,
    minLength,
    maxLength,
    ...others
  } = isObject(schema) ? schema : { not: {} };
  // Names are always strings.
  const isString = type === undefined || (Array.isArray(type) ? type : [type]).includes("string");
  if (Object.keys(others).length > 0 || !isString)
    fail(
      path,
      "restricts names in a way that a grammar cannot keep; a list of names, a pattern and lengths can be kept",
    );
  const patterns = typeof pattern === "string" ? [pattern] : [];
  if (minLength !== undefined || maxLength !== undefined)
    patterns.push(
      `^[^]{${Number(minLength ?? 0)},${maxLength === undefined ? "" : Number(maxLength)}}$`,
    );
  const listed = only === undefined ? values : [only];
  if (!Array.isArray(listed)) return { patterns };
  return { listed: listed.filter((value) => typeof value === "string"), patterns };
}

/** The patterns of an object's names, and which of them a name matches. */
class NamePatterns {
  private readonly matchers: readonly PatternMatcher[];

  constructor(
    readonly sources: readonly string[],
    private readonly steps: Steps,
  ) {
    this.matchers = sources.map((source) => new PatternMatcher(source));
  }

  /** Whether a name matches the pattern of an index. */
  matches(name: string, pattern: number): boolean {
    return this.matchers[pattern]?.matches(name, this.steps) === true;
  }
}

/** An object of a schema's properties, and of what it says of others. */
export function objectOf(
  schema: SchemaObject,
  path: string,
  depth: number,
  inner: InnerSchemas,
): GrammarNode {
  try {
    return new ObjectSchema(schema, path, depth, inner).convert();
  } catch (error) {
    if (error instanceof PatternProblem) fail(`${path}/patternProperties`, error.message);
    throw error;
  }
}

function allOf(schemas: readonly Schema[]): Schema {
  return schemas.length === 1 ? (schemas[0] as Schema) : { allOf: schemas };
}

class ObjectSchema {
  private readonly properties: Readonly<Record<string, Schema>>;
  private readonly required: ReadonlySet<string>;
  private readonly additional: Schema | undefined;
  private readonly allowed: AllowedNames;
  /** Patterns with a schema, and then those that names must match. */
  private readonly patterns: NamePatterns;
  private readonly byPattern: readonly Schema[];

  constructor(
    private readonly schema: SchemaObject,
    private readonly path: string,
    private readonly depth: number,
    private readonly inner: InnerSchemas,
  ) {
    this.properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
    this.required = new Set((schema["required"] ?? []) as readonly string[]);
    this.additional = (schema["additionalProperties"] ?? schema["unevaluatedProperties"]) as
      Schema | undefined;
    this.allowed = allowedNames(schema["propertyNames"], `${path}/propertyNames`);
    const byPattern = (schema["patternProperties"] ?? {}) as Readonly<Record<string, Schema>>;
    this.byPattern = Object.values(byPattern);
    this.patterns = new NamePatterns(
      [...Object.keys(byPattern), ...this.allowed.patterns],
      inner.steps(),
    );
  }

  convert(): GrammarNode {
    const { required, path, inner } = this;
    const names = this.names();
    const made = names.flatMap((name) => {
      const isRequired = required.has(name);
      const [property, at] = this.property(name);
      const value = isRequired
        ? inner.convert(property, at, this.depth + 1)
        : inner.perhaps(property, at, this.depth + 1);
      return value === undefined ? [] : [{ name, value, isRequired }];
    });
    const others = this.others([...new Set([...names, ...Object.keys(this.properties)])]);
    const isFilled = this.checkCounts(made.length, others.length > 0);
    inner.count(path, Math.ceil(names.length / 4));
    return inner.add(objectNode(made, others, inner.add, isFilled));
  }

  /** Whether a name is one that `propertyNames` allows. */
  private isAllowed(name: string): boolean {
    const { listed, patterns } = this.allowed;
    return (
      listed?.includes(name) !== false &&
      patterns.every((_, i) => this.patterns.matches(name, this.byPattern.length + i))
    );
  }

  /** The names that are written one by one. */
  private names(): readonly string[] {
    const { properties, required, path } = this;
    const barred = [...required].find((name) => !this.isAllowed(name));
    if (barred !== undefined)
      failEmpty(
        `${path}/required`,
        `asks for ${JSON.stringify(barred)}, which propertyNames forbids`,
      );
    const named = Object.keys(properties).filter((name) => this.isAllowed(name));
    // With a list of names, those are all there can be, and each that has no schema of its own
    // falls under the schema for others.
    const further = (this.allowed.listed ?? []).filter(
      (name) => this.isAllowed(name) && (this.additional !== false || this.isCovered(name)),
    );
    const names = [...new Set([...named, ...required, ...further])];
    const unnamed = names.find((name) => !this.isCovered(name));
    if (unnamed !== undefined && this.additional === false)
      failEmpty(
        `${path}/required`,
        `asks for ${JSON.stringify(unnamed)}, which additionalProperties forbids`,
      );
    return names;
  }

  /** The patterns with a schema that a name matches. */
  private matching(name: string): number[] {
    return this.byPattern.flatMap((_, i) => (this.patterns.matches(name, i) ? [i] : []));
  }

  private isCovered(name: string): boolean {
    return Object.hasOwn(this.properties, name) || this.matching(name).length > 0;
  }

  /** The schema of a name, and its path. */
  private property(name: string): readonly [Schema, string] {
    const isNamed = Object.hasOwn(this.properties, name);
    const matching = this.matching(name);
    const at = isNamed ? `${this.path}/properties/${pointerPart(name)}` : this.path;
    if (!isNamed && matching.length === 0) return [this.additional ?? true, at];
    const schemas = [
      ...matching.map((i) => this.byPattern[i] as Schema),
      ...(isNamed ? [this.properties[name] as Schema] : []),
    ];
    return [allOf(schemas), at];
  }

  /** Properties that are none of some names. */
  private others(but: readonly string[]): OtherNode[] {
    const { inner, path, depth, byPattern } = this;
    if (this.allowed.listed !== undefined) return [];
    // In JSON Schema, properties that are not mentioned are allowed. The grammar then writes only
    // the named ones, or any if none is named.
    const isSilent =
      byPattern.length === 0 &&
      Object.keys(this.properties).length === 0 &&
      this.required.size === 0;
    const additional = this.additional ?? isSilent;
    if (this.patterns.sources.length === 0) {
      if (additional === false) return [];
      const value = inner.perhaps(additional, `${path}/additionalProperties`, depth + 1);
      return value === undefined ? [] : [anyOther(value, but)];
    }
    const values = new Map<string, GrammarNode | undefined>();
    const valueOf = (matching: readonly number[]): GrammarNode | undefined => {
      const key = matching.join();
      if (!values.has(key)) values.set(key, this.otherValue(matching, additional));
      return values.get(key);
    };
    const matched = (matches: (pattern: number) => boolean): number[] =>
      byPattern.flatMap((_, i) => (matches(i) ? [i] : []));
    const groups = nameGroups(
      this.patterns.sources,
      but,
      inner.declare,
      (matches) =>
        this.allowed.patterns.every((_, i) => matches(byPattern.length + i)) &&
        valueOf(matched(matches)) !== undefined,
      (work) => inner.count(path, work),
    );
    return groups.map(({ matches, node }) => ({
      name: node,
      value: valueOf(matched(matches)) as GrammarNode,
    }));
  }

  /** The value of a property whose name matches some patterns. */
  private otherValue(matching: readonly number[], additional: Schema): GrammarNode | undefined {
    const { inner, path, depth } = this;
    if (matching.length === 0)
      return additional === false
        ? undefined
        : inner.perhaps(additional, `${path}/additionalProperties`, depth + 1);
    const source = this.patterns.sources[matching[0] as number] as string;
    const at = `${path}/patternProperties/${pointerPart(source)}`;
    const schema = allOf(matching.map((i) => this.byPattern[i] as Schema));
    return inner.perhaps(schema, at, depth + 1);
  }

  /**
   * Checks how many properties there may be; returns whether there must be one that is not
   * required.
   */
  private checkCounts(named: number, hasOthers: boolean): boolean {
    const { schema, path, required } = this;
    const least = count(schema, "minProperties", path) ?? 0;
    const most = count(schema, "maxProperties", path) ?? Infinity;
    if (least > Math.max(1, required.size))
      fail(
        `${path}/minProperties`,
        "asks for more properties than are required, which a grammar cannot count",
      );
    if (most < required.size) failEmpty(path, "requires more properties than it allows");
    if (most < (hasOthers ? Infinity : named))
      fail(
        `${path}/maxProperties`,
        "allows fewer properties than are named, which a grammar cannot count",
      );
    if (least > 0 && named === 0 && !hasOthers)
      failEmpty(path, "asks for a property and allows none");
    return least > 0;
  }
}
