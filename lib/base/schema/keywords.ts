// The keywords of JSON Schema by draft: which of them contain schemas, the required form of each,
// and the equivalent in 2020-12.
import { failSchema, isObject, pointerPart, type Schema, type SchemaObject } from "./types.js";

/** Supported drafts. */
export type Draft = 4 | 6 | 7 | 2019 | 2020;

/** The context in which a keyword is read. */
export interface KeywordContext {
  /** The original schema. */
  readonly raw: SchemaObject;
  readonly draft: Draft;
  /** Whether the document names its draft. */
  readonly isStated: boolean;
  /** Its path, for errors. */
  readonly at: string;
  /** The schema that is being built. */
  readonly made: Record<string, unknown>;
  readonly read: (child: unknown) => Schema;
}

type Form =
  | "schema"
  | "schemas"
  | "schema map"
  | "number"
  | "positive"
  | "count"
  | "boolean"
  | "string"
  | "names"
  | "values"
  | "any"
  | "type"
  | "names map";

const ALL = 4;
/** Keywords that constrain values: the first draft that has them, and their form. */
const KEYWORDS: Readonly<Record<string, readonly [since: number, form: Form]>> = {
  type: [ALL, "type"],
  enum: [ALL, "values"],
  const: [6, "any"],
  multipleOf: [ALL, "positive"],
  maximum: [ALL, "number"],
  minimum: [ALL, "number"],
  exclusiveMaximum: [6, "number"],
  exclusiveMinimum: [6, "number"],
  maxLength: [ALL, "count"],
  minLength: [ALL, "count"],
  pattern: [ALL, "string"],
  format: [ALL, "string"],
  maxItems: [ALL, "count"],
  minItems: [ALL, "count"],
  uniqueItems: [ALL, "boolean"],
  maxContains: [2019, "count"],
  minContains: [2019, "count"],
  maxProperties: [ALL, "count"],
  minProperties: [ALL, "count"],
  required: [ALL, "names"],
  dependentRequired: [2019, "names map"],
  properties: [ALL, "schema map"],
  patternProperties: [ALL, "schema map"],
  additionalProperties: [ALL, "schema"],
  propertyNames: [6, "schema"],
  dependentSchemas: [2019, "schema map"],
  contains: [6, "schema"],
  prefixItems: [2020, "schemas"],
  allOf: [ALL, "schemas"],
  anyOf: [ALL, "schemas"],
  oneOf: [ALL, "schemas"],
  not: [ALL, "schema"],
  if: [7, "schema"],
  then: [7, "schema"],
  else: [7, "schema"],
  unevaluatedItems: [2019, "schema"],
  unevaluatedProperties: [2019, "schema"],
};

const TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"];

/** Words that do not constrain values but belong to JSON Schema, to OpenAPI, or to editors. */
const OTHER_WORDS = new Set([
  ...["items", "additionalItems", "dependencies", "definitions", "id", "title", "description"],
  ...["default", "example", "examples", "deprecated", "readOnly", "writeOnly", "nullable"],
  ...["contentEncoding", "contentMediaType", "contentSchema", "discriminator", "strict"],
]);

/** Whether a key is a word of some draft of JSON Schema, or has the prefix of an extension. */
export function isSchemaWord(key: string): boolean {
  return Object.hasOwn(KEYWORDS, key) || OTHER_WORDS.has(key) || /^(?:\$|x-)/.test(key);
}

const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.every((name) => typeof name === "string");

/** Whether a schema names its draft. */
export function isStated(schema: unknown): boolean {
  return isObject(schema) && typeof schema["$schema"] === "string";
}

/** Returns the draft that `$schema` names. Without one, or with an unknown one, it is 2020-12. */
export function draftOf(schema: unknown, path: string): Draft {
  const named = isObject(schema) ? schema["$schema"] : undefined;
  if (typeof named !== "string") return 2020;
  const old = /json-schema\.org\/draft-0(\d)\//.exec(named)?.[1];
  if (old === "4" || old === "6" || old === "7") return Number(old) as Draft;
  if (old !== undefined)
    failSchema(
      `${path}/$schema`,
      `is ${JSON.stringify(named)}; the supported drafts are 04, 06, 07, 2019-09 and 2020-12`,
    );
  return /json-schema\.org\/draft\/2019-09\//.test(named) ? 2019 : 2020;
}

/** The subschemas of a schema, with their JSON pointers in it. */
export function* children(
  raw: SchemaObject,
  draft: Draft,
): Generator<readonly [pointer: string, child: unknown]> {
  if (draft <= 7 && typeof raw["$ref"] === "string") {
    // Words beside a reference are ignored there, but people put definitions there.
    for (const key of ["definitions", "$defs"])
      if (isObject(raw[key]))
        for (const [name, child] of Object.entries(raw[key]))
          yield [`${key}/${pointerPart(name)}`, child];
    return;
  }
  for (const [key, value] of Object.entries(raw)) {
    const form =
      key === "$defs" || key === "definitions"
        ? "schema map"
        : key === "dependencies"
          ? "schema map"
          : key === "items" || key === "additionalItems"
            ? Array.isArray(value)
              ? "schemas"
              : "schema"
            : Object.hasOwn(KEYWORDS, key) && (KEYWORDS[key]?.[0] ?? 0) <= draft
              ? KEYWORDS[key]?.[1]
              : undefined;
    if (form === "schema") yield [key, value];
    else if (form === "schemas" && Array.isArray(value))
      for (let i = 0; i < value.length; i++) yield [`${key}/${i}`, value[i]];
    else if (form === "schema map" && isObject(value))
      for (const [name, child] of Object.entries(value))
        if (!Array.isArray(child)) yield [`${key}/${pointerPart(name)}`, child];
  }
}

