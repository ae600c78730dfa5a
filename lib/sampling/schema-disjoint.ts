// Tells whether no value can fit two schemas at once, for `oneOf`. Pure; runs on any JavaScript thread.
import { isDeepStrictEqual } from "node:util";
import { typesOf, type Schema, type SchemaObject } from "./schema-merge.js";

const TYPES = ["null", "boolean", "number", "string", "array", "object"];

/** The types a schema's values can have, integers counted as numbers. */
function types(schema: SchemaObject): readonly string[] {
  const values = listed(schema);
  if (values !== undefined)
    return values.map((value) =>
      value === null ? "null" : Array.isArray(value) ? "array" : typeof value,
    );
  return (typesOf(schema) ?? TYPES).map((type) => (type === "integer" ? "number" : type));
}

/** The values a schema lists; undefined when it lists none. */
function listed(schema: SchemaObject): readonly unknown[] | undefined {
  if ("const" in schema) return [schema["const"]];
  return Array.isArray(schema["enum"]) ? (schema["enum"] as unknown[]) : undefined;
}

/** Whether two values are one in JSON, whatever the order of their properties. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b) || JSON.stringify(a) === JSON.stringify(b);
}

function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether two schemas surely share no value: they ask for different types, list different values, or are objects that both require a property whose schemas share none.
 * false when it cannot be told.
 */
export function areDisjoint(a: Schema, b: Schema): boolean {
  if (a === false || b === false) return true;
  if (a === true || b === true) return false;
  const [left, right] = [listed(a), listed(b)];
  if (left !== undefined && right !== undefined)
    return !left.some((value) => right.some((other) => isSame(value, other)));
  const shared = types(a).filter((type) => types(b).includes(type));
  if (shared.length === 0) return true;
  if (shared.some((type) => type !== "object")) return false;
  const [one, other] = [a["properties"], b["properties"]];
  const both = (name: string): boolean =>
    [a, b].every(
      (schema) => Array.isArray(schema["required"]) && schema["required"].includes(name),
    );
  if (!isObject(one) || !isObject(other)) return false;
  return Object.keys(one).some((name) => {
    if (!both(name) || !Object.hasOwn(other, name)) return false;
    const [x, y] = [one[name], other[name]];
    return (
      isObject(x) &&
      isObject(y) &&
      (listed(x) !== undefined || types(x).join() !== types(y).join()) &&
      areDisjoint(x, y)
    );
  });
}
