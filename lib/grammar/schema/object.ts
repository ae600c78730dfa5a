// Grammar nodes for JSON objects and arrays. Pure, except that they add rules.
import { alt, empty, optional, ref, repeat, seq, text, type GrammarNode } from "../grammar.js";
import { stringExcept } from "./string.js";

/**
 * White space between JSON tokens: none, a space, or a line break and indentation; always of
 * limited length.
 */
const WS: GrammarNode = ref("ws");

/** One named property, its value as a node. */
export interface PropertyNode {
  readonly name: string;
  readonly value: GrammarNode;
  readonly isRequired: boolean;
}

/** Adds a rule and returns its reference. */
export type AddRule = (node: GrammarNode) => GrammarNode;

const colon = seq(WS, text(":"), WS);
const comma = seq(WS, text(","), WS);

/** A property whose name is one of many; as JSON writes it, quotes included. */
export interface OtherNode {
  readonly name: GrammarNode;
  readonly value: GrammarNode;
}

/** Properties of any name but some. */
export function anyOther(value: GrammarNode, but: readonly string[] = []): OtherNode {
  return { name: stringExcept(but), value };
}

/**
 * An object with its properties in the order given, each at most once, and then any number of
 * others. With `isFilled` it has at least one property.
 */
export function objectNode(
  properties: readonly PropertyNode[],
  others: readonly OtherNode[],
  addRule: AddRule,
  isFilled = false,
): GrammarNode {
  const pairs = properties.map(({ name, value }) =>
    addRule(seq(text(JSON.stringify(name)), colon, value)),
  );
  const extra =
    others.length === 0
      ? undefined
      : addRule(alt(...others.map(({ name, value }) => seq(name, colon, value))));
  const isRequired = (i: number): boolean => properties[i]?.isRequired === true;
  // after[i]: what may follow once a property before i was written.
  const after: GrammarNode[] = [extra === undefined ? empty : repeat(seq(comma, extra), 0)];
  for (let i = pairs.length - 1; i >= 0; i--) {
    const next = seq(comma, pairs[i] ?? empty);
    after.unshift(seq(isRequired(i) ? next : optional(next), after[0] ?? empty));
    // A rule of its own, or each beginning below would write out all that follows.
    if (i > 0) after[0] = addRule(after[0] ?? empty);
  }
  const beginnings: GrammarNode[] = [];
  const firstRequired = properties.findIndex((property) => property.isRequired);
  const last = firstRequired < 0 ? pairs.length - 1 : firstRequired;
  for (let i = 0; i <= last; i++) beginnings.push(seq(pairs[i] ?? empty, after[i + 1] ?? empty));
  if (firstRequired < 0 && extra !== undefined)
    beginnings.push(seq(extra, after[pairs.length] ?? empty));
  const body = beginnings.length === 0 ? undefined : alt(...beginnings);
  if (body === undefined) return seq(text("{"), WS, text("}"));
  const inner = seq(body, WS);
  return seq(text("{"), WS, firstRequired < 0 && !isFilled ? optional(inner) : inner, text("}"));
}

/** An array of fixed items, then of min to max more. `min` and `max` count all items. */
export function arrayNode(
  prefix: readonly GrammarNode[],
  rest: GrammarNode | undefined,
  min: number,
  max: number,
  addRule: AddRule,
): GrammarNode {
  const more = rest === undefined ? undefined : addRule(seq(comma, rest));
  const limit = rest === undefined ? Math.min(max, prefix.length) : max;
  /** What follows the first n fixed items. */
  const tail = (n: number): GrammarNode => {
    if (n < prefix.length) {
      if (n >= limit) return empty;
      const next = seq(n === 0 ? empty : comma, prefix[n] ?? empty, tail(n + 1));
      return n < min ? next : optional(next);
    }
    if (rest === undefined || more === undefined || n >= limit) return empty;
    const least = Math.max(0, min - n);
    if (n > 0) return repeat(more, least, limit - n);
    const all = seq(rest, repeat(more, Math.max(0, least - 1), limit - 1));
    return least === 0 ? optional(all) : all;
  };
  const items = tail(0);
  return seq(
    text("["),
    WS,
    items.kind === "seq" && items.nodes.length === 0 ? items : seq(items, WS),
    text("]"),
  );
}
