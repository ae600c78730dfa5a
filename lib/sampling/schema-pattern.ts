// Turns the regular expression of a `pattern` into grammar nodes for the inside of a JSON string. Pure; runs on any JavaScript thread.
import {
  alt,
  charRanges,
  empty,
  intersect,
  invert,
  repeat,
  seq,
  text,
  type CodeRange,
  type GrammarNode,
} from "./grammar.js";
import { BARE } from "./schema-string.js";

/** A pattern that cannot be turned into a grammar; the message says what of it. */
export class PatternProblem extends Error {}

/** A node, and how many characters of the string it stands for. */
interface Measured {
  readonly node: GrammarNode;
  readonly min: number;
  readonly max: number;
}

const code = (character: string): number => character.codePointAt(0) ?? 0;
const one = (character: string): CodeRange => [code(character), code(character)];
const DIGIT: readonly CodeRange[] = [[0x30, 0x39]];
const WORD: readonly CodeRange[] = [
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
const CLASSES: Readonly<Record<string, readonly CodeRange[]>> = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: invert(DIGIT),
  W: invert(WORD),
  S: invert(SPACE),
};
const CONTROLS: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  f: "\f",
  v: "\v",
  "0": "\0",
};
/** Characters that JSON writes with a short escape; other control characters are left out of sets and refused on their own. */
const JSON_ESCAPES: readonly [character: string, written: string][] = [
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\b", "\\b"],
  ["\f", "\\f"],
];
const MAX_NESTING = 32;

/** One character out of a set, as a JSON string writes it. */
function member(ranges: readonly CodeRange[]): Measured {
  const bare = intersect(ranges, BARE);
  const ways: GrammarNode[] = bare.length > 0 ? [charRanges(bare)] : [];
  for (const [character, written] of JSON_ESCAPES)
    if (ranges.some(([from, to]) => code(character) >= from && code(character) <= to))
      ways.push(text(written));
  if (ways.length === 0)
    throw new PatternProblem("asks for a character that a JSON string cannot hold simply");
  return { node: alt(...ways), min: 1, max: 1 };
}

const ANYTHING: Measured = { node: repeat(member([[0, 0x10ffff]]).node, 0), min: 0, max: Infinity };

class PatternParser {
  private at = 0;
  private depth = 0;

  constructor(private readonly source: string) {}

