// Matches patterns in time linear in the text: a nondeterministic automaton, all its states
// followed at once. Pure but for its counters.
import { holds } from "../code-ranges.js";
import {
  PatternProblem,
  readPattern,
  setHas,
  WORD,
  type CharacterSet,
  type PatternNode,
} from "./pattern.js";

/** More work than a check may do. */
export class StepLimitError extends Error {}

/** Steps that a check has left; shared by all its parts. */
export class Steps {
  constructor(private left: number) {}

  /** @throws {StepLimitError} */
  take(count: number): void {
    this.left -= count;
    if (this.left < 0) throw new StepLimitError("takes too many steps to check");
  }
}

/** Most states of one pattern, repetitions written out. */
const MAX_STATES = 20_000;

type State =
  | { kind: "set"; set: CharacterSet; next: number }
  | { kind: "split"; next: number; other: number }
  | { kind: "start" | "end" | "inside" | "boundary"; next: number }
  | { kind: "match" };

/** Whether a pattern fits somewhere in a text. Made once for a pattern, used for many texts. */
export class PatternMatcher {
  private readonly states: State[] = [];
  private readonly start: number;
  /** For each state, the last position at which it was entered. */
  private readonly entered: Float64Array;
  private round = 0;

  /**
   * @throws {PatternProblem} when the pattern cannot be read, or is too large when its repetitions
   * are written out.
   */
  constructor(source: string) {
    const end = this.add({ kind: "match" });
    this.start = this.build(readPattern(source), end);
    this.entered = new Float64Array(this.states.length);
  }

  /** States, for those who keep many. */
  get size(): number {
    return this.states.length;
  }

  private add(state: State): number {
    if (this.states.length >= MAX_STATES)
      throw new PatternProblem(
        `is too large: it has more than ${MAX_STATES} places when its repetitions are written out`,
      );
    return this.states.push(state) - 1;
  }

  /** Adds a node that goes on at a state; returns where it begins. */
  private build(node: PatternNode, next: number): number {
    switch (node.kind) {
      case "set":
        return this.add({ kind: "set", set: node.set, next });
      case "seq":
        return node.nodes.reduceRight((after, each) => this.build(each, after), next);
      case "alt":
        return node.nodes
          .map((each) => this.build(each, next))
          .reduceRight((other, each) => this.add({ kind: "split", next: each, other }));
      case "start":
      case "end":
        return this.add({ kind: node.kind, next });
      case "boundary":
        return this.add({ kind: node.isInverted ? "inside" : "boundary", next });
      case "repeat":
        return this.repeat(node.node, node.min, node.max, next);
    }
  }

  private repeat(node: PatternNode, min: number, max: number, next: number): number {
    let after = next;
    if (max === Infinity) {
      const loop: State = { kind: "split", next: 0, other: next };
      after = this.add(loop);
      loop.next = this.build(node, after);
    } else
      for (let i = min; i < max; i++) {
        const before = this.states.length;
        after = this.add({ kind: "split", next: this.build(node, after), other: next });
        // Nothing but this state was added: more copies of nothing change nothing.
        if (this.states.length === before + 1) break;
      }
    for (let i = 0; i < min; i++) {
      const before = this.states.length;
      after = this.build(node, after);
      if (this.states.length === before) break;
    }
    return after;
  }

  /** @throws {StepLimitError} when the steps run out. */
  matches(text: string, steps: Steps): boolean {
    const [current, following]: [number[], number[]] = [[], []];
    const stack: number[] = [];
    let at = 0;
    let before = -1;
    for (;;) {
      const code = text.codePointAt(at) ?? -1;
      this.round++;
      // Those that read the last character, and a new beginning here.
      const isBoundary = isWord(before) !== isWord(code);
      stack.push(this.start);
      for (const state of following) stack.push(state);
      current.length = 0;
      let taken = 1;
      for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
        taken++;
        if (this.entered[state] === this.round) continue;
        this.entered[state] = this.round;
        const one = this.states[state] as State;
        if (one.kind === "match") return true;
        if (one.kind === "set") current.push(state);
        else if (one.kind === "split") stack.push(one.next, one.other);
        else if (
          one.kind === "start"
            ? at === 0
            : one.kind === "end"
              ? code < 0
              : (one.kind === "boundary") === isBoundary
        )
          stack.push(one.next);
      }
      steps.take(taken);
      if (code < 0) return false;
      following.length = 0;
      for (const state of current) {
        const one = this.states[state];
        if (one?.kind === "set" && setHas(one.set, code)) following.push(one.next);
      }
      at += code > 0xffff ? 2 : 1;
      before = code;
    }
  }
}

function isWord(code: number): boolean {
  return code >= 0 && holds(WORD, code);
}
