// Groups the names of an object's properties by the patterns that they match. One automaton follows
// all patterns at once, and each set of patterns gets the grammar of the names that match exactly
// these. Pure, except that it adds rules.
import { holds, intersect, type CodeRange } from "../../base/code-ranges.js";
import {
  PatternProblem,
  readPattern,
  setRanges,
  type CharacterSet,
} from "../../base/schema/pattern.js";
import { PatternStates, type PatternState } from "../../base/schema/pattern-states.js";
import { alt, charRanges, seq, text, type GrammarNode } from "../grammar.js";
import { JSON_ESCAPES } from "./pattern.js";
import { BARE } from "./string.js";

/** Names that match the same patterns. */
export interface NameGroup {
  /** Whether the names match the pattern of an index. */
  readonly matches: (pattern: number) => boolean;
  /** Such a name as JSON writes it, quotes included. */
  readonly node: GrammarNode;
}

/** How rules that refer to each other are added: a reference first, its rule later. */
export type DeclareRule = () => readonly [
  reference: GrammarNode,
  define: (node: GrammarNode) => void,
];

/** Most places of all patterns together, repetitions written out. */
const MAX_PLACES = 20_000;
/** Most states, each a rule or several. */
const MAX_STATES = 4000;
/** Most patterns of one object. */
const MAX_PATTERNS = 24;
/** Most ranges of characters that are looked at. */
const MAX_WORK = 1_000_000;

type Place = PatternState<readonly CodeRange[]>;

/** The places of some patterns, each a nondeterministic automaton. */
class Places extends PatternStates<readonly CodeRange[]> {
  constructor() {
    const known = new Map<CharacterSet, readonly CodeRange[]>();
    const rangesOf = (set: CharacterSet): readonly CodeRange[] => {
      const ranges = known.get(set) ?? setRanges(set);
      known.set(set, ranges);
      return ranges;
    };
    super(rangesOf, MAX_PLACES, "is too large beside the others, its repetitions written out");
  }

  override add(place: Place): number {
    if (place.kind === "boundary" || place.kind === "inside")
      throw new PatternProblem("uses a word boundary, which a grammar cannot keep");
    return super.add(place);
  }

  literal(name: string, next: number): number {
    const codes = Array.from(name, (character) => character.codePointAt(0) ?? 0);
    const end = this.add({ kind: "end", next });
    const body = codes.reduceRight(
      (after, code) => this.add({ kind: "set", set: [[code, code]], next: after }),
      end,
    );
    return this.add({ kind: "start", next: body });
  }
}

/** A state: places whose characters may come next, and the patterns that have matched already. */
interface State {
  readonly waiting: readonly number[];
  readonly matched: number;
  /** The patterns that match when the name ends here. */
  atEnd: number;
  readonly moves: { ranges: readonly CodeRange[]; to: number }[];
}

class Automaton {
  readonly states: State[] = [];
  private readonly known = new Map<string, number>();
  private work = 0;

  /**
   * @param starts - Where each pattern begins, in any place of a name.
   * @param first - Where texts begin that only a whole name is.
   */
  constructor(
    private readonly places: readonly Place[],
    private readonly starts: readonly number[],
    first: readonly number[],
    private readonly count: (work: number) => void,
  ) {
    this.enter([...starts, ...first], 0, true);
    for (let i = 0; i < this.states.length; i++) this.move(this.states[i] as State);
  }

