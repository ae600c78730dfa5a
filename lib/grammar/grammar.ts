// Grammars as trees, and their GBNF text. Pure.

import { invert, joinRanges, LAST_CODE_POINT, type CodeRange } from "../base/code-ranges.js";

export { intersect, invert, LAST_CODE_POINT, type CodeRange } from "../base/code-ranges.js";

/** A piece of a grammar. `token` is llama.cpp's `<...>` and `!<...>`: one whole token. */
export type GrammarNode =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "chars"; readonly ranges: readonly CodeRange[] }
  | { readonly kind: "seq"; readonly nodes: readonly GrammarNode[] }
  | { readonly kind: "alt"; readonly nodes: readonly GrammarNode[] }
  | {
      readonly kind: "repeat";
      readonly node: GrammarNode;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: "ref"; readonly name: string }
  | { readonly kind: "token"; readonly source: string };

/** Rules by name; the start is `root`. */
export type Grammar = ReadonlyMap<string, GrammarNode>;

export const text = (value: string): GrammarNode => ({ kind: "text", text: value });
export const ref = (name: string): GrammarNode => ({ kind: "ref", name });
export const empty: GrammarNode = { kind: "seq", nodes: [] };
/** Matches no text. */
export const never: GrammarNode = { kind: "alt", nodes: [] };
export const repeat = (node: GrammarNode, min: number, max = Infinity): GrammarNode =>
  min === 1 && max === 1 ? node : { kind: "repeat", node, min, max };
export const optional = (node: GrammarNode): GrammarNode => repeat(node, 0, 1);

/** Nodes one after the other; neighbouring texts are joined. */
export function seq(...nodes: readonly GrammarNode[]): GrammarNode {
  const flat: GrammarNode[] = [];
  for (const node of nodes.flatMap((each) => (each.kind === "seq" ? each.nodes : [each]))) {
    const last = flat.at(-1);
    if (node.kind === "text" && last?.kind === "text")
      flat[flat.length - 1] = text(last.text + node.text);
    else if (node.kind !== "text" || node.text !== "") flat.push(node);
  }
  return flat.length === 1 && flat[0] !== undefined ? flat[0] : { kind: "seq", nodes: flat };
}

/** One of several nodes. */
export function alt(...nodes: readonly GrammarNode[]): GrammarNode {
  const flat = nodes.flatMap((node) => (node.kind === "alt" ? node.nodes : [node]));
  return flat.length === 1 && flat[0] !== undefined ? flat[0] : { kind: "alt", nodes: flat };
}

/** A set of characters: single characters, and pairs for ranges. */
export function chars(...members: readonly (string | readonly [string, string])[]): GrammarNode {
  const code = (character: string): number => character.codePointAt(0) ?? 0;
  return charRanges(
    members.map((member): CodeRange =>
      typeof member === "string"
        ? [code(member), code(member)]
        : [code(member[0]), code(member[1])],
    ),
  );
}

/** A set of characters by ranges, sorted and joined. */
export function charRanges(ranges: readonly CodeRange[]): GrammarNode {
  return { kind: "chars", ranges: joinRanges(ranges) };
}

function escapeCode(code: number): string {
  const character = String.fromCodePoint(code);
  if (/[A-Za-z0-9 _.,:;{}()/+*!?<>=@#$%&'|~`]/.test(character)) return character;
  const hex = code.toString(16).toUpperCase();
  return code <= 0xff
    ? `\\x${hex.padStart(2, "0")}`
    : code <= 0xffff
      ? `\\u${hex.padStart(4, "0")}`
      : `\\U${hex.padStart(8, "0")}`;
}

function printText(value: string): string {
  return `"${Array.from(value, (character) => escapeCode(character.codePointAt(0) ?? 0)).join("")}"`;
}

function printNode(node: GrammarNode, isInner: boolean): string {
  switch (node.kind) {
    case "text":
      return printText(node.text);
    case "chars": {
      // llama.cpp reads the end of a range only after a "-". The complement is shorter for a set
      // that contains nearly all characters.
      const isWide = node.ranges.at(-1)?.[1] === LAST_CODE_POINT;
      const ranges = isWide ? invert(node.ranges) : node.ranges;
      if (isWide && ranges.length === 0) return ".";
      return `[${isWide ? "^" : ""}${ranges.map(([from, to]) => (from === to ? escapeCode(from) : `${escapeCode(from)}-${escapeCode(to)}`)).join("")}]`;
    }
    case "ref":
      return node.name;
    case "token":
      return node.source;
    case "seq": {
      if (node.nodes.length === 0) return '""';
      const printed = node.nodes.map((each) => printNode(each, true)).join(" ");
      return isInner && node.nodes.length > 1 ? `(${printed})` : printed;
    }
    case "alt": {
      const printed = node.nodes.map((each) => printNode(each, false)).join(" | ");
      return isInner ? `(${printed})` : printed;
    }
    case "repeat": {
      const { min, max } = node;
      const times =
        min === 0 && max === 1
          ? "?"
          : max === Infinity && min < 2
            ? min === 0
              ? "*"
              : "+"
            : min === max
              ? `{${min}}`
              : `{${min},${max === Infinity ? "" : max}}`;
      const inner = printNode(node.node, true);
      return (node.node.kind === "repeat" ? `(${inner})` : inner) + times;
    }
  }
}

/** Returns the GBNF text of a grammar, one rule per line, `root` first. */
export function printGrammar(grammar: Grammar): string {
  const names = [...grammar.keys()].sort((a, b) => Number(b === "root") - Number(a === "root"));
  return names
    .map((name) => `${name} ::= ${printNode(grammar.get(name) ?? empty, false)}\n`)
    .join("");
}

/** Calls `visit` for every reference; `isTail` is true if nothing can follow it in its rule. */
export function references(
  node: GrammarNode,
  visit: (name: string, isTail: boolean) => void,
  isTail = true,
): void {
  if (node.kind === "ref") visit(node.name, isTail);
  else if (node.kind === "alt") for (const each of node.nodes) references(each, visit, isTail);
  else if (node.kind === "repeat") references(node.node, visit, isTail && node.max === 1);
  else if (node.kind === "seq")
    node.nodes.forEach((each, i) => references(each, visit, isTail && i === node.nodes.length - 1));
}
