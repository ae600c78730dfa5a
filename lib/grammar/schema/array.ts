// Converts the schemas of arrays, whose items are schemas themselves. Pure, except that it adds
// rules.
import type { Steps } from "../../base/schema/pattern-matcher.js";
import type { Schema, SchemaObject } from "../../base/schema/types.js";
import type { GrammarNode } from "../grammar.js";
import { count, fail, failEmpty } from "./leaf.js";
import type { DeclareRule } from "./names.js";
import { arrayNode, type AddRule } from "./object.js";

/** Most items of an array that are counted; a `maxItems` above is kept as this. */
const MAX_ITEMS = 2000;

/** How schemas inside another one are converted. */
export interface InnerSchemas {
  /** @throws {NoValueError} when no value fits the schema. */
  readonly convert: (schema: Schema, path: string, depth: number) => GrammarNode;
  /** As `convert`; undefined when no value fits the schema. */
  readonly perhaps: (schema: Schema, path: string, depth: number) => GrammarNode | undefined;
  readonly add: AddRule;
  readonly declare: DeclareRule;
  /** Steps to match texts with. */
  readonly steps: () => Steps;
  /** Counts work against the bound. */
  readonly count: (path: string, more: number) => void;
}

/** An array of a schema's items and lengths. */
export function arrayOf(
  schema: SchemaObject,
  path: string,
  depth: number,
  inner: InnerSchemas,
): GrammarNode {
  const min = count(schema, "minItems", path) ?? 0;
  const limit = count(schema, "maxItems", path) ?? Infinity;
  if (min > MAX_ITEMS) fail(path, `asks for more than ${MAX_ITEMS} items`);
  const max = limit === Infinity ? Infinity : Math.min(limit, MAX_ITEMS);
  if (min > max) failEmpty(path, "asks for more items than it allows");
  if (schema["uniqueItems"] === true && max > 1)
    fail(`${path}/uniqueItems`, "uses a keyword that a grammar cannot keep");
  const { items } = schema as { items?: Schema };
  const fixed = ((schema["prefixItems"] ?? []) as readonly Schema[]).slice(0, max);
  const prefix: GrammarNode[] = [];
  for (const [i, item] of fixed.entries()) {
    const node =
      i < min
        ? inner.convert(item, `${path}/prefixItems/${i}`, depth + 1)
        : inner.perhaps(item, `${path}/prefixItems/${i}`, depth + 1);
    if (node === undefined) return inner.add(arrayNode(prefix, undefined, min, i, inner.add));
    prefix.push(node);
  }
  // Beyond the fixed items nothing need follow; a schema that says nothing of others gets none.
  const isSilent = prefix.length > 0 && items === undefined && min <= prefix.length;
  const rest =
    prefix.length >= max || isSilent
      ? undefined
      : inner.perhaps(items ?? true, `${path}/items`, depth + 1);
  if (rest === undefined && min > prefix.length)
    failEmpty(path, "asks for more items than it allows");
  return inner.add(arrayNode(prefix, rest, min, max, inner.add));
}
