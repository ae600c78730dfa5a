// Reads GBNF into a tree, as llama.cpp's parser does, so that hostile grammars are told before native code sees them. Pure; runs on any JavaScript thread.
import {
  alt,
  charRanges,
  invert,
  LAST_CODE_POINT,
  text,
  type CodeRange,
  type Grammar,
  type GrammarNode,
} from "./grammar.js";

/** Deepest nesting of groups: llama.cpp's parser recurses into them. */
const MAX_NESTING = 64;

/** Thrown with the place of a mistake. */
export class GrammarSyntaxError extends Error {}

const ESCAPES: Readonly<Record<string, string>> = {
  t: "\t",
  r: "\r",
  n: "\n",
  "\\": "\\",
  '"': '"',
  "[": "[",
  "]": "]",
  "-": "-",
};
const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

class Parser {
  private at = 0;
  private nesting = 0;
  readonly rules = new Map<string, GrammarNode>();

  constructor(private readonly source: string) {}

  parse(): Grammar {
    this.space(true);
    while (this.at < this.source.length) {
      const name = this.name();
      this.space(false);
      if (!this.source.startsWith("::=", this.at)) this.fail("expected ::=");
      this.at += 3;
      this.space(true);
      if (this.rules.has(name)) this.fail(`rule ${name} is defined twice`);
      this.rules.set(name, this.alternates(false));
      if (this.at < this.source.length && !/[\r\n]/.test(this.source[this.at] ?? ""))
        this.fail("expected the end of the line");
      this.space(true);
    }
    return this.rules;
  }

  private fail(problem: string): never {
    const before = this.source.slice(0, this.at);
    const line = before.split("\n").length;
    throw new GrammarSyntaxError(
      `${problem} at line ${line}, column ${this.at - before.lastIndexOf("\n")}`,
    );
  }

  private space(isMultiline: boolean): void {
    for (;;) {
      const character = this.source[this.at];
      if (character === "#")
        while (this.at < this.source.length && !/[\r\n]/.test(this.source[this.at] ?? ""))
          this.at++;
      else if (
        character === " " ||
        character === "\t" ||
        (isMultiline && (character === "\n" || character === "\r"))
      )
        this.at++;
      else return;
    }
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private name(): string {
    return this.match(/[A-Za-z0-9-]+/y) ?? this.fail("expected a name of letters, digits and -");
  }

  private alternates(isNested: boolean): GrammarNode {
    const nodes = [this.sequence(isNested)];
    while (this.source[this.at] === "|") {
      this.at++;
      this.space(true);
      nodes.push(this.sequence(isNested));
    }
    return alt(...nodes);
  }

  private sequence(isNested: boolean): GrammarNode {
    const nodes: GrammarNode[] = [];
    for (let node = this.symbol(); node !== undefined; node = this.symbol()) {
      this.space(isNested);
      for (let times = this.times(isNested); times !== undefined; times = this.times(isNested))
        node = { kind: "repeat", node, min: times[0], max: times[1] };
      nodes.push(node);
    }
    return { kind: "seq", nodes };
  }

  private symbol(): GrammarNode | undefined {
    const character = this.source[this.at] ?? "";
    if (character === '"') return this.literal();
    if (character === "[") return this.set();
    if (character === "<" || character === "!")
      return {
        kind: "token",
        source: this.match(/!?<(\[\d{1,10}\]|[^>]*)>/y) ?? this.fail("expected a token in <>"),
      };
    if (character === "(") {
      if (++this.nesting > MAX_NESTING)
        this.fail(`groups are nested more than ${MAX_NESTING} deep`);
      this.at++;
      this.space(true);
      const node = this.alternates(true);
      if (this.source[this.at] !== ")") this.fail("expected )");
      this.at++;
      this.nesting--;
      // A group stays one symbol, as in llama.cpp, where it becomes a rule of its own.
      return node.kind === "alt" ? node : { kind: "alt", nodes: [node] };
    }
    if (character === ".") {
      this.at++;
      return charRanges([[0, LAST_CODE_POINT]]);
    }
    return /[A-Za-z0-9-]/.test(character) ? { kind: "ref", name: this.name() } : undefined;
  }

  private times(isNested: boolean): [number, number] | undefined {
    const character = this.source[this.at];
    const simple =
      character === "*"
        ? ([0, Infinity] as const)
        : character === "+"
          ? ([1, Infinity] as const)
          : character === "?"
            ? ([0, 1] as const)
            : undefined;
    if (simple !== undefined) {
      this.at++;
      this.space(isNested);
      return [...simple];
    }
    if (character !== "{") return undefined;
    const found = /\{\s*(\d{1,9})\s*(,\s*(\d{1,9})?\s*)?\}/y;
    found.lastIndex = this.at;
    const parts = found.exec(this.source);
    if (parts === null) this.fail("expected {m}, {m,} or {m,n}");
    this.at += parts[0].length;
    this.space(isNested);
    const min = Number(parts[1]);
    const max = parts[2] === undefined ? min : parts[3] === undefined ? Infinity : Number(parts[3]);
    if (max < min) this.fail("the repetition's end is below its start");
    return [min, max];
  }

  private character(): number {
    const code = this.source.codePointAt(this.at);
    if (code === undefined || code === 0) this.fail("unexpected end");
    const character = String.fromCodePoint(code);
    this.at += character.length;
    if (character !== "\\") return code;
    const escape = this.source[this.at++] ?? "";
    const length = HEX_LENGTH[escape];
    if (length === undefined) return (ESCAPES[escape] ?? this.fail("unknown escape")).charCodeAt(0);
    const hex = this.source.slice(this.at, this.at + length);
    if (!new RegExp(`^[0-9A-Fa-f]{${length}}$`).test(hex))
      this.fail(`expected ${length} hex digits`);
    this.at += length;
    const value = parseInt(hex, 16);
    return value <= LAST_CODE_POINT ? value : this.fail("there is no such character");
  }

  private literal(): GrammarNode {
    this.at++;
    let value = "";
    while (this.source[this.at] !== '"') value += String.fromCodePoint(this.character());
    this.at++;
    return text(value);
  }

  private set(): GrammarNode {
    this.at++;
    const isInverted = this.source[this.at] === "^";
    if (isInverted) this.at++;
    const ranges: CodeRange[] = [];
    while (this.source[this.at] !== "]") {
      const from = this.character();
      const isRange = this.source[this.at] === "-" && this.source[this.at + 1] !== "]";
      if (isRange) this.at++;
      ranges.push([from, isRange ? this.character() : from]);
    }
    this.at++;
    return charRanges(isInverted ? invert(ranges) : ranges);
  }
}

/**
 * Reads a grammar.
 *
 * @throws {GrammarSyntaxError} with line and column.
 */
export function parseGrammar(source: string): Grammar {
  return new Parser(source).parse();
}
