// Grammar nodes for JSON strings: of a length, of a format, or other than some texts. Pure.
import {
  alt,
  chars,
  charRanges,
  empty,
  invert,
  never,
  optional,
  repeat,
  seq,
  text,
  type CodeRange,
  type GrammarNode,
} from "../grammar.js";

const code = (character: string): number => character.codePointAt(0) ?? 0;

/** What JSON does not allow bare inside a string, and the delete character. */
const NOT_BARE: readonly CodeRange[] = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x7f, 0x7f],
  [0xd800, 0xdfff],
];

/** Characters that stand for themselves in a JSON string. */
export const BARE: readonly CodeRange[] = invert(NOT_BARE);

const hex = chars(["0", "9"], ["a", "f"], ["A", "F"]);
const digit = chars(["0", "9"]);
const digits = (count: number): GrammarNode => repeat(digit, count, count);

/**
 * An escape: one character each. Halves of surrogate pairs are left out, so that every escape
 * counts as one character and none stands alone.
 */
const escape = seq(
  text("\\"),
  alt(
    charRanges(
      ['"', "\\", "/", "b", "f", "n", "r", "t"].map((character): CodeRange => [
        code(character),
        code(character),
      ]),
    ),
    seq(
      text("u"),
      alt(
        seq(chars(["0", "9"], ["a", "c"], ["A", "C"], "e", "f", "E", "F"), repeat(hex, 3, 3)),
        seq(chars("d", "D"), chars(["0", "7"]), repeat(hex, 2, 2)),
      ),
    ),
  ),
);

/** One character of a JSON string, as it may be written. */
export const CHARACTER: GrammarNode = alt(charRanges(BARE), escape);

/**
 * At most 2000 repetitions are counted; longer strings are made of blocks of this many characters.
 */
const BLOCK = 1000;
const MAX_REPEAT = 2000;

/**
 * Strings of min to max characters, without their quotes; undefined when that is too far to count.
 */
export function lengthNode(
  character: GrammarNode,
  min: number,
  max: number,
): GrammarNode | undefined {
  if (min > MAX_REPEAT || min > max) return undefined;
  if (max === Infinity || max <= MAX_REPEAT) return repeat(character, min, max);
  // Blocks, then less than a block: the few lengths above the last whole block are left out.
  const blocks = Math.min(MAX_REPEAT, Math.floor((max - min + 1) / BLOCK) - 1);
  return seq(
    repeat(character, min, min),
    repeat(repeat(character, BLOCK, BLOCK), 0, blocks),
    repeat(character, 0, BLOCK - 1),
  );
}

/**
 * One of several texts, their common beginnings written once, so that few ways stay open at a time.
 */
