// The states of a pattern as a nondeterministic automaton, used by the matcher of texts and by the
// grammar of names.
import { PatternProblem, type CharacterSet, type PatternNode } from "./pattern.js";

/** A state. `S` is the representation of its character set. */
export type PatternState<S> =
  | { readonly kind: "set"; readonly set: S; readonly next: number }
  | { kind: "split"; next: number; other: number }
  | { readonly kind: "start" | "end" | "inside" | "boundary"; readonly next: number }
  | { readonly kind: "match"; readonly pattern: number };

/** States that grow as patterns are added. */
export class PatternStates<S> {
  readonly all: PatternState<S>[] = [];

  /**
   * @param setOf - Returns the representation of a character set.
   * @param most - Maximum states of all patterns together, with repetitions expanded.
   * @param tooLarge - Message of the {@link PatternProblem} beyond that.
   */
  constructor(
    private readonly setOf: (set: CharacterSet) => S,
    private readonly most: number,
    private readonly tooLarge: string,
  ) {}

  /** @throws {PatternProblem} when there would be too many. */
  add(state: PatternState<S>): number {
    if (this.all.length >= this.most) throw new PatternProblem(this.tooLarge);
    return this.all.push(state) - 1;
  }

  /**
   * Adds a node that continues at a state; returns its first state.
   *
   * @throws {PatternProblem} as {@link add}.
   */
  build(node: PatternNode, next: number): number {
    switch (node.kind) {
      case "set":
        return this.add({ kind: "set", set: this.setOf(node.set), next });
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
      const loop: PatternState<S> = { kind: "split", next: 0, other: next };
      after = this.add(loop);
      loop.next = this.build(node, after);
    } else
      for (let i = min; i < max; i++) {
        const before = this.all.length;
        after = this.add({ kind: "split", next: this.build(node, after), other: next });
        // Only this state was added: further copies of an empty node change nothing.
        if (this.all.length === before + 1) break;
      }
    for (let i = 0; i < min; i++) {
      const before = this.all.length;
      after = this.build(node, after);
      if (this.all.length === before) break;
    }
    return after;
  }
}
