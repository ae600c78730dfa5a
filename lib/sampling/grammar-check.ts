// Tells grammars that llama.cpp would hang on, overflow its stack with, or never finish. Pure; runs on any JavaScript thread.
import { refuseDoubling } from "./grammar-doubling.js";
import { GrammarProblem, references, type Grammar, type GrammarNode } from "./grammar.js";

/** Limits, all far above what real schemas need. */
const MAX_RULES = 2000;
const MAX_ELEMENTS = 200_000;
const MAX_REPEAT = 2000;
const MAX_WAYS = 2000;
const MAX_WORK = 50_000_000;

/** Facts of a grammar by fixpoint: computed once, asked often. */
class Facts {
  readonly nullable = new Map<string, boolean>();
  readonly productive = new Map<string, boolean>();

  constructor(private readonly grammar: Grammar) {
    this.settle(this.nullable, (node) => this.isNullable(node));
    this.settle(this.productive, (node) => this.isProductive(node));
  }

  private settle(facts: Map<string, boolean>, decide: (node: GrammarNode) => boolean): void {
    for (let isChanged = true; isChanged;) {
      isChanged = false;
      for (const [name, node] of this.grammar) {
        if (facts.get(name) === true || !decide(node)) continue;
        facts.set(name, true);
        isChanged = true;
      }
    }
  }

  isNullable(node: GrammarNode): boolean {
    if (node.kind === "text") return node.text === "";
    if (node.kind === "seq") return node.nodes.every((each) => this.isNullable(each));
    if (node.kind === "alt") return node.nodes.some((each) => this.isNullable(each));
    if (node.kind === "repeat") return node.min === 0 || this.isNullable(node.node);
    return node.kind === "ref" && this.nullable.get(node.name) === true;
  }

  isProductive(node: GrammarNode): boolean {
    if (node.kind === "chars") return node.ranges.length > 0;
    if (node.kind === "seq") return node.nodes.every((each) => this.isProductive(each));
    if (node.kind === "alt") return node.nodes.some((each) => this.isProductive(each));
    if (node.kind === "repeat") return node.min === 0 || this.isProductive(node.node);
    return node.kind !== "ref" || this.productive.get(node.name) === true;
  }
}

/** Elements that llama.cpp's parser makes of a node: repetitions are written out. */
function elements(node: GrammarNode): number {
  if (node.kind === "text") return node.text.length;
  if (node.kind === "chars") return 2 * node.ranges.length;
  if (node.kind === "seq" || node.kind === "alt")
    return node.nodes.reduce((sum, each) => sum + elements(each) + 1, 1);
  if (node.kind !== "repeat") return 1;
  const { min, max } = node;
  if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT))
    throw new GrammarProblem(
      `repeats something ${max === Infinity ? min : max} times, more than the ${MAX_REPEAT} that llama.cpp takes`,
    );
  const copies = min + (max === Infinity ? 1 : max - min);
  return copies * (elements(node.node) + 3);
}

/** What llama.cpp meets when it follows the beginnings of a rule: ways to begin, each a stack to keep, and elements to look at. */
interface Beginning {
  readonly ways: number;
  readonly work: number;
}

/** Follows the leftmost references, as llama.cpp does one by one when it looks for left recursion and when it enters a rule. */
class Leftmost {
  private readonly known = new Map<string, Beginning>();
  private readonly open = new Set<string>();

  constructor(
    private readonly grammar: Grammar,
    private readonly facts: Facts,
  ) {}

  of(name: string): Beginning {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    if (this.open.has(name))
      throw new GrammarProblem(`has a left recursion: rule ${name} can begin with itself`);
    if (this.open.size > 1000)
      throw new GrammarProblem("has a chain of more than 1000 rules that begin with one another");
    this.open.add(name);
    const rule = this.grammar.get(name);
    const inner = rule === undefined ? { ways: 0, work: 0 } : this.begin(rule);
    this.open.delete(name);
    if (inner.ways > MAX_WAYS)
      throw new GrammarProblem(`has more than ${MAX_WAYS} ways to begin rule ${name}`);
    const found = {
      ways: inner.ways,
      work: inner.work + (rule === undefined ? 0 : elements(rule)),
    };
    this.known.set(name, found);
    return found;
  }

  /** The work for groups and repetitions inside a rule, which llama.cpp makes rules of their own. */
  inside(node: GrammarNode): number {
    if (node.kind === "seq") return node.nodes.reduce((sum, each) => sum + this.inside(each), 0);
    if (node.kind === "alt")
      return this.begin(node).work + node.nodes.reduce((sum, each) => sum + this.inside(each), 0);
    if (node.kind !== "repeat") return 0;
    const copies = node.max === Infinity ? 1 : node.max - node.min;
    return this.begin(node).work * copies + this.inside(node.node);
  }

  private begin(node: GrammarNode): Beginning {
    const [ways, work] = this.measure(node);
    if (ways > MAX_WAYS)
      throw new GrammarProblem(`has more than ${MAX_WAYS} ways to begin a part of a rule`);
    return { ways, work };
  }

  private measure(node: GrammarNode): [ways: number, work: number] {
    if (node.kind === "ref") {
      const { ways, work } = this.of(node.name);
      return [1 + ways, work];
    }
    if (node.kind === "alt") {
      const each = node.nodes.map((branch) => this.begin(branch));
      return [
        each.reduce((sum, branch) => sum + Math.max(1, branch.ways), 1),
        each.reduce((sum, branch) => sum + branch.work, elements(node)),
      ];
    }
    if (node.kind === "repeat") {
      const isNullable = this.facts.isNullable(node.node);
      if (isNullable && node.max === Infinity)
        throw new GrammarProblem("repeats without end something that may be empty");
      const { ways, work } = this.begin(node.node);
      const times = isNullable ? node.max : 1;
      return [1 + ways * times, (work + elements(node.node) + 2) * times];
    }
    if (node.kind !== "seq") return [0, 0];
    let [ways, work] = [0, 0];
    for (const each of node.nodes) {
      const inner = this.begin(each);
      ways += inner.ways;
      work += inner.work;
      if (!this.facts.isNullable(each)) break;
    }
    return [ways, work];
  }
}

/**
 * Refuses a grammar that is not fit for llama.cpp: no `root`, undefined rules, left recursion, too much of anything, ambiguous nesting, or no end.
 *
 * @throws {GrammarProblem} with what is wrong.
 */
export function checkGrammar(grammar: Grammar): void {
  if (!grammar.has("root")) throw new GrammarProblem("has no rule named root");
  if (grammar.size > MAX_RULES) throw new GrammarProblem(`has more than ${MAX_RULES} rules`);
  let size = 0;
  for (const [name, node] of grammar) {
    references(node, (target) => {
      if (!grammar.has(target))
        throw new GrammarProblem(`uses rule ${target} in rule ${name}, but does not define it`);
    });
    size += elements(node);
    if (size > MAX_ELEMENTS)
      throw new GrammarProblem(
        `grows to more than ${MAX_ELEMENTS} elements when its repetitions are written out`,
      );
  }
  const facts = new Facts(grammar);
  if (facts.productive.get("root") !== true)
    throw new GrammarProblem("can never come to an end: every way through it needs itself again");
  const leftmost = new Leftmost(grammar, facts);
  let work = 0;
  for (const [name, node] of grammar) {
    work += leftmost.of(name).work + leftmost.inside(node);
    if (work > MAX_WORK) throw new GrammarProblem("has too many ways to begin its rules");
  }
  refuseDoubling(grammar);
}
