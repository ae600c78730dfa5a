// Claims about grammars from strangers: whatever the text is, there is an answer in its language or
// GRAMMAR_INVALID in words, and neither the event loop nor the engine waits for it.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { R1Error, loadModel, type Model } from "../../lib/index.js";
import { parseGrammar } from "../fixtures/grammar-parse.js";
import { accepts } from "../fixtures/grammar-text.js";

let model: Model;
beforeAll(async () => {
  model = await loadModel({ contextSize: 1024, sequences: 2 });
});
afterAll(async () => {
  await model.close();
});

/** The text of an answer, or the message of GRAMMAR_INVALID. */
async function outcome(grammar: string, maxTokens = 4): Promise<string> {
  try {
    const prompt = "<｜User｜>x<｜Assistant｜></think>";
    const { text } = await model.complete(prompt, { maxTokens, response: { grammar } }).result();
    return `text ${text}`;
  } catch (error) {
    expect(error).toBeInstanceOf(R1Error);
    expect((error as R1Error).code).toBe("GRAMMAR_INVALID");
    return (error as R1Error).message;
  }
}

const chain = (count: number, rule: (i: number) => string): string =>
  `root ::= a0\n${Array.from({ length: count }, (_, i) => rule(i)).join("\n")}\na${count} ::= "x"`;

describe("a grammar that cannot be read is refused with its place", () => {
  it.each([
    ["no root", 'start ::= "a"', /no rule named root/],
    ["an undefined rule", 'root ::= "a" b', /uses rule b in line 1, column 14/],
    ["a rule twice", 'root ::= "a"\nroot ::= "b"', /second time in line 2, column 1/],
    ["an open text", 'root ::= "a', /expected " after the one in line 1, column 10/],
    ["an open set", "root ::= é [a", /expected the end of the line.* line 1, column 10/],
    ["an open group", 'root ::= (\n"a"', /expected \) to close the group of line 1, column 10/],
    ["an unknown escape", 'root ::= "\\q"', /unknown escape.* line 1, column 11/],
    ["nonsense", "%%%", /expected a name.* line 1, column 1/],
    ["a repetition of nothing", "root ::= *", /nothing to repeat in line 1, column 10/],
    ["left recursion", 'root ::= root "a" | "b"', /left recursion: rule root in line 1/],
    ["hidden left recursion", 'root ::= e b\ne ::= "x"?\nb ::= root | "b"', /left recursion/],
    ["no end", 'root ::= "a" root', /never come to an end/],
    ["a long token", `root ::= <${"Z".repeat(60_000)}>`, /not one token of this vocabulary/],
  ])("%s", async (_what, grammar, message) => {
    expect(await outcome(grammar)).toMatch(message);
  });
});

describe("a grammar that a weaker reader cannot follow is answered", () => {
  it.each([
    ["a loop of nothing", '("x"?)* "b"', ""],
    ["60,000 stars", `"x"${"*".repeat(60_000)}`, ""],
    ["20,000 repetitions of one", `"x"${"{1}".repeat(20_000)}`, ""],
    ["30,000 groups", `${"(".repeat(30_000)}"x"${")".repeat(30_000)}`, ""],
    ["a count above 2,000", '"x"{1,50000}', ""],
    ["counts of counts", '(((("x"{1000}){1000}){1000}){1000})?', ""],
    ["nesting with two readings", '"a" root "b" | "a" root "c" | "x"', ""],
  ])("%s", async (_what, root) => {
    expect(await outcome(`root ::= ${root}`)).toMatch(/^text [ab x]*$/);
  });

  it.each([
    ["a chain of 1,900 rules", chain(1900, (i) => `a${i} ::= a${i + 1}`)],
    ["beginnings that double", chain(40, (i) => `a${i} ::= a${i + 1} | a${i + 1}`)],
    ["stacks that double", chain(40, (i) => `a${i} ::= a${i + 1} "x" | a${i + 1} "x" "x"`)],
  ])("%s", async (_what, grammar) => {
    expect(await outcome(grammar)).toMatch(/^text x*$/);
  });
});

describe("texts that were generated", () => {
  it.each([
    'root ::= "(" root ")" | "[" root "]" | [0-9]{1,3}',
    'root ::= list\nlist ::= item | item " " list\nitem ::= [a-c]+ | "(" list ")"',
    'root ::= "{" ([a-z]{2,4} ":" [^a-z{}]{1,3} ","?){0,3} "}"',
    'root ::= s\ns ::= "if " s " else " s | "if " s | "x"',
  ])("are in the language: %s", async (grammar) => {
    const tree = parseGrammar(grammar);
    for (let seed = 1; seed <= 8; seed++) {
      const { answer, finishReason } = await model
        .complete("x", { maxTokens: 60, temperature: 2, seed, response: { grammar } })
        .result();
      if (finishReason === "stop") expect(accepts(tree, answer), answer).toBe(true);
    }
  });
});

it("grammars of 60 KB hold the event loop for no longer than 250 ms", async () => {
  const letter = (i: number): string => String.fromCharCode(0x4e00 + i);
  const n = 1990;
  const grammars = [
    `root ::= r0\n${Array.from({ length: n }, (_, i) => `r${i} ::= "${letter(i)}" r${(i + 1) % n} r${(i * 7 + 3) % n}|"b"`).join("\n")}`,
    `root ::= ${Array.from({ length: 250 }, (_, i) => `"${"a".repeat(200)}${letter(i)}" root ")"`).join(" | ")} | "x"`,
    `root ::= ${Array.from({ length: 40 }, (_, i) => `${"[ab]{0,40} ".repeat(4)}"${letter(i)}" root ")"`).join(" | ")} | "x"`,
  ];
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  for (const grammar of grammars) await outcome(grammar, 2);
  delay.disable();
  expect(delay.max / 1e6).toBeLessThan(250);
});

it("a request that is cancelled while its grammar is compiled or followed ends as aborted", async () => {
  const grammar = `root ::= ${"[ab]{0,40} ".repeat(40)}"x"`;
  const running = model.complete("x", { maxTokens: 50, response: { grammar } });
  running.cancel();
  expect((await running.result()).finishReason).toBe("aborted");
});
