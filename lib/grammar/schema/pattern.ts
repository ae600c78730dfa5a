// Converts the regular expression of a `pattern` to grammar nodes for the inside of a JSON string.
// Pure.
import type { CodeRange } from "../../base/code-ranges.js";
import { holds, intersect } from "../../base/code-ranges.js";
import {
  PatternProblem,
  readPattern,
  setRanges,
  type CharacterSet,
  type PatternNode,
} from "../../base/schema/pattern.js";
import { alt, charRanges, repeat, seq, text, type GrammarNode } from "../grammar.js";
import { BARE } from "./string.js";

/** A node, and how many characters of the string it stands for. */
interface Measured {
  readonly node: GrammarNode;
  readonly min: number;
  readonly max: number;
}

/** Most times that something is repeated. */
const MAX_REPEAT = 2000;
/**
 * Characters that JSON writes with a short escape; other control characters are left out of sets
 * and refused on their own.
 */
export const JSON_ESCAPES: readonly [character: string, written: string][] = [
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\b", "\\b"],
  ["\f", "\\f"],
];

/** One character out of ranges, as a JSON string writes it. */
function member(ranges: readonly CodeRange[]): Measured {
  const bare = intersect(ranges, BARE);
  const ways: GrammarNode[] = bare.length > 0 ? [charRanges(bare)] : [];
  for (const [character, written] of JSON_ESCAPES)
    if (holds(ranges, character.charCodeAt(0))) ways.push(text(written));
  if (ways.length === 0)
    throw new PatternProblem("asks for a character that a JSON string cannot hold simply");
  return { node: alt(...ways), min: 1, max: 1 };
}

const ANYTHING: Measured = { node: repeat(member([[0, 0x10ffff]]).node, 0), min: 0, max: Infinity };

/**
 * Grammar nodes of one pattern; equal sets are looked up once, since Unicode properties take long.
 */
class Writer {
  private readonly sets = new Map<CharacterSet, Measured>();

  /** A node inside of which no anchor may stand. */
  write(node: PatternNode): Measured {
    switch (node.kind) {
      case "set": {
        let made = this.sets.get(node.set);
        if (made === undefined) this.sets.set(node.set, (made = member(setRanges(node.set))));
        return made;
      }
      case "seq":
        return chain(node.nodes.map((each) => this.write(each)));
      case "alt":
        return join(node.nodes.map((each) => this.write(each)));
      case "repeat": {
        const inner = this.write(node.node);
        const { min, max } = node;
        if (max < min) throw new PatternProblem("repeats from more to less");
        if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT))
          throw new PatternProblem(`repeats something more than ${MAX_REPEAT} times`);
        // What may be empty is repeated by what is not: the texts are the same.
        if (inner.min === 0 && max === Infinity && inner.max > 0)
          throw new PatternProblem("repeats without end something that may be empty");
        return {
          node: repeat(inner.node, min, max),
          min: inner.min * min,
          max: inner.max === 0 || max === 0 ? 0 : inner.max * max,
        };
      }
      case "start":
      case "end":
        throw new PatternProblem("has an anchor inside");
      case "boundary":
        throw new PatternProblem("uses a word boundary, which a grammar cannot keep");
    }
  }

  /**
   * The whole pattern: an alternative on the top level may be anchored, and else any text may stand
   * around it.
   */
  whole(node: PatternNode): Measured {
    if (node.kind === "alt") return join(node.nodes.map((each) => this.whole(each)));
    let nodes = node.kind === "seq" ? [...node.nodes] : [node];
    // A group around everything changes nothing.
    while (nodes.length === 1 && nodes[0]?.kind === "seq") nodes = [...nodes[0].nodes];
    if (nodes.length === 1 && nodes[0]?.kind === "alt") return this.whole(nodes[0]);
    const isStart = nodes[0]?.kind === "start";
    const isEnd = nodes.at(-1)?.kind === "end";
    const body = nodes.slice(isStart ? 1 : 0, isEnd ? -1 : undefined);
    return chain([
      ...(isStart ? [] : [ANYTHING]),
      ...body.map((each) => this.write(each)),
      ...(isEnd ? [] : [ANYTHING]),
    ]);
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
  return {
    node: alt(...branches.map((branch) => branch.node)),
    min: branches.reduce((least, { min }) => Math.min(least, min), Infinity),
    max: branches.reduce((most, { max }) => Math.max(most, max), 0),
  };
}

/**
 * The inside of a JSON string that a pattern matches, and the lengths it can have.
 *
 * @throws {PatternProblem} for look-around, back references, word boundaries and anchors inside.
 */
export function patternNode(source: string): Measured {
  return new Writer().whole(readPattern(source));
}
