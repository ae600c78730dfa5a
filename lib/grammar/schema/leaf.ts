// Grammar nodes for the keywords of numbers and strings. Pure.
import { R1Error } from "../../base/errors.js";
import { PatternProblem } from "../../base/schema/pattern.js";
import { failSchema as fail } from "../../base/schema/types.js";
import { ref, seq, text, type GrammarNode } from "../grammar.js";
import type { SchemaObject } from "../../base/schema/types.js";
import { multipleNode } from "./multiple.js";
import { integerNode, numberNode, type Bounds } from "./number.js";
import type { AddRule } from "./object.js";
import { patternNode } from "./pattern.js";
import { FORMATS, lengthNode } from "./string.js";

/**
 * No value matches a schema. On its own such a schema is refused; as one of several branches it
 * adds nothing.
 */
export class NoValueError extends R1Error {}

/** Throws SCHEMA_UNSUPPORTED: *The schema at `path` problem.* */
export { failSchema as fail } from "../../base/schema/types.js";

/** As {@link fail}, for a schema that no value fits. */
export function failEmpty(path: string, problem: string): never {
  throw new NoValueError("SCHEMA_UNSUPPORTED", `The schema at \`${path}\` ${problem}.`, {
    details: { path },
  });
}

/** A numeric keyword's value; undefined when it is not there. */
export function count(
  schema: SchemaObject,
  key: string,
  path: string,
  least = 0,
): number | undefined {
  const value = schema[key];
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isFinite(value) && value >= least) return value;
  return fail(`${path}/${key}`, `must be a number${least === 0 ? " of at least 0" : ""}`);
}

/** A number or integer within the schema's bounds. */
export function numericNode(
  type: "integer" | "number",
  schema: SchemaObject,
  path: string,
  addRule: AddRule,
  work: (work: number) => void,
): GrammarNode {
  const multipleOf = count(schema, "multipleOf", path, Number.MIN_VALUE);
  const at = (key: string): number | undefined => count(schema, key, path, -Number.MAX_VALUE);
  const [min, max, above, below] = [
    at("minimum"),
    at("maximum"),
    at("exclusiveMinimum"),
    at("exclusiveMaximum"),
  ];
  const isMinExclusive = above !== undefined && (min === undefined || above >= min);
  const isMaxExclusive = below !== undefined && (max === undefined || below <= max);
  const [low, high] = [isMinExclusive ? above : min, isMaxExclusive ? below : max];
  const bounds: Bounds = {
    ...(low === undefined ? {} : { min: low }),
    isMinExclusive,
    ...(high === undefined ? {} : { max: high }),
    isMaxExclusive,
  };
  const isWhole = type === "integer" || multipleOf === 1;
  if (multipleOf !== undefined && multipleOf !== 1) {
    const node = multipleNode(multipleOf, bounds, isWhole, addRule, work);
    if (typeof node === "object") return node;
    if (node === "none")
      failEmpty(path, "leaves no multiple between its bounds that can be written");
    fail(
      `${path}/multipleOf`,
      node === "inexact"
        ? `is ${multipleOf}, which a double does not hold exactly: validators disagree on its ` +
            "multiples. Ask for integers of the smaller unit, as cents"
        : `is ${multipleOf}: a grammar keeps multiples of up to 1000 (and of those times a ` +
            "power of ten), and others where the bounds leave no more than 500",
    );
  }
  return (
    (isWhole ? integerNode : numberNode)(bounds) ??
    failEmpty(
      path,
      `leaves no ${isWhole ? "integer" : "number"} between its bounds that can be written`,
    )
  );
}

const quoted = (inside: GrammarNode): GrammarNode => seq(text('"'), inside, text('"'));

/** Formats that JSON Schema defines but a grammar does not enforce: a validator may check them. */
const DEFINED_FORMATS: readonly unknown[] = [
  "duration",
  "idn-email",
  "idn-hostname",
  "ipv6",
  "uri-reference",
  "iri",
  "iri-reference",
  "uri-template",
  "json-pointer",
  "relative-json-pointer",
  "regex",
];

/**
 * Whether a format is a note for people: one of numbers, or one that JSON Schema does not define.
 */
const isAnnotation = (format: unknown): boolean =>
  typeof format === "string" &&
  !Object.hasOwn(FORMATS, format) &&
  !DEFINED_FORMATS.includes(format);

/** A string of the schema's length, pattern or format. */
export function stringNode(schema: SchemaObject, path: string): GrammarNode {
  const [min, max] = [
    count(schema, "minLength", path) ?? 0,
    count(schema, "maxLength", path) ?? Infinity,
  ];
  const { pattern } = schema;
  const format = isAnnotation(schema["format"]) ? undefined : schema["format"];
  // Authors of schemas often add a format's own regular expression: if both are present, the
  // expression is enforced.
  if (pattern !== undefined) return quoted(patternWithin(pattern, min, max, `${path}/pattern`));
  if (format !== undefined) {
    const node =
      typeof format === "string" && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (node === undefined)
      return fail(
        `${path}/format`,
        `is ${JSON.stringify(format)}, which is not kept to; the formats are ${Object.keys(FORMATS).join(", ")}`,
      );
    if (min > 0 || max !== Infinity)
      fail(
        `${path}/format`,
        "stands beside minLength or maxLength; a grammar can keep only the format",
      );
    return quoted(node);
  }
  return quoted(
    lengthNode(ref("char"), min, max) ??
      fail(
        path,
        "asks for a length that cannot be kept: minLength may be at most 2000, and no more than maxLength",
      ),
  );
}

function patternWithin(pattern: unknown, min: number, max: number, path: string): GrammarNode {
  if (typeof pattern !== "string") return fail(path, "must be a string");
  try {
    const found = patternNode(pattern);
    if (found.min >= min && found.max <= max) return found.node;
    return fail(
      path,
      `allows texts of ${found.min} to ${found.max === Infinity ? "any number of" : found.max} characters, but minLength and maxLength ask for ${min} to ${max}; put the lengths into the pattern`,
    );
  } catch (error) {
    if (error instanceof PatternProblem) fail(path, error.message);
    throw error;
  }
}
