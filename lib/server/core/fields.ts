// Checks a request against the Zod schema of its protocol: wrong types become a 400 that names the
// place, unknown fields are collected to be named in a header.
import type { z } from "zod";
import { badRequest } from "./api-error.js";

/** The schema of a request's fields. */
export type FieldSchema = z.ZodObject;

/** A request that fits its schema. */
export interface Fields<Schema extends FieldSchema> {
  readonly value: z.output<Schema>;
  /** Names of the fields that the schema does not have, in order. */
  readonly ignored: readonly string[];
}

/** `["messages", 0, "content"]` as `messages[0].content`. */
export function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) =>
      typeof step === "number" ? `[${step}]` : `${i === 0 ? "" : "."}${String(step)}`,
    )
    .join("");
}

/** The deepest complaint of a union: the one that is about what the client meant. */
function issueOf(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string } {
  if (issue.code === "invalid_union") {
    const inner = issue.errors
      .flatMap(([first]) => (first === undefined ? [] : [issueOf(first)]))
      .filter(({ path }) => path.length > 0)
      .sort((a, b) => b.path.length - a.path.length)[0];
    if (inner !== undefined) return { ...inner, path: [...issue.path, ...inner.path] };
  }
  return { path: [...issue.path], message: issue.message };
}

/** Whether nothing is at a place of a body. */
function isMissing(body: unknown, path: readonly PropertyKey[]): boolean {
  let at = body;
  for (const step of path) at = (at as Record<PropertyKey, unknown> | undefined)?.[step];
  return at === undefined;
}

/**
 * Checks a body. A field that is null counts as absent, as clients send it.
 *
 * @throws {ApiError} 400 with the place of what is wrong.
 */
export function checkFields<Schema extends FieldSchema>(
  schema: Schema,
  body: Record<string, unknown>,
): Fields<Schema> {
  const known = schema.shape as Record<string, unknown>;
  const given: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [key, value] of Object.entries(body)) {
    if (!Object.hasOwn(known, key)) ignored.push(key);
    else if (value !== null) given[key] = value;
  }
  const checked = schema.safeParse(given);
  if (checked.success) return { value: checked.data, ignored };
  const [first] = checked.error.issues;
  const { path, message } =
    first === undefined ? { path: [], message: "is not valid" } : issueOf(first);
  const place = placeOf(path);
  const complaint = isMissing(given, path) ? " is missing" : `: ${message}`;
  throw badRequest(
    place === "" ? message : `\`${place}\`${complaint}`,
    place === "" ? null : place,
    "invalid_type",
  );
}

/** How many ignored fields the header names. */
const MOST_NAMED = 20;

/** The value of the header `x-r1-ignored`; undefined for none. */
export function ignoredHeader(ignored: readonly string[]): string | undefined {
  const names = ignored.filter((name) => /^[\w.-]{1,64}$/.test(name)).slice(0, MOST_NAMED);
  return names.length === 0 ? undefined : names.join(", ");
}
