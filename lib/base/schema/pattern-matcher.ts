// Matches patterns in time linear in the text: a nondeterministic automaton, all its states
// followed at once. Pure but for its counters.
import { holds } from "../code-ranges.js";
import { readPattern, setHas, WORD, type CharacterSet } from "./pattern.js";
import { PatternStates, type PatternState } from "./pattern-states.js";

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

/** Whether a pattern fits somewhere in a text. Made once for a pattern, used for many texts. */
export class PatternMatcher {
  private readonly states: readonly PatternState<CharacterSet>[];
  private readonly start: number;
  /** For each state, the last position at which it was entered. */
  private readonly entered: Float64Array;
  private round = 0;

  /**
   * @throws {PatternProblem} when the pattern cannot be read, or is too large when its repetitions
   * are written out.
   */
  constructor(source: string) {
    const states = new PatternStates<CharacterSet>(
      (set) => set,
      MAX_STATES,
      `is too large: it has more than ${MAX_STATES} places when its repetitions are written out`,
    );
    const end = states.add({ kind: "match", pattern: 0 });
    this.start = states.build(readPattern(source), end);
    this.states = states.all;
    this.entered = new Float64Array(this.states.length);
  }

  /** States, for those who keep many. */
  get size(): number {
    return this.states.length;
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
        const one = this.states[state] as PatternState<CharacterSet>;
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
