// Tells grammars whose nesting has two readings at every level: llama.cpp follows all readings, so their number doubles with each. Pure; runs on any JavaScript thread.
import {
  GrammarProblem,
  intersect,
  LAST_CODE_POINT,
  references,
  type CodeRange,
  type Grammar,
  type GrammarNode,
} from "./grammar.js";

/** How far two branches are followed side by side before they count as told apart. */
const MAX_STEPS = 5000;

/** Most pairs of branches that are followed; rules that nest have a handful. */
const MAX_PAIRS = 50_000;

/** What is still to be matched: a persistent stack, its top first. Equal stacks are the same object, as llama.cpp keeps equal stacks once. */
type Rest = { readonly node: GrammarNode; readonly below: Rest } | undefined;

/** The ways on from a stack: over characters, and the rules that nest which are entered before the next character, by name. */
interface Ways {
  readonly steps: readonly { readonly ranges: readonly CodeRange[]; readonly rest: Rest }[];
  readonly entered: ReadonlyMap<string, ReadonlySet<Rest>>;
}

const ANY: readonly CodeRange[] = [[0, LAST_CODE_POINT]];
const EMPTY: GrammarNode = { kind: "seq", nodes: [] };

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
  private readonly stacks = new Map<Rest, Map<unknown, Rest>>();
  private readonly nodes = new Map<string, GrammarNode>();
  private readonly ids = new Map<unknown, number>();
  private pairs = 0;

  constructor(
    private readonly grammar: Grammar,
    private readonly circle: ReadonlySet<string>,
  ) {}

  /** Puts a node on a stack. */
  push(node: GrammarNode, below: Rest): Rest {
    if (node.kind === "seq")
      return node.nodes.reduceRight<Rest>((under, each) => this.push(each, under), below);
    if (node.kind === "text" && node.text === "") return below;
    let known = this.stacks.get(below);
    if (known === undefined) this.stacks.set(below, (known = new Map<unknown, Rest>()));
    let rest = known.get(node);
    if (rest === undefined) known.set(node, (rest = { node, below }));
    return rest;
  }

  /** A node made while following, once for each key. */
  private made(key: string, make: () => GrammarNode): GrammarNode {
    let node = this.nodes.get(key);
    if (node === undefined) this.nodes.set(key, (node = make()));
    return node;
  }

  private id(value: unknown): number {
    let id = this.ids.get(value);
    if (id === undefined) this.ids.set(value, (id = this.ids.size));
    return id;
  }

  /** A repetition after one more turn. */
  turned(node: Extract<GrammarNode, { kind: "repeat" }>): GrammarNode {
    const [min, max] = [Math.max(0, node.min - 1), node.max - 1];
    if (min === node.min && max === node.max) return node;
    return max === 0
      ? EMPTY
      : this.made(`${this.id(node.node)} ${min} ${max}`, () => ({ ...node, min, max }));
  }

  /** Whether both branches can enter the same rule after the same characters with different things to come. */
  clash(a: Rest, b: Rest): boolean {
    if (++this.pairs > MAX_PAIRS)
      throw new GrammarProblem(
        "has rules that nest in themselves with too many branches to compare",
      );
    const seen = new Set<string>();
    const todo: [Rest, Rest][] = [[a, b]];
    for (
      let pair = todo.pop(), steps = 0;
      pair !== undefined && steps < MAX_STEPS;
      pair = todo.pop(), steps++
    ) {
      const key = `${this.id(pair[0])} ${this.id(pair[1])}`;
      if (pair[0] === pair[1] || seen.has(key)) continue;
      seen.add(key);
      const [left, right] = [this.ways(pair[0]), this.ways(pair[1])];
      for (const [name, stacks] of left.entered) {
        const others = right.entered.get(name);
        if (
          others !== undefined &&
          [...stacks].some((one) => [...others].some((other) => one !== other))
        )
          return true;
      }
      for (const one of left.steps) {
        for (const other of right.steps)
          if (intersect(one.ranges, other.ranges).length > 0) todo.push([one.rest, other.rest]);
      }
    }
    return false;
  }

  private ways(start: Rest): Ways {
    const steps: { ranges: readonly CodeRange[]; rest: Rest }[] = [];
    const entered = new Map<string, Set<Rest>>();
    const seen = new Set<Rest>();
    const todo: Rest[] = [start];
    for (
      let current = todo.pop();
      current !== undefined && seen.size < MAX_STEPS;
      current = todo.pop()
    ) {
      if (seen.has(current)) continue;
      seen.add(current);
      const { node, below } = current;
      if (node.kind === "text") {
        const code = node.text.codePointAt(0) ?? 0;
        const text = node.text.slice(code > 0xffff ? 2 : 1);
        const after =
          text === ""
            ? below
            : this.push(
                this.made(`"${text}`, () => ({ kind: "text", text })),
                below,
              );
        steps.push({ ranges: [[code, code]], rest: after });
      } else if (node.kind === "chars") steps.push({ ranges: node.ranges, rest: below });
      else if (node.kind === "token") steps.push({ ranges: ANY, rest: below });
      else if (node.kind === "alt")
        for (const each of node.nodes) todo.push(this.push(each, below));
      else if (node.kind === "repeat") {
        if (node.min === 0) todo.push(below);
        if (node.max > 0) todo.push(this.push(node.node, this.push(this.turned(node), below)));
      } else if (node.kind === "ref") {
        const rule = this.grammar.get(node.name);
        if (this.circle.has(node.name))
          entered.set(node.name, (entered.get(node.name) ?? new Set<Rest>()).add(current));
        if (rule !== undefined) todo.push(this.push(rule, below));
      }
    }
    return { steps, entered };
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
    if (reach.get(name)?.has(name) !== true) continue;
    const circle = new Set(
      [name, ...(reach.get(name) ?? [])].filter((member) => reach.get(member)?.has(name) === true),
    );
    let grows = false;
    for (const member of circle)
      references(
        grammar.get(member) ?? rule,
        (target, isTail) => (grows ||= !isTail && circle.has(target)),
      );
    if (grows) refuseIn(name, rule, new Race(grammar, circle), (target) => circle.has(target));
  }
}

function refuseIn(
  name: string,
  rule: GrammarNode,
  race: Race,
  isNest: (target: string) => boolean,
): void {
  const nests = (node: GrammarNode): boolean => {
    let found = false;
    references(node, (target) => (found ||= isNest(target)));
    return found;
  };
  const compare = (a: Rest, b: Rest): void => {
    if (!race.clash(a, b)) return;
    throw new GrammarProblem(
      `can read what nests in rule ${name} in two ways that begin alike, so that the readings double with each level; give the branches different beginnings`,
    );
  };
  const visit = (node: GrammarNode, below: Rest): void => {
    if (!nests(node)) return;
    if (node.kind === "alt") {
      const branches = node.nodes.map((each) => race.push(each, below));
      branches.forEach((a, i) => {
        for (const b of branches.slice(i + 1)) compare(a, b);
      });
      for (const each of node.nodes) visit(each, below);
    } else if (node.kind === "repeat") {
      const again = race.push(race.turned(node), below);
      if (node.min !== node.max) compare(race.push(node.node, again), below);
      visit(node.node, again);
    } else if (node.kind === "seq") {
      node.nodes.forEach((each, i) =>
        visit(each, race.push({ kind: "seq", nodes: node.nodes.slice(i + 1) }, below)),
      );
    }
  };
  visit(rule, undefined);
}
