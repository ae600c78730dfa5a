// Parses ECMA-262 regular expressions with the flag u into trees, so that they can be matched in
// linear time and converted to grammars.
import { holds, invert, joinRanges, LAST_CODE_POINT, type CodeRange } from "../code-ranges.js";

/** A pattern that cannot be parsed; the message is the rest of a sentence about it. */
export class PatternProblem extends Error {}

/** A set of characters: ranges and Unicode properties, or all characters except these. */
export interface CharacterSet {
  readonly ranges: readonly CodeRange[];
  /** Each matches one character of a property. */
  readonly properties: readonly RegExp[];
  readonly isInverted: boolean;
}

/** A node of a pattern. `boundary` is `\b` or, if `isInverted`, `\B`. */
export type PatternNode =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "seq"; readonly nodes: readonly PatternNode[] }
  | { readonly kind: "alt"; readonly nodes: readonly PatternNode[] }
  | {
      readonly kind: "repeat";
      readonly node: PatternNode;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "boundary"; readonly isInverted: boolean };

const DIGIT: readonly CodeRange[] = [[0x30, 0x39]];
/** The characters that `\w` matches. */
export const WORD: readonly CodeRange[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACE: readonly CodeRange[] = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_ENDS: readonly CodeRange[] = [
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
];
const CLASSES: Readonly<Record<string, readonly CodeRange[]>> = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: invert(DIGIT),
  W: invert(WORD),
  S: invert(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11 };

const MAX_NESTING = 100;
/** Maximum length of a pattern. Unit: UTF-16 code units. */
const MAX_LENGTH = 16_384;

/** Whether a set contains a character. */
export function setHas(set: CharacterSet, code: number): boolean {
  const isIn =
    holds(set.ranges, code) ||
    (set.properties.length > 0 &&
      set.properties.some((property) => property.test(String.fromCodePoint(code))));
  return isIn !== set.isInverted;
}

/**
 * Returns all characters of a set. Checks every code point when the set names Unicode properties:
 * tens of milliseconds.
 */
export function setRanges(set: CharacterSet): readonly CodeRange[] {
  if (set.properties.length === 0) return set.isInverted ? invert(set.ranges) : set.ranges;
  const found: [number, number][] = [];
  for (let code = 0; code <= LAST_CODE_POINT; code++) {
    if (!setHas(set, code)) continue;
    const last = found.at(-1);
    if (last?.[1] === code - 1) last[1] = code;
    else found.push([code, code]);
  }
  return found;
}

/** The meaning of an escape or a member of a set. */
type Member = { readonly ranges: readonly CodeRange[] } | { readonly property: RegExp };

const single = (code: number): Member => ({ ranges: [[code, code]] });
const plainSet = (ranges: readonly CodeRange[]): PatternNode => ({
  kind: "set",
  set: { ranges: joinRanges(ranges), properties: [], isInverted: false },
});

class PatternReader {
  private at = 0;
  private depth = 0;

  constructor(private readonly source: string) {}

  read(): PatternNode {
    const node = this.alternatives();
    if (this.at < this.source.length) this.fail(`has an unexpected ${this.peek()}`);
    return node;
  }

  private fail(problem: string): never {
    throw new PatternProblem(`${problem} (at character ${this.at + 1})`);
  }

  private peek(): string {
    const point = this.source.codePointAt(this.at);
    return point === undefined ? "" : String.fromCodePoint(point);
  }

  private next(): string {
    const character = this.peek();
    if (character === "") this.fail("ends too early");
    this.at += character.length;
    return character;
  }

  private eat(token: string): boolean {
    if (!this.source.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  /** Consumes what a sticky expression matches at this position. */
  private take(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.source);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  private alternatives(): PatternNode {
    if (++this.depth > MAX_NESTING) this.fail(`nests groups more than ${MAX_NESTING} deep`);
    const nodes = [this.sequence()];
    while (this.eat("|")) nodes.push(this.sequence());
    this.depth--;
    return nodes.length === 1 ? (nodes[0] as PatternNode) : { kind: "alt", nodes };
  }

  private sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    while (this.at < this.source.length && !"|)".includes(this.peek()))
      nodes.push(this.quantified(this.atom()));
    return nodes.length === 1 ? (nodes[0] as PatternNode) : { kind: "seq", nodes };
  }

  private quantified(node: PatternNode): PatternNode {
    let [min, max] = [0, Infinity];
    if (this.eat("+")) min = 1;
    else if (this.eat("?")) max = 1;
    else if (!this.eat("*")) {
      const times = this.take(/\{(\d+)(,(\d+)?)?\}/y);
      if (times === null) return node;
      min = Number(times[1]);
      max = times[2] === undefined ? min : times[3] === undefined ? Infinity : Number(times[3]);
    }
    // Greedy or lazy makes no difference to whether a pattern matches.
    this.eat("?");
    if (node.kind !== "set" && node.kind !== "seq" && node.kind !== "alt" && node.kind !== "repeat")
      this.fail("repeats an assertion");
    return { kind: "repeat", node, min, max };
  }

  private atom(): PatternNode {
    const character = this.next();
    switch (character) {
      case "(":
        return this.group();
      case "[":
        return this.set();
      case ".":
        return plainSet(invert(LINE_ENDS));
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "\\": {
        if (this.eat("b")) return { kind: "boundary", isInverted: false };
        if (this.eat("B")) return { kind: "boundary", isInverted: true };
        const member = this.escape();
        return "ranges" in member
          ? plainSet(member.ranges)
          : {
              kind: "set",
              set: { ranges: [], properties: [member.property], isInverted: false },
            };
      }
      default:
        if ("*+?{}]".includes(character)) this.fail(`has a stray ${character}`);
        return plainSet([[character.codePointAt(0) ?? 0, character.codePointAt(0) ?? 0]]);
    }
  }

  private group(): PatternNode {
    if (this.eat("?") && !this.eat(":")) {
      if (this.take(/<[\p{ID_Start}$_][\p{ID_Continue}$]*>/uy) === null)
        this.fail(
          /^<?[=!]/.test(this.source.slice(this.at, this.at + 2))
            ? "uses look-ahead or look-behind"
            : "has a group with modifiers",
        );
    }
    const node = this.alternatives();
    if (!this.eat(")")) this.fail("has a group that is not closed");
    // Kept as a group, so that a repetition of an inner assertion is not mistaken for one outside.
    return node.kind === "seq" || node.kind === "alt" ? node : { kind: "seq", nodes: [node] };
  }

  private escape(): Member {
    const character = this.next();
    const known = CLASSES[character];
    if (known !== undefined) return { ranges: known };
    const control = CONTROLS[character];
    if (control !== undefined) return single(control);
    if (character === "0" && !/\d/.test(this.peek())) return single(0);
    if (/[1-9k]/.test(character)) this.fail("has a back reference");
    if (character === "c") {
      const letter = this.take(/[A-Za-z]/y) ?? this.fail("has an unsupported escape");
      return single(letter[0].charCodeAt(0) % 32);
    }
    if (character === "x") {
      const hex = this.take(/[0-9A-Fa-f]{2}/y) ?? this.fail("has an unsupported escape");
      return single(parseInt(hex[0], 16));
    }
    if (character === "u") {
      const pair = this.take(/([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})/y);
      if (pair !== null)
        return single(
          0x10000 +
            ((parseInt(pair[1] as string, 16) & 0x3ff) << 10) +
            (parseInt(pair[2] as string, 16) & 0x3ff),
        );
      const hex =
        this.take(/([0-9A-Fa-f]{4})|\{0*([0-9A-Fa-f]{1,6})\}/y) ??
        this.fail("has an unsupported escape");
      const code = parseInt(hex[1] ?? hex[2] ?? "", 16);
      if (code > LAST_CODE_POINT) this.fail("has an unsupported escape");
      return single(code);
    }
    if (character === "p" || character === "P") {
      const name = this.take(/\{[A-Za-z0-9_=]{1,60}\}/y);
      try {
        if (name !== null) return { property: new RegExp(`\\${character}${name[0]}`, "u") };
      } catch {
        // Reported below.
      }
      return this.fail("names an unknown Unicode property");
    }
    if (/[A-Za-z0-9]/.test(character)) this.fail(`uses \\${character}`);
    return single(character.codePointAt(0) ?? 0);
  }

  private set(): PatternNode {
    const isInverted = this.eat("^");
    const ranges: CodeRange[] = [];
    const properties: RegExp[] = [];
    while (!this.eat("]")) {
      const from = this.setMember();
      if (!("ranges" in from)) {
        properties.push(from.property);
        continue;
      }
      const first = from.ranges[0];
      const isSingle = from.ranges.length === 1 && first?.[0] === first?.[1];
      if (isSingle && this.peek() === "-" && this.source[this.at + 1] !== "]") {
        this.at++;
        const to = this.setMember();
        const last = "ranges" in to && to.ranges.length === 1 ? to.ranges[0] : undefined;
        const low = first?.[0] ?? 0;
        if (last === undefined || last[0] !== last[1] || last[0] < low)
          this.fail("has an invalid range");
        ranges.push([low, last[0]]);
      } else ranges.push(...from.ranges);
    }
    return { kind: "set", set: { ranges: joinRanges(ranges), properties, isInverted } };
  }

  private setMember(): Member {
    const character = this.next();
    if (character !== "\\") return single(character.codePointAt(0) ?? 0);
    return this.eat("b") ? single(8) : this.escape();
  }
}

/**
 * Parses a pattern.
 *
 * @throws {PatternProblem} when it is not a regular expression, uses look-around, back references
 * or modifiers, or is too long or too deep.
 */
export function readPattern(source: string): PatternNode {
  if (source.length > MAX_LENGTH)
    throw new PatternProblem(`is longer than ${MAX_LENGTH} characters`);
  const isExpression = (flags: string): boolean => {
    try {
      new RegExp(source, flags);
      return true;
    } catch {
      return false;
    }
  };
  // Also accepted without the flag, for escapes such as `\-`, which are common.
  if (!isExpression("u") && !isExpression(""))
    throw new PatternProblem("is not a regular expression");
  return new PatternReader(source).read();
}
