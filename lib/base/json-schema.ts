// Compiles a JSON Schema into a check of values, once for equal schemas. Runs on any JavaScript thread; compiling takes a millisecond or more.
import { Ajv, type AnySchema, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { R1Error } from "./errors.js";

/** Tells what is wrong with a value, or undefined when it fits. Never throws. */
export type SchemaCheck = (value: unknown) => string | undefined;

/** Deepest value that is checked: deeper ones are refused, so that a recursive schema cannot exhaust the stack. */
const MAX_DEPTH = 64;

function depthBelow(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return limit > 0 && Object.values(value).every((element) => depthBelow(element, limit - 1));
}

/** Schemas of drafts before 2019 say so in `$schema`; all others are read as draft 2020-12, which is what Zod and most tools write today. */
function isOldDraft(schema: unknown): boolean {
  const draft =
    typeof schema === "object" && schema !== null
      ? (schema as { $schema?: unknown }).$schema
      : undefined;
  return typeof draft === "string" && /draft-0[3-7]/.test(draft);
}

// Making the code of a check shorter takes longer than all checks of a generation.
const OPTIONS = {
  strict: false,
  logger: false,
  validateFormats: false,
  allErrors: false,
  code: { optimize: false },
} as const;

type Compiler = Ajv | Ajv2020;
const makeCompiler = (isOld: boolean): Compiler =>
  isOld ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
const compilers: { old?: Compiler; current?: Compiler } = {};

/** Whether a schema names places by which others could refer to it: a compiler remembers those even when it is told to forget the schema. */
function namesPlaces(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  return Object.entries(schema).some(
    ([key, value]) =>
      ["$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor"].includes(key) ||
      namesPlaces(value),
  );
}

/** Compiles with the compiler that all schemas of a draft share, since making one takes many times as long as compiling. */
function compile(schema: AnySchema, isOld: boolean): ValidateFunction {
  if (namesPlaces(schema)) return makeCompiler(isOld).compile(schema);
  const compiler = (compilers[isOld ? "old" : "current"] ??= makeCompiler(isOld));
  try {
    return compiler.compile(schema);
  } finally {
    compiler.removeSchema(schema);
  }
}

/** Checks of schemas met lately, the latest last, by the schema's JSON: a conversation offers the same tools turn after turn, and a forced call reads each schema twice. */
const known = new Map<string, ValidateFunction>();
const MAX_KNOWN = 512;
/** Longest schema that is remembered. Unit: UTF-16 code units. */
const MAX_KNOWN_LENGTH = 16_384;

/** A text that only equal schemas have; undefined where JSON does not hold all that a compiler would see. */
function keyOf(schema: unknown): string | undefined {
  let isWhole = true;
  const seen = (_key: string, value: unknown): unknown => {
    isWhole &&=
      typeof value !== "function" &&
      typeof value !== "symbol" &&
      (typeof value !== "number" || Number.isFinite(value));
    return value;
  };
  try {
    const key = JSON.stringify(schema, seen);
    return isWhole && key.length <= MAX_KNOWN_LENGTH ? key : undefined;
  } catch {
    return undefined;
  }
}

/** As {@link compile}, from what is known if it is. */
function compileOnce(schema: AnySchema, isOld: boolean): ValidateFunction {
  const json = keyOf(schema);
  if (json === undefined) return compile(schema, isOld);
  const key = `${isOld ? "old" : "new"} ${json}`;
  // Of a copy: a check refers to its schema, which stays the caller's to change.
  const made = known.get(key) ?? compile(JSON.parse(json) as AnySchema, isOld);
  known.delete(key);
  known.set(key, made);
  const [oldest] = known.keys();
  if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  return made;
}

/**
 * Compiles a schema. Annotations and formats are not checked.
 *
 * @param path - How errors name the schema.
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` when it is no valid JSON Schema or refers to another document.
 */
export function compileSchema(schema: unknown, path: string): SchemaCheck {
  if (
    typeof schema !== "boolean" &&
    (typeof schema !== "object" || schema === null || Array.isArray(schema))
  ) {
    throw new R1Error(
      "SCHEMA_UNSUPPORTED",
      `\`${path}\` must be a JSON Schema: an object, true or false.`,
      { details: { path } },
    );
  }
  let validate: ValidateFunction;
  try {
    const { $schema: _draft, ...rest } =
      typeof schema === "boolean"
        ? { $schema: undefined, ...(schema ? {} : { not: {} }) }
        : (schema as Record<string, unknown>);
    validate = compileOnce(rest, isOldDraft(schema));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new R1Error(
      "SCHEMA_UNSUPPORTED",
      `\`${path}\` is not a JSON Schema that can be used: ${reason}.`,
      { cause: error, details: { path } },
    );
  }
  return (value) => {
    if (!depthBelow(value, MAX_DEPTH)) return `is nested more than ${MAX_DEPTH} levels deep`;
    try {
      if (validate(value)) return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const [first] = validate.errors ?? [];
    return `${first?.instancePath === undefined || first.instancePath === "" ? "the value" : first.instancePath} ${first?.message ?? "does not fit the schema"}`;
  };
}
