// Grammars from strangers: valid ones, whose texts a slow plain matcher checks, and hostile ones,
// which must end in an answer or in GRAMMAR_INVALID without holding the event loop.
import { R1Error, loadModel } from "../../dist/index.js";

const LETTERS = ["a", "b", "c", "1", " ", "é", "中"];

/**
 * A random tree over rules r0..r{count - 1}; rules refer to later ones, or to any behind a letter.
 */
function randomNode(pick, rule, count, depth) {
  const node = (below) => randomNode(pick, rule, count, below);
  const kinds = depth > 2 ? 2 : 7;
  switch (pick(kinds)) {
    case 0:
      return { kind: "text", text: LETTERS[pick(LETTERS.length)] };
    case 1: {
      const members = new Set([LETTERS[pick(LETTERS.length)], LETTERS[pick(LETTERS.length)]]);
      return { kind: "set", members: [...members] };
    }
    case 2:
    case 3:
      return { kind: "seq", nodes: [node(depth + 1), node(depth + 1)] };
    case 4:
      return { kind: "alt", nodes: [node(depth + 1), node(depth + 1)] };
    case 5: {
      const min = pick(3);
      return {
        kind: "repeat",
        node: node(depth + 1),
        min,
        max: pick(2) ? Infinity : min + pick(4),
      };
    }
    default:
      return rule + 1 < count && pick(2)
        ? { kind: "ref", name: `r${rule + 1 + pick(count - rule - 1)}` }
        : {
            kind: "seq",
            nodes: [
              { kind: "text", text: "a" },
              {
                kind: "alt",
                nodes: [
                  { kind: "ref", name: `r${pick(count)}` },
                  { kind: "text", text: "b" },
                ],
              },
            ],
          };
  }
}

function print(node) {
  switch (node.kind) {
    case "text":
      return `"${node.text}"`;
    case "set":
      return `[${node.members.join("")}]`;
    case "ref":
      return node.name;
    case "seq":
      return `(${node.nodes.map(print).join(" ")})`;
    case "alt":
      return `(${node.nodes.map(print).join(" | ")})`;
    default:
      return `(${print(node.node)}){${node.min},${node.max === Infinity ? "" : node.max}}`;
  }
}

/**
 * Whether the rules hold a text: a set of ends for each rule and place, grown until nothing
 * changes.
 */
function holds(rules, text) {
  const known = new Map();
  let hasChanged = true;
  const ends = (node, at) => {
    switch (node.kind) {
      case "text":
        return new Set(text.startsWith(node.text, at) ? [at + node.text.length] : []);
      case "set":
        return new Set(node.members.includes(text[at]) ? [at + 1] : []);
      case "ref":
        return rule(node.name, at);
      case "alt":
        return new Set(node.nodes.flatMap((each) => [...ends(each, at)]));
      case "seq":
        return node.nodes.reduce(
          (places, each) => new Set([...places].flatMap((place) => [...ends(each, place)])),
          new Set([at]),
        );
      default: {
        const found = new Set(node.min === 0 ? [at] : []);
        let places = new Set([at]);
        for (let i = 1; i <= Math.min(node.max, text.length + node.min + 1); i++) {
          places = new Set([...places].flatMap((place) => [...ends(node.node, place)]));
          if (i >= node.min) for (const place of places) found.add(place);
        }
        return found;
      }
    }
  };
  const open = new Set();
  const done = new Set();
  const rule = (name, at) => {
    const key = `${name} ${at}`;
    if (!known.has(key)) known.set(key, new Set());
    if (open.has(key) || done.has(key)) return known.get(key);
    open.add(key);
    const before = known.get(key).size;
    for (const end of ends(rules.get(name), at)) known.get(key).add(end);
    hasChanged ||= known.get(key).size > before;
    open.delete(key);
    done.add(key);
    return known.get(key);
  };
  let found = false;
  while (hasChanged && !found) {
    hasChanged = false;
    done.clear();
    found = rule("r0", 0).has(text.length);
  }
  return found;
}

const PIECES = [
  "r0",
  "r1",
  "::=",
  "|",
  "(",
  ")",
  "*",
  "+",
  "?",
  "{2}",
  "{0,3}",
  '"a"',
  '"',
  "[a-c]",
  "[",
  "\n",
  " ",
  ".",
  "<",
  "!",
  "#",
  "\\x41",
  "{",
  "é",
  "root ::= r0\n",
];

export async function fuzz({ random, isOver }) {
  const pick = (count) => random.below(count);
  const model = await loadModel({ contextSize: 512, sequences: 1 });
  const failures = [];
  let tried = 0;
  let answered = 0;
  let refused = 0;
  try {
    for (; !isOver(tried); tried++) {
      const isValid = pick(3) > 0;
      const count = 1 + pick(4);
      const rules = new Map(
        Array.from({ length: count }, (_, i) => [`r${i}`, randomNode(pick, i, count, 0)]),
      );
      let grammar = `root ::= r0\n${[...rules].map(([name, node]) => `${name} ::= ${print(node)}`).join("\n")}`;
      if (!isValid) {
        grammar = pick(2)
          ? Array.from({ length: pick(40) }, () => PIECES[pick(PIECES.length)]).join(" ")
          : grammar.slice(0, pick(grammar.length)) +
            PIECES[pick(PIECES.length)] +
            grammar.slice(pick(grammar.length));
        if (grammar.trim() === "") continue;
      }
      const startedAt = performance.now();
      try {
        const { text, finishReason } = await model
          .complete("<｜User｜>x<｜Assistant｜></think>", {
            maxTokens: 24,
            temperature: 3,
            topK: 0,
            seed: tried + 1,
            response: { grammar },
          })
          .result();
        answered++;
        if (isValid && finishReason === "stop" && !holds(rules, text))
          failures.push(
            `${JSON.stringify(grammar)}: ${JSON.stringify(text)} is not in the language`,
          );
      } catch (error) {
        refused++;
        const isExpected =
          error instanceof R1Error &&
          (error.code === "GRAMMAR_INVALID" || error.code === "DECODE_FAILED") &&
          (!isValid || /left recursion|never come|too many|no token/.test(error.message));
        if (!isExpected) failures.push(`${JSON.stringify(grammar)}: ${String(error)}`);
      }
      const took = performance.now() - startedAt;
      if (took > 20_000) failures.push(`${JSON.stringify(grammar)}: took ${Math.round(took)} ms`);
    }
  } finally {
    await model.close();
  }
  return { tried, failures, note: `${answered} answered, ${refused} refused` };
}
