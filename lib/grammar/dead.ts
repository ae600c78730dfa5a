// Removes the parts of a grammar that can never produce a finished text. Pure.
import { empty, never, references, seq, type Grammar, type GrammarNode } from "./grammar.js";

/** Returns the names of the rules that can produce a text. */
function livingRules(grammar: Grammar): ReadonlySet<string> {
  const living = new Set<string>();
  const users = new Map<string, string[]>();
  for (const [name, node] of grammar)
    references(node, (target) => {
      const list = users.get(target);
      if (list === undefined) users.set(target, [name]);
      else list.push(name);
    });
  const todo = [...grammar.keys()];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const node = grammar.get(name);
    if (living.has(name) || node === undefined || !isLiving(node, living)) continue;
    living.add(name);
    for (const user of users.get(name) ?? []) if (!living.has(user)) todo.push(user);
  }
  return living;
}

function isLiving(node: GrammarNode, living: ReadonlySet<string>): boolean {
  if (node.kind === "chars") return node.ranges.length > 0;
  if (node.kind === "seq") return node.nodes.every((each) => isLiving(each, living));
  if (node.kind === "alt") return node.nodes.some((each) => isLiving(each, living));
  if (node.kind === "repeat") return node.min === 0 || isLiving(node.node, living);
  return node.kind !== "ref" || living.has(node.name);
}

/** Returns a live node without its dead parts. */
function prune(node: GrammarNode, living: ReadonlySet<string>): GrammarNode {
  if (node.kind === "seq") return seq(...node.nodes.map((each) => prune(each, living)));
  if (node.kind === "alt") {
    const nodes = node.nodes
      .filter((each) => isLiving(each, living))
      .map((each) => prune(each, living));
    return nodes.length === 1 ? (nodes[0] as GrammarNode) : { kind: "alt", nodes };
  }
  if (node.kind !== "repeat") return node;
  return isLiving(node.node, living) ? { ...node, node: prune(node.node, living) } : empty;
}

/**
 * Returns the grammar without rules and alternatives that cannot produce a text; undefined if
 * nothing is left.
 */
export function withoutDead(grammar: Grammar): Map<string, GrammarNode> | undefined {
  const living = livingRules(grammar);
  if (!living.has("root")) return undefined;
  return new Map(
    [...grammar].map(([name, node]) => [name, living.has(name) ? prune(node, living) : never]),
  );
}