  /** The whole pattern; without anchors any text may stand around it. */
  parse(): Measured {
    const branches = [this.branch()];
    while (this.eat("|")) branches.push(this.branch());
    if (this.at < this.source.length) this.fail(`has an unexpected ${this.peek()}`);
    return join(branches);
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

  /** An alternative on the top level, where anchors may stand. */
  private branch(): Measured {
    const isStart = this.eat("^");
    const body = this.sequence();
    const isEnd = this.eat("$");
    return chain([...(isStart ? [] : [ANYTHING]), body, ...(isEnd ? [] : [ANYTHING])]);
  }

  private sequence(): Measured {
    const parts: Measured[] = [];
    while (this.at < this.source.length && !"|)$".includes(this.peek()))
      parts.push(this.quantified(this.atom()));
    return chain(parts);
  }

  private quantified(atom: Measured): Measured {
    let [min, max] = [1, 1];
    if (this.eat("*")) [min, max] = [0, Infinity];
    else if (this.eat("+")) [min, max] = [1, Infinity];
    else if (this.eat("?")) [min, max] = [0, 1];
    else {
      const times = /^\{(\d{1,6})(,(\d{1,6})?)?\}/.exec(this.source.slice(this.at, this.at + 20));
      if (times === null) return atom;
      this.at += times[0].length;
      min = Number(times[1]);
      max = times[2] === undefined ? min : times[3] === undefined ? Infinity : Number(times[3]);
      if (max < min) this.fail("repeats from more to less");
    }
    // Whether a match is the longest or the shortest makes no difference to what matches.
    this.eat("?");
    if (/^[*+?]|^\{\d/.test(this.source.slice(this.at, this.at + 2)))
      this.fail("repeats a repetition");
    if (atom.min === 0 && max === Infinity)
      this.fail("repeats without end something that may be empty");
    return {
      node: repeat(atom.node, min, max),
      min: atom.min * min,
      max: max === 0 ? 0 : atom.max * max,
    };
  }

  private atom(): Measured {
    const character = this.next();
    if (character === "(") return this.group();
    if (character === "[") return member(this.set());
    if (character === ".") return member(invert([one("\n"), one("\r"), [0x2028, 0x2029]]));
    if (character === "^") this.fail("has an anchor inside");
    if ("*+?{}]".includes(character)) this.fail(`has a stray ${character}`);
    return member(character === "\\" ? this.escape() : [one(character)]);
  }

  private group(): Measured {
    if (++this.depth > MAX_NESTING) this.fail(`nests groups more than ${MAX_NESTING} deep`);
    if (this.eat("?") && !this.eat(":")) {
      if (!/^<[A-Za-z_]\w*>/.test(this.source.slice(this.at, this.at + 80)))
        this.fail("looks ahead or behind");
      this.at = this.source.indexOf(">", this.at) + 1;
    }
    const branches = [this.sequence()];
    while (this.eat("|")) branches.push(this.sequence());
    if (this.peek() === "$") this.fail("has an anchor inside a group");
    if (!this.eat(")")) this.fail("has a group without an end");
    this.depth--;
    return join(branches);
  }

  private escape(): CodeRange[] {
    const character = this.next();
    const known = CLASSES[character];
    if (known !== undefined) return [...known];
    const control = CONTROLS[character];
    if (control !== undefined) return [one(control)];
    const lengths: Readonly<Record<string, number>> = { x: 2, u: 4 };
    const length = lengths[character];
    if (length !== undefined) {
      const hex = this.source.slice(this.at, this.at + length);
      if (!new RegExp(`^[0-9A-Fa-f]{${length}}$`).test(hex))
        this.fail("has an escape that is not read");
      this.at += length;
      return [[parseInt(hex, 16), parseInt(hex, 16)]];
    }
    if (/[A-Za-z0-9]/.test(character)) this.fail(`uses \\${character}`);
    return [one(character)];
  }

  private set(): CodeRange[] {
    const isInverted = this.eat("^");
    const ranges: CodeRange[] = [];
    while (!this.eat("]")) {
      const from = this.setMember();
      if (
        from.length === 1 &&
        from[0]?.[0] === from[0]?.[1] &&
        this.peek() === "-" &&
        this.source[this.at + 1] !== "]"
      ) {
        this.at++;
        const to = this.setMember();
        const [low, high] = [from[0]?.[0] ?? 0, to[0]?.[0] ?? 0];
        if (to.length !== 1 || to[0]?.[0] !== to[0]?.[1] || high < low)
          this.fail("has a range that is none");
        ranges.push([low, high]);
      } else ranges.push(...from);
    }
    return isInverted ? invert(ranges) : ranges;
  }

  private setMember(): CodeRange[] {
    const character = this.next();
    if (character !== "\\") return [one(character)];
    return this.eat("b") ? [one("\b")] : this.escape();
  }
}

function chain(parts: readonly Measured[]): Measured {
  return {
    node: seq(...parts.map((part) => part.node)),
    min: parts.reduce((sum, part) => sum + part.min, 0),
    max: parts.reduce((sum, part) => sum + part.max, 0),
  };
}

function join(branches: readonly Measured[]): Measured {
  if (branches.length === 0) return { node: empty, min: 0, max: 0 };
  return {
    node: alt(...branches.map((branch) => branch.node)),
    min: Math.min(...branches.map((branch) => branch.min)),
    max: Math.max(...branches.map((branch) => branch.max)),
  };
}

/**
 * The inside of a JSON string that a pattern matches, and the lengths it can have.
 *
 * @throws {PatternProblem} for look-around, back references, word boundaries, Unicode classes and anchors inside.
 */
export function patternNode(source: string): Measured {
  try {
    new RegExp(source, "u");
  } catch {
    throw new PatternProblem("is no regular expression");
  }
  return new PatternParser(source).parse();
}
