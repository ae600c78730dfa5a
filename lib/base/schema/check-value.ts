// Checks values against a schema document, in a limited number of steps. It interprets the schema
// and compiles nothing, so that no schema costs more than reading it.
import { PatternMatcher, type Steps } from "./pattern-matcher.js";
import { PatternProblem } from "./pattern.js";
import type { Resource, SchemaDocument } from "./document.js";
import { canonical, Evaluated, isMultiple, lengthOf, typeFits } from "./values.js";
import { failSchema, isObject, type Schema, type SchemaObject } from "./types.js";

/** Maximum number of schemas that apply to one value through references and branches. */
const MAX_DEPTH = 1000;
/** Steps that one schema costs: as many as that number of steps of a pattern. */
const VISIT = 16;
/** Maximum states of all patterns of a document together. */
const MAX_STATES = 100_000;

/** The state of a check that is passed down. */
interface Context {
  readonly steps: Steps;
  readonly depth: number;
  /** Resources that were entered, outermost first; only used with dynamic references. */
  readonly entered: readonly Resource[];
}

/** The checks of one document. */
export class SchemaChecker {
  private readonly patterns = new Map<string, PatternMatcher>();
  private readonly listed = new Map<readonly unknown[], ReadonlySet<string>>();

  /** @throws {R1Error} `SCHEMA_UNSUPPORTED` for a pattern that cannot be matched in linear time. */
  constructor(
    private readonly document: SchemaDocument,
    path: string,
  ) {
    let states = 0;
    document.eachSchema((schema, pointer) => {
      const sources = [
        ...(typeof schema["pattern"] === "string" ? [schema["pattern"]] : []),
        ...Object.keys(schema["patternProperties"] ?? {}),
      ];
      for (const source of sources) {
        if (this.patterns.has(source)) continue;
        const at = `${path}${pointer}/${source === schema["pattern"] ? "pattern" : "patternProperties"}`;
        try {
          const matcher = new PatternMatcher(source);
          states += matcher.size;
          if (states > MAX_STATES) failSchema(at, "is too large beside the other patterns");
          this.patterns.set(source, matcher);
        } catch (error) {
          if (error instanceof PatternProblem) failSchema(at, error.message);
          throw error;
        }
      }
    });
  }

  /**
   * Returns what is wrong with a value, or undefined if it is valid.
   *
   * @throws {StepLimitError} when the step limit is reached.
   */
  check(schema: Schema, value: unknown, steps: Steps): string | undefined {
    const evaluated = this.document.usesUnevaluated ? new Evaluated() : undefined;
    return this.visit(schema, value, "", { steps, depth: 0, entered: [] }, evaluated);
  }

  private matches(source: string, text: string, steps: Steps): boolean {
    let matcher = this.patterns.get(source);
    if (matcher === undefined) this.patterns.set(source, (matcher = new PatternMatcher(source)));
    return matcher.matches(text, steps);
  }

  private visit(
    schema: Schema,
    value: unknown,
    at: string,
    outer: Context,
    evaluated: Evaluated | undefined,
  ): string | undefined {
    if (typeof schema === "boolean") return schema ? undefined : wrong(at, "must NOT be there");
    outer.steps.take(VISIT);
    if (outer.depth > MAX_DEPTH) return wrong(at, "follows references too deeply");
    const owner = this.document.isDynamic ? this.document.resourceOf(schema) : undefined;
    const entered =
      owner === undefined || outer.entered.at(-1) === owner
        ? outer.entered
        : [...outer.entered, owner];
    const context = { steps: outer.steps, depth: outer.depth + 1, entered };
    // Unevaluated parts are determined by this schema's own keywords, not by its neighbours.
    const asks =
      schema["unevaluatedProperties"] !== undefined || schema["unevaluatedItems"] !== undefined;
    const own = asks ? new Evaluated() : evaluated;
    const problem =
      this.scalars(schema, value, at, context) ??
      this.branches(schema, value, at, context, own) ??
      (Array.isArray(value)
        ? this.array(schema, value, at, context, own)
        : isObject(value)
          ? this.object(schema, value, at, context, own)
          : undefined);
    if (asks && own !== undefined) evaluated?.add(own);
    return problem;
  }

  private scalars(
    schema: SchemaObject,
    value: unknown,
    at: string,
    { steps }: Context,
  ): string | undefined {
    const { type } = schema;
    if (type !== undefined && !typeFits(type, value))
      return wrong(at, `must be ${typeNames(type)}`);
    if ("const" in schema && canonical(schema["const"], steps) !== canonical(value, steps))
      return wrong(at, "must be equal to constant");
    const listed = schema["enum"] as readonly unknown[] | undefined;
    if (listed !== undefined) {
      let set = this.listed.get(listed);
      if (set === undefined)
        this.listed.set(listed, (set = new Set(listed.map((each) => canonical(each, steps)))));
      if (!set.has(canonical(value, steps)))
        return wrong(at, "must be equal to one of the allowed values");
    }
    if (typeof value === "number") return number(schema, value, at);
    return typeof value === "string" ? this.string(schema, value, at, steps) : undefined;
  }

