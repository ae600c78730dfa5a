// Creates checks of values from JSON Schemas, once for equal schemas.
import { ByteCache } from "../byte-cache.js";
import { R1Error } from "../errors.js";
import { StepLimitError, Steps } from "./pattern-matcher.js";
import { SchemaChecker } from "./check-value.js";
import { SchemaDocument } from "./document.js";
import { failSchema, isObject } from "./types.js";

/**
 * Describes what is wrong with a value; undefined if it is valid. Never throws, and takes a limited
 * time.
 */
export type SchemaCheck = (value: unknown) => string | undefined;

/** Maximum size of a schema, as JSON. Unit: UTF-16 code units. */
export const MAX_SCHEMA = 262_144;
/** Maximum steps of one check: some ten milliseconds. */
const MAX_STEPS = 2_000_000;
/** Maximum nesting of a value that is checked. */
const MAX_DEPTH = 128;
/** Size of the cache of schemas, as JSON. Unit: UTF-16 code units. */
const MAX_KNOWN = 1_048_576;

const known = new ByteCache<SchemaCheck>(MAX_KNOWN);

function depthBelow(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return limit > 0 && Object.values(value).every((element) => depthBelow(element, limit - 1));
}

/**
 * Returns the JSON of a schema, which is the same only for equal schemas.
 *
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` for a value that is not a schema, not JSON, or too large.
 */
export function schemaJson(schema: unknown, path: string): string {
  if (typeof schema !== "boolean" && !isObject(schema))
    throw new R1Error(
      "SCHEMA_UNSUPPORTED",
      `\`${path}\` must be a JSON Schema: an object, true or false.`,
      { details: { path } },
    );
  const refuseOthers = (key: string, value: unknown): unknown => {
    const isJson =
      typeof value !== "function" &&
      typeof value !== "symbol" &&
      typeof value !== "bigint" &&
      (typeof value !== "number" || Number.isFinite(value));
    return isJson
      ? value
      : failSchema(path, `has under ${JSON.stringify(key)} a value that JSON cannot represent`);
  };
  let json: string;
  try {
    json = JSON.stringify(schema, refuseOthers);
  } catch (error) {
    if (error instanceof R1Error) throw error;
    return failSchema(path, "is circular, or nested too deeply");
  }
  if (json.length > MAX_SCHEMA)
    failSchema(path, `has ${json.length} characters, but the limit is ${MAX_SCHEMA}`);
  return json;
}

/** Checks values against a part of a document. */
export function checkOf(checker: SchemaChecker, document: SchemaDocument): SchemaCheck {
  return (value) => {
    if (!depthBelow(value, MAX_DEPTH)) return `is nested more than ${MAX_DEPTH} levels deep`;
    try {
      return checker.check(document.root, value, new Steps(MAX_STEPS));
    } catch (error) {
      if (error instanceof StepLimitError) return error.message;
      if (error instanceof RangeError) return "is nested too deeply to be checked";
      throw error;
    }
  };
}

/**
 * Creates a check. The schema is read as the draft that its `$schema` names, otherwise as draft
 * 2020-12; annotations, formats and unknown words are not checked.
 *
 * @param path - Name of the schema in errors.
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` when it is not a valid JSON Schema, refers to another
 * document, or has a pattern that cannot be matched in linear time.
 */
export function compileSchema(schema: unknown, path: string): SchemaCheck {
  const json = schemaJson(schema, path);
  const made = known.get(json);
  if (made !== undefined) return made;
  // Uses a copy, because the caller may change the schema.
  const document = new SchemaDocument(JSON.parse(json), path);
  const check = checkOf(new SchemaChecker(document, path), document);
  known.set(json, check, json.length);
  return check;
}
