// Finds left recursion in a grammar: no engine can follow a rule that begins with itself. Pure.
import { references, type Grammar, type GrammarNode } from "./grammar.js";

function isNullable(node: GrammarNode, isKnown: (rule: string) => boolean): boolean {
  switch (node.kind) {
    case "text":
      return node.text === "";
    case "seq":
      return node.nodes.every((each) => isNullable(each, isKnown));
    case "alt":
      return node.nodes.some((each) => isNullable(each, isKnown));
    case "repeat":
      return node.min === 0 || isNullable(node.node, isKnown);
    case "ref":
      return isKnown(node.name);
    default:
      return false;
  }
}

/**
 * Returns the rules that may be empty. A rule is checked again only when one that it uses is
 * settled.
 */
function nullableRules(grammar: Grammar): Set<string> {
  const users = new Map<string, Set<string>>();
  for (const [name, node] of grammar)
    references(node, (target) => {
      users.set(target, (users.get(target) ?? new Set()).add(name));
    });
  const settled = new Set<string>();
  const isKnown = (name: string): boolean => settled.has(name);
  const todo = [...grammar.keys()];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const node = grammar.get(name);
    if (node === undefined || settled.has(name) || !isNullable(node, isKnown)) continue;
    settled.add(name);
    for (const user of users.get(name) ?? []) if (!settled.has(user)) todo.push(user);
  }
  return settled;
}

/** Returns a rule that can begin with itself. */
export function leftRecursion(grammar: Grammar): string | undefined {
  const nullable = nullableRules(grammar);
  const isKnown = (name: string): boolean => nullable.has(name);
  const beginnings = (node: GrammarNode, found: string[]): void => {
    if (node.kind === "ref") found.push(node.name);
    else if (node.kind === "alt") for (const each of node.nodes) beginnings(each, found);
    else if (node.kind === "repeat") beginnings(node.node, found);
    else if (node.kind === "seq")
      for (const each of node.nodes) {
        beginnings(each, found);
        if (!isNullable(each, isKnown)) break;
      }
  };
  const state = new Map<string, "open" | "done">();
  for (const first of grammar.keys()) {
    const path: { readonly name: string; readonly next: string[] }[] = [];
    const enter = (name: string): void => {
      const next: string[] = [];
      beginnings(grammar.get(name) ?? { kind: "seq", nodes: [] }, next);
      state.set(name, "open");
      path.push({ name, next });
    };
    if (!state.has(first)) enter(first);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.next.pop();
      if (next === undefined) {
        state.set(top.name, "done");
        path.pop();
      } else if (state.get(next) === "open") return next;
      else if (!state.has(next)) enter(next);
    }
  }
  return undefined;
}
