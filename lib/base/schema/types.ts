// The types of a JSON Schema, and the error that refuses one.
import { R1Error } from "../errors.js";

/** A schema that is an object. */
export type SchemaObject = Readonly<Record<string, unknown>>;
export type Schema = SchemaObject | boolean;

/** Throws SCHEMA_UNSUPPORTED: *The schema at `path` problem.* */
export function failSchema(path: string, problem: string): never {
  throw new R1Error("SCHEMA_UNSUPPORTED", `The schema at \`${path}\` ${problem}.`, {
    details: { path },
  });
}

/** A property name as a part of a JSON pointer. */
export const pointerPart = (name: string): string =>
  name.replaceAll("~", "~0").replaceAll("/", "~1");

/** Whether a value is a JSON object. */
export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
