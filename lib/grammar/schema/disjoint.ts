// Finds branches of a `oneOf` that one value may match both. Pure.
import { isObject, type Schema, type SchemaObject } from "../../base/schema/types.js";
import { canonical } from "../../base/schema/values.js";
import { typesOf } from "./merge.js";

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

function requires(schema: SchemaObject, name: string): boolean {
  return Array.isArray(schema["required"]) && schema["required"].includes(name);
}

/**
 * Whether two schemas certainly share no value: they require different types, list different
 * values, or are objects that both require a property whose schemas share none. false if this
 * cannot be decided.
 */
function areDisjoint(a: Schema, b: Schema): boolean {
  if (a === false || b === false) return true;
  if (a === true || b === true) return false;
  const [left, right] = [listed(a), listed(b)];
  if (left !== undefined && right !== undefined) {
    const others = new Set(right.map((value) => canonical(value)));
    return !left.some((value) => others.has(canonical(value)));
  }
  const shared = types(a).filter((type) => types(b).includes(type));
  if (shared.length === 0) return true;
  if (shared.some((type) => type !== "object")) return false;
  const [one, other] = [a["properties"], b["properties"]];
  if (!isObject(one) || !isObject(other)) return false;
  return Object.keys(one).some((name) => {
    if (!Object.hasOwn(other, name) || !requires(a, name) || !requires(b, name)) return false;
    const [x, y] = [one[name], other[name]];
    return (
      isObject(x) &&
      isObject(y) &&
      (listed(x) !== undefined || types(x).join() !== types(y).join()) &&
      areDisjoint(x, y)
    );
  });
}

/**
 * The values that a branch lists, itself or in a property it requires; undefined when it lists
 * none.
 */
function marks(branch: Schema, name: string | undefined): readonly string[] | undefined {
  if (!isObject(branch)) return !branch ? [] : undefined;
  const schema =
    name === undefined
      ? branch
      : requires(branch, name) && isObject(branch["properties"])
        ? branch["properties"][name]
        : undefined;
  return isObject(schema) ? listed(schema)?.map((value) => canonical(value)) : undefined;
}

/**
 * Whether all branches list values of one property, or of themselves, and no two list the same
 * value.
 */
function listDifferentValues(branches: readonly Schema[], name: string | undefined): boolean {
  const seen = new Set<string>();
  for (const branch of branches) {
    const own = marks(branch, name);
    if (own === undefined) return false;
    for (const mark of new Set(own)) {
      if (seen.has(mark)) return false;
      seen.add(mark);
    }
  }
  // Values of a property distinguish objects, and nothing else.
  return (
    name === undefined ||
    branches.every((branch) => !isObject(branch) || types(branch).join() === "object")
  );
}

/** Maximum number of properties to try as the one that distinguishes the branches. */
const MAX_MARKS = 16;

/**
 * Returns the first two branches that one value may match both; undefined if there are none.
 *
 * @param work - Called with the number of pairs before they are compared one by one.
 */
export function findOverlap(
  branches: readonly Schema[],
  work: (pairs: number) => void,
): readonly [number, number] | undefined {
  const first = branches.find(isObject);
  const names = Object.keys(first?.["properties"] ?? {}).slice(0, MAX_MARKS);
  if (
    listDifferentValues(branches, undefined) ||
    names.some((name) => listDifferentValues(branches, name))
  )
    return undefined;
  for (const [i, a] of branches.entries()) {
    work(Math.ceil((branches.length - i) / 4));
    for (let j = i + 1; j < branches.length; j++)
      if (!areDisjoint(a, branches[j] as Schema)) return [i, j];
  }
  return undefined;
}
