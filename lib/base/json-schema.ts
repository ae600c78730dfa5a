// Compiles a JSON Schema into a check of values. Runs on any JavaScript thread; compiling takes about a millisecond.
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
  const draft = typeof schema === "object" && schema !== null ? (schema as { $schema?: unknown }).$schema : undefined;
  return typeof draft === "string" && /draft-0[3-7]/.test(draft);
}

/**
 * Compiles a schema. Annotations and formats are not checked.
 *
 * @param path - How errors name the schema.
 * @throws {R1Error} `SCHEMA_UNSUPPORTED` when it is no valid JSON Schema or refers to another document.
 */
export function compileSchema(schema: unknown, path: string): SchemaCheck {
  if (typeof schema !== "boolean" && (typeof schema !== "object" || schema === null || Array.isArray(schema))) {
    throw new R1Error("SCHEMA_UNSUPPORTED", `\`${path}\` must be a JSON Schema: an object, true or false.`, { details: { path } });
  }
  let validate: ValidateFunction;
  try {
    const options = { strict: false, logger: false, validateFormats: false, allErrors: false } as const;
    const { $schema: _draft, ...rest } =
      typeof schema === "boolean" ? { $schema: undefined, ...(schema ? {} : { not: {} }) } : (schema as Record<string, unknown>);
    validate = (isOldDraft(schema) ? new Ajv(options) : new Ajv2020(options)).compile(rest as AnySchema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new R1Error("SCHEMA_UNSUPPORTED", `\`${path}\` is not a JSON Schema that can be used: ${reason}.`, { cause: error, details: { path } });
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