/** Checks a keyword's form, and converts it to 2020-12. */
export function readKeyword(key: string, value: unknown, context: KeywordContext): void {
  const { draft, made, at } = context;
  if (key === "items" || key === "additionalItems") {
    if (key === "items") readItems(value, context);
    return;
  }
  if (key === "dependencies") return readDependencies(value, context);
  // In draft 04 and OpenAPI 3.0 a boolean makes a bound exclusive.
  if (key === "exclusiveMinimum" || key === "exclusiveMaximum") {
    const isOpen = draft === 4 || !context.isStated;
    if (isOpen && typeof value === "boolean") {
      const bound = key === "exclusiveMinimum" ? "minimum" : "maximum";
      if (!value || typeof context.raw[bound] !== "number") return;
      made[key] = context.raw[bound];
      return;
    }
  }
  const known = Object.hasOwn(KEYWORDS, key) ? KEYWORDS[key] : undefined;
  if (known === undefined || known[0] > draft) return;
  if ((key === "then" || key === "else") && context.raw["if"] === undefined) return;
  put(made, key, readForm(value, known[1], `${at}/${key}`, context));
}

function put(made: Record<string, unknown>, key: string, value: unknown): void {
  if (value !== undefined) made[key] = value;
}

function readForm(value: unknown, form: Form, at: string, context: KeywordContext): unknown {
  switch (form) {
    case "schema":
      return readSchema(value, at, context);
    case "schemas":
      if (!Array.isArray(value) || value.length === 0)
        return failSchema(at, "must be a non-empty list of schemas");
      return value.map((each, i) => readSchema(each, `${at}/${i}`, context));
    case "schema map": {
      if (!isObject(value)) return failSchema(at, "must be an object of schemas");
      return mapObject(value, (each, name) =>
        readSchema(each, `${at}/${pointerPart(name)}`, context),
      );
    }
    case "number":
    case "positive":
      if (typeof value !== "number" || !Number.isFinite(value))
        return failSchema(at, "must be a number");
      if (form === "positive" && value <= 0) return failSchema(at, "must be a number above 0");
      return value;
    case "count":
      if (!Number.isInteger(value) || (value as number) < 0)
        return failSchema(at, "must be a whole number of at least 0");
      return value;
    case "boolean":
      if (typeof value !== "boolean") return failSchema(at, "must be true or false");
      return value || undefined;
    case "string":
      if (typeof value !== "string") return failSchema(at, "must be a string");
      return value;
    case "names":
      if (!isNames(value)) return failSchema(at, "must be a list of names");
      return value;
    case "names map":
      if (!isObject(value) || !Object.values(value).every(isNames))
        return failSchema(at, "must be an object of lists of names");
      return value;
    case "values":
      if (!Array.isArray(value)) return failSchema(at, "must be a list of values");
      return value;
    case "any":
      return value;
    case "type": {
      const names: unknown[] = Array.isArray(value) ? value : [value];
      const wrong = names.find((name) => !TYPES.includes(name as string));
      if (wrong !== undefined || names.length === 0)
        return failSchema(
          at,
          names.length === 0
            ? "names no type"
            : `names ${JSON.stringify(wrong)}, which is not a type of JSON Schema`,
        );
      return value;
    }
  }
}

function readSchema(value: unknown, at: string, { draft, read }: KeywordContext): Schema {
  const isAllowed =
    isObject(value) ||
    (typeof value === "boolean" && (draft > 4 || /\/additional(Properties|Items)$/.test(at)));
  if (!isAllowed)
    failSchema(
      at,
      draft === 4 ? "must be a schema: an object" : "must be an object, true or false",
    );
  return read(value);
}

/** Copies an object with other values; a name such as `__proto__` remains an ordinary name. */
function mapObject(
  object: SchemaObject,
  change: (value: unknown, name: string) => unknown,
): SchemaObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, change(value, name)]),
  );
}

/** `items` as a list is `prefixItems` of 2020-12, and `additionalItems` is then its `items`. */
function readItems(value: unknown, context: KeywordContext): void {
  const { raw, draft, isStated, at, made } = context;
  const isList = Array.isArray(value);
  if (!isList || (draft === 2020 && isStated)) {
    made["items"] = readSchema(value, `${at}/items`, context);
    return;
  }
  if (value.length > 0)
    made["prefixItems"] = value.map((each, i) => readSchema(each, `${at}/items/${i}`, context));
  const others = raw["additionalItems"];
  if (others !== undefined) made["items"] = readSchema(others, `${at}/additionalItems`, context);
}

/** `dependencies` combines `dependentRequired` and `dependentSchemas`. */
function readDependencies(value: unknown, context: KeywordContext): void {
  const at = `${context.at}/dependencies`;
  if (!isObject(value)) return failSchema(at, "must be an object");
  for (const [name, each] of Object.entries(value)) {
    const isList = Array.isArray(each);
    if (isList && !isNames(each))
      failSchema(`${at}/${pointerPart(name)}`, "must be a list of names");
    const key = isList ? "dependentRequired" : "dependentSchemas";
    const given = isList ? each : readSchema(each, `${at}/${pointerPart(name)}`, context);
    context.made[key] = { ...(context.made[key] as object | undefined), [name]: given };
  }
}
