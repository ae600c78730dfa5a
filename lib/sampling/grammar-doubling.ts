// Tells grammars whose nesting has two readings at every level: llama.cpp follows all readings, so their number doubles with each. Pure; runs on any JavaScript thread.
import { GrammarProblem, intersect, LAST_CODE_POINT, references, type CodeRange, type Grammar, type GrammarNode } from "./grammar.js";

/** How far two branches are followed side by side before they count as told apart. */
const MAX_STEPS = 5000;

/** What is still to be matched: a persistent stack, its top first. */
type Rest = { readonly node: GrammarNode; readonly below: Rest } | undefined;

/** One way on: over a character, or into the nesting. */
type Way = { readonly ranges: readonly CodeRange[]; readonly rest: Rest } | { readonly nest: string };

const ANY: readonly CodeRange[] = [[0, LAST_CODE_POINT]];

/** Rules that each rule can lead to. */
function reachable(grammar: Grammar): Map<string, ReadonlySet<string>> {
  const direct = new Map<string, Set<string>>();
  for (const [name, node] of grammar) {
    const targets = new Set<string>();
    references(node, (target) => targets.add(target));
    direct.set(name, targets);
  }
  const all = new Map<string, ReadonlySet<string>>();
  for (const name of grammar.keys()) {
    const seen = new Set<string>();
    const todo = [...(direct.get(name) ?? [])];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      todo.push(...(direct.get(next) ?? []));
    }
    all.set(name, seen);
  }
  return all;
}

/** Follows two branches over the same characters. */
class Race {
  private steps = 0;

  constructor(
    private readonly grammar: Grammar,
    private readonly isNest: (name: string) => boolean,
  ) {}

  /** Whether both branches can be inside the nesting after the same characters. */
  clash(a: Rest, b: Rest): boolean {
    const todo: [Rest, Rest][] = [[a, b]];
    for (let pair = todo.pop(); pair !== undefined; pair = todo.pop()) {
      const [left, right] = [this.ways(pair[0]), this.ways(pair[1])];
      for (const one of left) {
        for (const other of right) {
          if (++this.steps > MAX_STEPS) return false;
          if ("nest" in one && "nest" in other) return true;
          if ("nest" in one || "nest" in other) continue;
          if (intersect(one.ranges, other.ranges).length > 0) todo.push([one.rest, other.rest]);
        }
      }
    }
    return false;
  }

  private ways(rest: Rest): Way[] {
    const found: Way[] = [];
    const todo: Rest[] = [rest];
    for (let i = 0; i < todo.length && i < MAX_STEPS; i++) {
      const current = todo[i];
      if (current === undefined) continue;
      const { node, below } = current;
      if (node.kind === "text") {
        const code = node.text.codePointAt(0);
        if (code === undefined) todo.push(below);
        else found.push({ ranges: [[code, code]], rest: { node: { kind: "text", text: node.text.slice(code > 0xffff ? 2 : 1) }, below } });
      } else if (node.kind === "chars") found.push({ ranges: node.ranges, rest: below });
      else if (node.kind === "token") found.push({ ranges: ANY, rest: below });
      else if (node.kind === "seq") todo.push(node.nodes.reduceRight<Rest>((under, each) => ({ node: each, below: under }), below));
      else if (node.kind === "alt") for (const each of node.nodes) todo.push({ node: each, below });
      else if (node.kind === "repeat") {
        if (node.min === 0) todo.push(below);
        if (node.max > 0) todo.push({ node: node.node, below: { node: { ...node, min: Math.max(0, node.min - 1), max: node.max - 1 }, below } });
      } else if (this.isNest(node.name)) found.push({ nest: node.name });
      else {
        const rule = this.grammar.get(node.name);
        if (rule !== undefined) todo.push({ node: rule, below });
      }
    }
    return found;
  }
}

/**
 * Refuses rules that nest in themselves where two branches can both be inside the nesting after the same characters. Branches that some character tells apart before are no harm.
 *
 * @throws {GrammarProblem}
 */
export function refuseDoubling(grammar: Grammar): void {
  const reach = reachable(grammar);
  for (const [name, rule] of grammar) {
    const circle = new Set([name, ...(reach.get(name) ?? [])].filter((member) => reach.get(member)?.has(name) === true));
    if (!circle.has(name)) continue;
    let grows = false;
    for (const member of circle) references(grammar.get(member) ?? rule, (target, isTail) => (grows ||= !isTail && circle.has(target)));
    if (!grows) continue;
    const nests = (node: GrammarNode): boolean => {
      let found = false;
      references(node, (target) => (found ||= circle.has(target)));
      return found;
    };
    const clash = (a: GrammarNode, b: GrammarNode): boolean =>
      nests(a) && nests(b) && new Race(grammar, (target) => circle.has(target)).clash({ node: a, below: undefined }, { node: b, below: undefined });
    const refuse = (): never => {
      throw new GrammarProblem(
        `can read what nests in rule ${name} in two ways that begin alike, so that the readings double with each level; give the branches different beginnings`,
      );
    };
    const visit = (node: GrammarNode): void => {
      if (node.kind === "alt") {
        if (node.nodes.some((a, i) => node.nodes.slice(i + 1).some((b) => clash(a, b)))) refuse();
        node.nodes.forEach(visit);
      } else if (node.kind === "repeat") visit(node.node);
      else if (node.kind === "seq") {
        node.nodes.forEach((each, i) => {
          if (each.kind === "repeat" && each.min !== each.max && clash(each.node, { kind: "seq", nodes: node.nodes.slice(i + 1) })) refuse();
          visit(each);
        });
      }
    };
    visit(rule);
  }
}