export function textsNode(texts: readonly string[]): GrammarNode {
  const sorted = [...new Set(texts)].sort();
  const build = (from: number, to: number, at: number): GrammarNode => {
    if (to - from === 1) return text((sorted[from] as string).slice(at));
    const [first, last] = [sorted[from] as string, sorted[to - 1] as string];
    let end = at;
    while (end < first.length && first[end] === last[end]) end++;
    // Not between the halves of a character.
    if (end > at && isHigh(first.charCodeAt(end - 1))) end--;
    const ways: GrammarNode[] = [];
    let start = from;
    if (first.length === end) {
      ways.push(empty);
      start++;
    }
    for (let i = start; i < to;) {
      const head = String.fromCodePoint((sorted[i] as string).codePointAt(end) ?? 0);
      let next = i + 1;
      while (next < to && sorted[next]?.startsWith(head, end) === true) next++;
      ways.push(build(i, next, end));
      i = next;
    }
    return seq(text(first.slice(at, end)), alt(...ways));
  };
  return sorted.length === 0 ? never : build(0, sorted.length, 0);
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

const range = (from: number, to: number): GrammarNode =>
  alt(...Array.from({ length: to - from + 1 }, (_, i) => text(String(from + i).padStart(2, "0"))));
const fullDate = seq(
  digits(4),
  text("-"),
  alt(
    seq(
      alt(...[1, 3, 5, 7, 8, 10, 12].map((month) => text(String(month).padStart(2, "0")))),
      text("-"),
      range(1, 31),
    ),
    seq(
      alt(...[4, 6, 9, 11].map((month) => text(String(month).padStart(2, "0")))),
      text("-"),
      range(1, 30),
    ),
    seq(text("02-"), range(1, 28)),
  ),
);
const zone = alt(text("Z"), seq(chars("+", "-"), range(0, 23), text(":"), range(0, 59)));
const fullTime = seq(
  range(0, 23),
  text(":"),
  range(0, 59),
  text(":"),
  range(0, 59),
  optional(seq(text("."), repeat(digit, 1, 9))),
  zone,
);
const octet = alt(
  seq(text("25"), chars(["0", "5"])),
  seq(text("2"), chars(["0", "4"]), digit),
  seq(text("1"), digits(2)),
  seq(chars(["1", "9"]), digit),
  digit,
);
const hexes = (count: number): GrammarNode => repeat(hex, count, count);
const alphanumeric = chars(["a", "z"], ["A", "Z"], ["0", "9"]);
// No two hyphens in a row: names that begin with "xn--" mean something else.
const label = seq(alphanumeric, repeat(seq(optional(text("-")), alphanumeric), 0, 20));
// The last label begins with a letter, so that no name reads as an address.
const lastLabel = seq(
  chars(["a", "z"], ["A", "Z"]),
  repeat(seq(optional(text("-")), alphanumeric), 0, 20),
);
const hostname = seq(repeat(seq(label, text(".")), 0, 4), lastLabel);
const path = repeat(chars(["a", "z"], ["A", "Z"], ["0", "9"], "-", "_", ".", "~", "/"), 0, 1000);

/** Supported formats, without the quotes; the grammar writes a subset of what the format allows. */
export const FORMATS: Readonly<Record<string, GrammarNode>> = Object.freeze({
  date: fullDate,
  time: fullTime,
  "date-time": seq(fullDate, text("T"), fullTime),
  uuid: seq(
    hexes(8),
    text("-"),
    hexes(4),
    text("-"),
    hexes(4),
    text("-"),
    hexes(4),
    text("-"),
    hexes(12),
  ),
  ipv4: seq(octet, text("."), octet, text("."), octet, text("."), octet),
  hostname,
  email: seq(
    label,
    repeat(seq(chars(".", "_", "+"), label), 0, 3),
    text("@"),
    repeat(seq(label, text(".")), 1, 4),
    lastLabel,
  ),
  uri: seq(
    text("http"),
    optional(text("s")),
    text("://"),
    hostname,
    optional(seq(text("/"), path)),
  ),
});

/**
 * A string, quotes included, that is none of some texts. It holds no escapes, so that none of them
 * can be spelt another way.
 */
export function stringExcept(texts: readonly string[]): GrammarNode {
  const branch = (members: readonly string[]): GrammarNode => {
    const byFirst = new Map<string, string[]>();
    for (const member of members) {
      const first = [...member][0];
      if (first !== undefined)
        byFirst.set(first, [...(byFirst.get(first) ?? []), member.slice(first.length)]);
    }
    const others = charRanges(
      invert([
        ...NOT_BARE,
        ...[...byFirst.keys()].map((first): CodeRange => [code(first), code(first)]),
      ]),
    );
    const ways: GrammarNode[] = [seq(others, repeat(charRanges(BARE), 0))];
    for (const [first, rests] of byFirst) {
      // A character that must be escaped cannot be written here at all.
      if (BARE.some(([from, to]) => code(first) >= from && code(first) <= to))
        ways.push(seq(text(first), branch(rests)));
    }
    return members.includes("") ? alt(...ways) : alt(empty, ...ways);
  };
  return seq(text('"'), branch(texts), text('"'));
}