  private string(
    schema: SchemaObject,
    value: string,
    at: string,
    steps: Steps,
  ): string | undefined {
    const { minLength, maxLength, pattern } = schema;
    if (minLength !== undefined || maxLength !== undefined) {
      steps.take(value.length);
      const length = lengthOf(value);
      if (minLength !== undefined && length < (minLength as number))
        return wrong(at, `must NOT have fewer than ${minLength as number} characters`);
      if (maxLength !== undefined && length > (maxLength as number))
        return wrong(at, `must NOT have more than ${maxLength as number} characters`);
    }
    return pattern === undefined || this.matches(pattern as string, value, steps)
      ? undefined
      : wrong(at, `must match pattern ${JSON.stringify(pattern)}`);
  }

  /** Keywords that apply other schemas to the same value. */
  private branches(
    schema: SchemaObject,
    value: unknown,
    at: string,
    context: Context,
    evaluated: Evaluated | undefined,
  ): string | undefined {
    const inPlace = (inner: Schema): string | undefined =>
      this.visit(inner, value, at, context, evaluated);
    /** Whether a branch is valid; its evaluated parts count only then. */
    const fits = (inner: Schema): boolean => {
      const own = evaluated === undefined ? undefined : new Evaluated();
      if (this.visit(inner, value, at, context, own) !== undefined) return false;
      if (own !== undefined) evaluated?.add(own);
      return true;
    };
    if (schema["$ref"] !== undefined) {
      const problem = inPlace(this.document.target(schema["$ref"]).schema);
      if (problem !== undefined) return problem;
    }
    if (schema["$dynamicRef"] !== undefined) {
      const problem = inPlace(this.document.dynamicTarget(schema["$dynamicRef"], context.entered));
      if (problem !== undefined) return problem;
    }
    for (const branch of (schema["allOf"] ?? []) as readonly Schema[]) {
      const problem = inPlace(branch);
      if (problem !== undefined) return problem;
    }
    const any = schema["anyOf"] as readonly Schema[] | undefined;
    if (any !== undefined) {
      // If evaluated parts are collected, all valid branches count.
      const isAny =
        evaluated === undefined ? any.some(fits) : any.filter((each) => fits(each)).length > 0;
      if (!isAny) return wrong(at, "must match a schema in anyOf");
    }
    const one = schema["oneOf"] as readonly Schema[] | undefined;
    if (one !== undefined) {
      let count = 0;
      for (const branch of one) if (fits(branch) && ++count > 1) break;
      if (count !== 1) return wrong(at, "must match exactly one schema in oneOf");
    }
    const no = schema["not"] as Schema | undefined;
    if (no !== undefined && this.visit(no, value, at, context, nested(evaluated)) === undefined)
      return wrong(at, "must NOT be valid");
    const condition = schema["if"] as Schema | undefined;
    if (condition !== undefined) {
      const next = schema[fits(condition) ? "then" : "else"] as Schema | undefined;
      const problem = next === undefined ? undefined : inPlace(next);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private array(
    schema: SchemaObject,
    value: readonly unknown[],
    at: string,
    context: Context,
    evaluated: Evaluated | undefined,
  ): string | undefined {
    const { steps } = context;
    const { minItems, maxItems, items, contains, unevaluatedItems } = schema;
    if (minItems !== undefined && value.length < (minItems as number))
      return wrong(at, `must NOT have fewer than ${minItems as number} items`);
    if (maxItems !== undefined && value.length > (maxItems as number))
      return wrong(at, `must NOT have more than ${maxItems as number} items`);
    if (schema["uniqueItems"] === true) {
      const seen = new Set(value.map((each) => canonical(each, steps)));
      if (seen.size < value.length) return wrong(at, "must NOT have duplicate items");
    }
    const fixed = (schema["prefixItems"] ?? []) as readonly Schema[];
    const inner = (each: Schema, i: number): string | undefined =>
      this.visit(each, value[i], `${at}/${i}`, context, nested(evaluated));
    for (let i = 0; i < fixed.length && i < value.length; i++) {
      const problem = inner(fixed[i] as Schema, i);
      if (problem !== undefined) return problem;
      evaluated?.items.add(i);
    }
    if (items !== undefined)
      for (let i = fixed.length; i < value.length; i++) {
        const problem = inner(items as Schema, i);
        if (problem !== undefined) return problem;
        evaluated?.items.add(i);
      }
    if (contains !== undefined) {
      let count = 0;
      for (let i = 0; i < value.length; i++)
        if (inner(contains as Schema, i) === undefined) {
          count++;
          if (schema["$uncounted"] !== true) evaluated?.items.add(i);
        }
      const { minContains = 1, maxContains = Infinity } = schema as Record<string, number>;
      if (count < minContains || count > maxContains)
        return wrong(at, `must contain at least ${minContains} valid item(s)`);
    }
    if (unevaluatedItems !== undefined)
      for (let i = 0; i < value.length; i++) {
        if (evaluated?.items.has(i) === true) continue;
        const problem = inner(unevaluatedItems as Schema, i);
        if (problem !== undefined) return problem;
        evaluated?.items.add(i);
      }
    return undefined;
  }

  private object(
    schema: SchemaObject,
    value: SchemaObject,
    at: string,
    context: Context,
    evaluated: Evaluated | undefined,
  ): string | undefined {
    const { steps } = context;
    const names = Object.keys(value);
    steps.take(names.length);
    const { minProperties, maxProperties, propertyNames } = schema;
    if (minProperties !== undefined && names.length < (minProperties as number))
      return wrong(at, `must NOT have fewer than ${minProperties as number} properties`);
    if (maxProperties !== undefined && names.length > (maxProperties as number))
      return wrong(at, `must NOT have more than ${maxProperties as number} properties`);
    const required = (schema["required"] ?? []) as readonly string[];
    steps.take(required.length);
    for (const name of required)
      if (!Object.hasOwn(value, name)) return wrong(at, `must have required property '${name}'`);
    for (const [name, list] of entries(schema["dependentRequired"])) {
      const needed = list as readonly string[];
      steps.take(1 + needed.length);
      const missing = needed.find((each) => !Object.hasOwn(value, each));
      if (missing !== undefined && Object.hasOwn(value, name))
        return wrong(at, `must have property ${missing} when property ${name} is present`);
    }
    for (const [name, needed] of entries(schema["dependentSchemas"])) {
      steps.take(1);
      const problem = Object.hasOwn(value, name)
        ? this.visit(needed as Schema, value, at, context, evaluated)
        : undefined;
      if (problem !== undefined) return problem;
    }
    if (propertyNames !== undefined)
      for (const name of names)
        if (this.visit(propertyNames as Schema, name, at, context, nested(evaluated)) !== undefined)
          return wrong(at, `has a property name that is not allowed: ${JSON.stringify(name)}`);
    const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
    const patterns = entries(schema["patternProperties"]);
    const additional = schema["additionalProperties"] as Schema | undefined;
    const inner = (each: Schema, name: string): string | undefined =>
      this.visit(
        each,
        value[name],
        `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
        context,
        nested(evaluated),
      );
    for (const name of names) {
      let isNamed = false;
      if (Object.hasOwn(properties, name)) {
        const problem = inner(properties[name] as Schema, name);
        if (problem !== undefined) return problem;
        isNamed = true;
      }
      for (const [pattern, each] of patterns) {
        if (!this.matches(pattern, name, steps)) continue;
        const problem = inner(each as Schema, name);
        if (problem !== undefined) return problem;
        isNamed = true;
      }
      if (!isNamed && additional !== undefined) {
        if (additional === false) return wrong(at, "must NOT have additional properties");
        const problem = inner(additional, name);
        if (problem !== undefined) return problem;
        isNamed = true;
      }
      if (isNamed) evaluated?.names.add(name);
    }
    const others = schema["unevaluatedProperties"] as Schema | undefined;
    if (others !== undefined)
      for (const name of names) {
        if (evaluated?.names.has(name) === true) continue;
        if (others === false) return wrong(at, "must NOT have unevaluated properties");
        const problem = inner(others, name);
        if (problem !== undefined) return problem;
        evaluated?.names.add(name);
      }
    return undefined;
  }
}

const wrong = (at: string, problem: string): string => `${at === "" ? "the value" : at} ${problem}`;
const nested = (evaluated: Evaluated | undefined): Evaluated | undefined =>
  evaluated === undefined ? undefined : new Evaluated();

function typeNames(type: unknown): string {
  return (Array.isArray(type) ? (type as string[]) : [type as string]).join();
}

function entries(map: unknown): readonly (readonly [string, unknown])[] {
  return map === undefined ? [] : Object.entries(map as object);
}

function number(schema: SchemaObject, value: number, at: string): string | undefined {
  const bound = (key: string): number | undefined => schema[key] as number | undefined;
  const [min, max, above, below] = [
    bound("minimum"),
    bound("maximum"),
    bound("exclusiveMinimum"),
    bound("exclusiveMaximum"),
  ];
  if (min !== undefined && !(value >= min)) return wrong(at, `must be >= ${min}`);
  if (max !== undefined && !(value <= max)) return wrong(at, `must be <= ${max}`);
  if (above !== undefined && !(value > above)) return wrong(at, `must be > ${above}`);
  if (below !== undefined && !(value < below)) return wrong(at, `must be < ${below}`);
  const step = bound("multipleOf");
  return step === undefined || isMultiple(value, step)
    ? undefined
    : wrong(at, `must be multiple of ${step}`);
}
