// Turns what callers pass as a schema into plain JSON Schema: JSON Schema itself, or a validator
// that can write itself as one. Refuses in words what is neither. Pure; runs on any JavaScript
// thread.
import { R1Error } from "../errors.js";
import { schemaJson } from "./json-schema.js";
import { isSchemaWord } from "./keywords.js";
import { failSchema, isObject, type Schema } from "./types.js";

/** A validator that can write itself as a JSON Schema, as Zod 4's schemas can. */
export interface JsonSchemaSource {
  /** Returns the JSON Schema. Called without arguments. */
  readonly toJSONSchema: (...args: never[]) => unknown;
}

const HINT = "pass the JSON Schema instead, with Zod 4 `z.toJSONSchema(schema)`";

/** Keys of the validators that Zod, Joi and Yup make; no dialect of JSON Schema has them. */
const MARKS = ["_zod", "_def", "$_terms", "__isYupSchema__"];

const isCompound = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

/** Whether an object is an instance of a class, as opposed to a literal, also of another realm. */
function isInstance(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
}

/**
 * Whether an object is a validator: Zod's, or any with the Standard Schema interface. The JSON
 * Schemas that Zod writes carry that interface as well, but hidden, and are literals.
 */
function isValidator(value: object): boolean {
  if (typeof (value as { toJSONSchema?: unknown }).toJSONSchema === "function") return true;
  if (isInstance(value)) return "_zod" in value || "_def" in value || "~standard" in value;
  if (!Object.prototype.propertyIsEnumerable.call(value, "~standard")) return false;
  const { "~standard": standard } = value as Record<string, unknown>;
  return (
    isCompound(standard) && typeof (standard as { validate?: unknown }).validate === "function"
  );
}

function written(source: object, path: string): unknown {
  const { toJSONSchema } = source as { toJSONSchema?: unknown };
  if (typeof toJSONSchema !== "function") return source;
  let made: unknown;
  try {
    made = toJSONSchema.call(source) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new R1Error(
      "SCHEMA_UNSUPPORTED",
      `\`${path}\` cannot be written as a JSON Schema: ${reason}.`,
      { cause: error, details: { path } },
    );
  }
  if (isCompound(made) && "then" in made)
    failSchema(path, "has a `toJSONSchema()` that returns a promise; it must return the schema");
  return made;
}

/**
 * Refuses a validator, or another object with a class of its own, wherever it stands in a schema.
 */
function refuseObjects(value: unknown, path: string, seen: Set<object>, where = ""): void {
  if (!isCompound(value) || seen.has(value)) return;
  seen.add(value);
  const at = where === "" ? `\`${path}\`` : `\`${path}\` holds at ${where} what`;
  if (isValidator(value))
    throw new R1Error(
      "SCHEMA_UNSUPPORTED",
      where === ""
        ? `${at} is a validator without a \`toJSONSchema()\` method; ${HINT}.`
        : `${at} is a validator, not JSON Schema; convert the whole: ${HINT}.`,
      { details: { path } },
    );
  if (typeof value === "function") return; // Refused where the JSON is written, by its key.
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++)
      refuseObjects(value[i], path, seen, `${where}/${String(i)}`);
    return;
  }
  if (isInstance(value) && !("toJSON" in value)) {
    const name: unknown = (value.constructor as { name?: unknown } | undefined)?.name;
    throw new R1Error(
      "SCHEMA_UNSUPPORTED",
      `${at} is an instance of ${typeof name === "string" ? name : "a class"}, not JSON Schema, ` +
        "which is plain data.",
      { details: { path } },
    );
  }
  for (const [key, child] of Object.entries(value))
    refuseObjects(child, path, seen, `${where}/${key}`);
}

/** Refuses plain data that looks like a schema to its writer and to no reader of JSON Schema. */
function refuseInnards(schema: unknown, path: string): void {
  if (!isObject(schema)) return;
  const inner = schema["def"] ?? schema["_def"];
  const isDefinition =
    isObject(inner) && (typeof inner["type"] === "string" || "typeName" in inner);
  if (isDefinition || MARKS.some((mark) => Object.hasOwn(schema, mark)))
    failSchema(path, `holds a validator's own data (\`def\`), not JSON Schema; ${HINT}`);
  const keys = Object.keys(schema);
  if (keys.length === 0 || keys.some(isSchemaWord)) return;
  const looksLikeShape = Object.values(schema).every(
    (value) => isObject(value) && Object.keys(value).some(isSchemaWord),
  );
  if (looksLikeShape)
    failSchema(
      path,
      `has no keyword of JSON Schema, only ${JSON.stringify(keys[0])}; arguments by name stand ` +
        'under `properties`, as in `{ type: "object", properties: { ... } }`',
    );
}

/**
 * The plain JSON Schema of what a caller passed: a copy, without what JSON cannot write.
 *
 * @param path - How errors name it.
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` for what is no schema, cannot be written as one or as
 * JSON, or is too large.
 */
export function plainSchema(schema: unknown, path: string): Schema {
  let json: string;
  try {
    const given = isCompound(schema) ? written(schema, path) : schema;
    refuseObjects(given, path, new Set());
    json = schemaJson(given, path);
  } catch (error) {
    if (error instanceof R1Error) throw error;
    if (error instanceof RangeError) failSchema(path, "is nested too deeply to be read");
    // A revoked proxy, or a getter that throws.
    throw new R1Error("SCHEMA_UNSUPPORTED", `\`${path}\` cannot be read.`, {
      cause: error,
      details: { path },
    });
  }
  const plain: unknown = JSON.parse(json);
  if (typeof plain !== "boolean" && !isObject(plain))
    failSchema(path, "must be an object, true or false");
  refuseInnards(plain, path);
  return plain;
}
