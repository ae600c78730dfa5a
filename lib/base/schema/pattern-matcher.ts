// Matches patterns in time linear in the text: a nondeterministic automaton whose states are all
// followed at once.
import { holds } from "../code-ranges.js";
import { readPattern, setHas, WORD, type CharacterSet } from "./pattern.js";
import { PatternStates, type PatternState } from "./pattern-states.js";

/** A check exceeded its limit of steps. */
export class StepLimitError extends Error {}

/** The remaining steps of a check; shared by all its parts. */
export class Steps {
  constructor(private left: number) {}

  /** @throws {StepLimitError} */
  take(count: number): void {
    this.left -= count;
    if (this.left < 0) throw new StepLimitError("takes too many steps to check");
  }
}

/** Maximum states of one pattern, with repetitions expanded. */
const MAX_STATES = 20_000;

/**
 * Checks whether a pattern matches anywhere in a text. Created once per pattern, used for many
 * texts.
 */
export class PatternMatcher {
  private readonly states: readonly PatternState<CharacterSet>[];
  private readonly start: number;
  /** For each state, the last position at which it was entered. */
  private readonly entered: Float64Array;
  private round = 0;

  /**
   * @throws {PatternProblem} when the pattern cannot be read, or is too large with repetitions
   * expanded.
   */
  constructor(source: string) {
    const states = new PatternStates<CharacterSet>(
      (set) => set,
      MAX_STATES,
      `is too large: it has more than ${MAX_STATES} states with its repetitions expanded`,
    );
    const end = states.add({ kind: "match", pattern: 0 });
    this.start = states.build(readPattern(source), end);
    this.states = states.all;
    this.entered = new Float64Array(this.states.length);
  }

  /** Number of states, for callers that limit their sum. */
  get size(): number {
    return this.states.length;
  }

  /** @throws {StepLimitError} when the step limit is reached. */
  matches(text: string, steps: Steps): boolean {
    const [current, following]: [number[], number[]] = [[], []];
    const stack: number[] = [];
    let at = 0;
    let before = -1;
    for (;;) {
      const code = text.codePointAt(at) ?? -1;
      this.round++;
      // The states that have read the last character, and a new start at this position.
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
