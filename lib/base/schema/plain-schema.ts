// Converts the schemas that callers pass to plain JSON Schema: JSON Schema itself, or a validator
// that can export itself as one. Refuses anything else, with the reason.
import { R1Error } from "../errors.js";
import { schemaJson } from "./json-schema.js";
import { isSchemaWord } from "./keywords.js";
import { failSchema, isObject, type Schema } from "./types.js";

/** A validator that can export itself as a JSON Schema, as Zod 4's schemas can. */
export interface JsonSchemaSource {
  /** Returns the JSON Schema. Called without arguments. */
  readonly toJSONSchema: (...args: never[]) => unknown;
}

const HINT = "pass the JSON Schema instead, with Zod 4 `z.toJSONSchema(schema)`";

/** Keys of the validators that Zod, Joi and Yup make; no dialect of JSON Schema has them. */
const MARKS = ["_zod", "_def", "$_terms", "__isYupSchema__"];

const isCompound = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

/**
 * Whether an object is an instance of a class and not a literal, including classes of another
 * realm.
 */
function isInstance(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
}

/**
 * Whether an object is a validator: Zod's, or any with the Standard Schema interface. The JSON
 * Schemas that Zod exports have that interface too, but hidden, and are literals.
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
      `\`${path}\` cannot be converted to a JSON Schema: ${reason}.`,
      { cause: error, details: { path } },
    );
  }
  if (isCompound(made) && "then" in made)
    failSchema(path, "has a `toJSONSchema()` that returns a promise; it must return the schema");
  return made;
}

/** Refuses a validator, or another class instance, anywhere in a schema. */
function refuseObjects(value: unknown, path: string, seen: Set<object>, where = ""): void {
  if (!isCompound(value) || seen.has(value)) return;
  seen.add(value);
  const at = where === "" ? `\`${path}\`` : `\`${path}\` holds at ${where} what`;
  if (isValidator(value))
    throw new R1Error(
      "SCHEMA_UNSUPPORTED",
      where === ""
        ? `${at} is a validator without a \`toJSONSchema()\` method; ${HINT}.`
        : `${at} is a validator, not JSON Schema; convert the whole schema: ${HINT}.`,
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

/** Refuses plain data that its author takes for a schema but that is not JSON Schema. */
function refuseInnards(schema: unknown, path: string): void {
  if (!isObject(schema)) return;
  const inner = schema["def"] ?? schema["_def"];
  const isDefinition =
    isObject(inner) && (typeof inner["type"] === "string" || "typeName" in inner);
  if (isDefinition || MARKS.some((mark) => Object.hasOwn(schema, mark)))
    failSchema(path, `contains a validator's internal data (\`def\`), not JSON Schema; ${HINT}`);
  const keys = Object.keys(schema);
  if (keys.length === 0 || keys.some(isSchemaWord)) return;
  const looksLikeShape = Object.values(schema).every(
    (value) => isObject(value) && Object.keys(value).some(isSchemaWord),
  );
  if (looksLikeShape)
    failSchema(
      path,
      `has no keyword of JSON Schema, only ${JSON.stringify(keys[0])}; named arguments belong ` +
        'under `properties`, as in `{ type: "object", properties: { ... } }`',
    );
}

/**
 * Returns the plain JSON Schema of a caller's schema: a copy, without values that JSON cannot
 * represent.
 *
 * @param path - Name of the schema in errors.
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` for a value that is not a schema, cannot be converted to
 * one or to JSON, or is too large.
 */
export function plainSchema(schema: unknown, path: string): Schema {
  let json: string;
  try {
    const given = isCompound(schema) ? written(schema, path) : schema;
    refuseObjects(given, path, new Set());
    json = schemaJson(given, path);
  } catch (error) {
    if (error instanceof R1Error) throw error;
    if (error instanceof RangeError) failSchema(path, "is nested too deeply");
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