  /** Follows what reads no character. */
  private close(
    from: readonly number[],
    isStart: boolean,
    isEnd: boolean,
  ): { waiting: number[]; matched: number } {
    const seen = new Set<number>();
    const waiting: number[] = [];
    let matched = 0;
    const todo = [...from];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      const place = this.places[at] as Place;
      if (place.kind === "set") waiting.push(at);
      else if (place.kind === "match") matched |= 1 << place.pattern;
      else if (place.kind === "split") todo.push(place.next, place.other);
      else if (place.kind === "start" ? isStart : isEnd) todo.push(place.next);
    }
    return { waiting: waiting.sort((a, b) => a - b), matched };
  }

  private enter(from: readonly number[], before: number, isStart: boolean): number {
    const { waiting, matched } = this.close(from, isStart, false);
    const all = before | matched;
    const atEnd = all | this.close(from, isStart, true).matched;
    const key = `${waiting.join()} ${all} ${atEnd}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.states.length >= MAX_STATES)
      throw new PatternProblem("takes too many rules to tell names apart");
    this.known.set(key, this.states.length);
    return this.states.push({ waiting, matched: all, atEnd, moves: [] }) - 1;
  }

  /** Where each character leads. */
  private move(state: State): void {
    const sets = state.waiting.map((at) => this.places[at] as Extract<Place, { kind: "set" }>);
    // Between two cuts all characters lead to the same places.
    const cuts = new Set<number>([0, 0x110000]);
    for (const { set } of sets)
      for (const [from, to] of set) {
        cuts.add(from);
        cuts.add(to + 1);
      }
    const sorted = [...cuts].sort((a, b) => a - b);
    const work = sorted.length * (sets.length + 1);
    this.count(1 + (work >> 8));
    this.work += work;
    if (this.work > MAX_WORK) throw new PatternProblem("takes too much work to tell names apart");
    const byTarget = new Map<number, CodeRange[]>();
    for (let i = 0; i + 1 < sorted.length; i++) {
      const [from, to] = [sorted[i] as number, (sorted[i + 1] as number) - 1];
      const next = sets.filter(({ set }) => holds(set, from)).map((place) => place.next);
      const starts = this.starts.filter((_, pattern) => (state.matched & (1 << pattern)) === 0);
      const target = this.enter([...next, ...starts], state.matched, false);
      byTarget.set(target, [...(byTarget.get(target) ?? []), [from, to]]);
    }
    for (const [to, ranges] of byTarget) state.moves.push({ ranges, to });
  }
}

/**
 * One character of a name out of ranges, as JSON writes it; the rest of the control characters is
 * left out.
 */
function character(ranges: readonly CodeRange[]): GrammarNode | undefined {
  const bare = intersect(ranges, BARE);
  const ways: GrammarNode[] = bare.length > 0 ? [charRanges(bare)] : [];
  for (const [one, written] of JSON_ESCAPES)
    if (holds(ranges, one.charCodeAt(0))) ways.push(text(written));
  return ways.length === 0 ? undefined : alt(...ways);
}

/** The rules of the names that end with just some patterns matched; undefined where none does. */
function groupNode(
  states: readonly State[],
  label: number,
  declare: DeclareRule,
): GrammarNode | undefined {
  // From which states such an end can be reached.
  const into = states.map((): number[] => []);
  states.forEach(({ moves }, from) => {
    for (const { ranges, to } of moves) if (character(ranges) !== undefined) into[to]?.push(from);
  });
  const live = new Set<number>();
  const todo = states.flatMap(({ atEnd }, i) => (atEnd === label ? [i] : []));
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    if (live.has(at)) continue;
    live.add(at);
    todo.push(...(into[at] ?? []));
  }
  if (!live.has(0)) return undefined;
  const rules = new Map([...live].map((at) => [at, declare()] as const));
  for (const [at, [, define]] of rules) {
    const state = states[at] as State;
    const ways = state.moves.flatMap(({ ranges, to }) => {
      const next = rules.get(to)?.[0];
      const one = next === undefined ? undefined : character(ranges);
      return next === undefined || one === undefined ? [] : [seq(one, next)];
    });
    if (state.atEnd === label) ways.push(text('"'));
    define(alt(...ways));
  }
  return seq(text('"'), (rules.get(0) as readonly [GrammarNode, unknown])[0]);
}

/**
 * Splits all names but some by the patterns that match them.
 *
 * @param wanted - Whether names that match these patterns are needed; others get no rules.
 * @param count - Counts work while it is done; what it throws ends it.
 * @throws {PatternProblem} for what no automaton follows, or one that is too large.
 */
export function nameGroups(
  patterns: readonly string[],
  but: readonly string[],
  declare: DeclareRule,
  wanted: (matches: (pattern: number) => boolean) => boolean,
  count: (work: number) => void,
): NameGroup[] {
  if (patterns.length > MAX_PATTERNS)
    throw new PatternProblem(`is one of more than ${MAX_PATTERNS} patterns for names`);
  const places = new Places();
  const starts = patterns.map((source, i) =>
    places.build(readPattern(source), places.add({ kind: "match", pattern: i })),
  );
  // The names that are left out count as one pattern more.
  const excluded = places.add({ kind: "match", pattern: patterns.length });
  const first = but.map((name) => places.literal(name, excluded));
  const { states } = new Automaton(places.all, starts, first, count);
  const isExcluded = (label: number): boolean => (label & (1 << patterns.length)) !== 0;
  return [...new Set(states.map(({ atEnd }) => atEnd))].flatMap((label) => {
    const matches = (pattern: number): boolean => (label & (1 << pattern)) !== 0;
    if (isExcluded(label) || !wanted(matches)) return [];
    const node = groupNode(states, label, declare);
    return node === undefined ? [] : [{ matches, node }];
  });
}
