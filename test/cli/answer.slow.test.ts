// The flags for the form of the answer, thinking, the template and drafts do what the library's
// options do. Uses dist/.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { run, tinyModel } from "./program.js";

const folder = mkdtempSync(join(tmpdir(), "r1-answer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const SCHEMA = '{"type":"object","properties":{"sum":{"enum":[7,8]}},"required":["sum"]}';
const GRAMMAR = 'root ::= "yes" | "no"';
const schemaFile = fileOf("schema.json", `\uFEFF${SCHEMA}\n`);
const grammarFile = fileOf("answer.gbnf", `${GRAMMAR}\n`);
const brokenFile = fileOf("broken.json", '{"type": "object",}');
const greedy = ["What is 3+4?", "--temp", "0", "-t", "1", "--json"];

/** The result of a run that must succeed. */
async function resultOf(args: readonly string[]): Promise<{ reasoning: string; answer: string }> {
  const { code, stdout, stderr } = await run([...greedy, ...args]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as { reasoning: string; answer: string };
}

describe("the answer has the form that is asked for, and the reasoning is free", () => {
  it.each([
    ["-j", SCHEMA],
    ["--json-schema", SCHEMA],
    ["--json_schema", SCHEMA],
    ["-jf", schemaFile],
    ["--json-schema-file", schemaFile],
  ])("%s", async (flag, value) => {
    const { answer, reasoning } = await resultOf([flag, value]);
    expect([7, 8]).toContain((JSON.parse(answer) as { sum: number }).sum);
    expect(reasoning).not.toBe("");
  });

  it.each([
    ["--grammar", GRAMMAR],
    ["--grammar-file", grammarFile],
  ])("%s", async (flag, value) => {
    const { answer, reasoning } = await resultOf([flag, value]);
    expect(["yes", "no"]).toContain(answer);
    expect(reasoning).not.toBe("");
  });

  it("also in a conversation", async () => {
    const args = ["chat", "--hide-reasoning", "--temp", "0", "-t", "1", "--grammar", GRAMMAR];
    const { code, stdout } = await run(args, { input: "What is 3+4?\nAnd 1+1?\n" });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^(yes|no)\n\n(yes|no)\n\n$/);
  });
});

describe("thinking", () => {
  it.each(["off", "0", "false", "disabled"])("is left out with --reasoning %s", async (word) => {
    const { reasoning, answer } = await resultOf(["--reasoning", word]);
    expect(reasoning).toBe("");
    expect(answer).not.toBe("");
  });

  it("ends at its budget with the closing sentence", async () => {
    const { reasoning } = await resultOf(["--reasoning-budget", "3"]);
    expect(reasoning).toContain("I have thought enough");
    const own = ["--reasoning-budget", "3", "--reasoning-budget-message", "Now I answer."];
    expect((await resultOf(own)).reasoning).toMatch(/Now I answer\.$/);
  });

  it("has no budget with -1, and takes one by name", async () => {
    const free = await resultOf([]);
    expect(await resultOf(["--reasoning-budget", "-1"])).toMatchObject({ answer: free.answer });
    expect(await resultOf(["--reasoning-effort", "low"])).toMatchObject({ answer: free.answer });
    expect(await resultOf(["-rea", "on"])).toMatchObject({ answer: free.answer });
  });
});

it("a draft model and the file's own template change nothing of a greedy answer", async () => {
  const { answer } = await resultOf([]);
  for (const args of [
    ["-md", tinyModel],
    ["--spec-draft-model", tinyModel],
    ["--template", "file"],
    ["--template", "r1"],
  ])
    expect(await resultOf(args), args.join(" ")).toMatchObject({ answer });
});

describe("what is wrong with it is said in words, by the flag's name", () => {
  it.each([
    [["-j", "{bad"], "The value of --json-schema is not JSON: ", 2],
    [["-j", ""], "The value of --json-schema is not JSON: ", 2],
    [["-jf", brokenFile], `The file ${brokenFile} of --json-schema-file is not JSON: `, 2],
    [["-jf", join(folder, "none")], `The file ${join(folder, "none")} does not exist`, 1],
    [["--grammar-file", join(folder, "none")], `The file ${join(folder, "none")} does not`, 1],
    [["-jf", folder], "is a directory", 1],
    [["-j", SCHEMA, "--grammar", GRAMMAR], "An answer can have only one form", 2],
    [["-j", SCHEMA, "-jf", schemaFile], "An answer can have only one form", 2],
    [["--grammar-file", grammarFile, "--grammar", GRAMMAR], "An answer can have only one form", 2],
    [["-j", '{"type":"nothing"}'], "nothing", 1],
    [["--grammar", 'root ::= "yes'], "GRAMMAR_INVALID", 1],
    [["--grammar", ""], "a grammar in GBNF for --grammar", 2],
    [["--reasoning", "maybe"], "one of on, off, auto", 2],
    [["--reasoning", "off", "--reasoning-budget", "3"], "cannot be used together", 2],
    [["--reasoning", "off", "--open-think", "on"], "cannot be used together", 2],
    [["--reasoning-budget", "-5"], "for --reasoning-budget", 2],
    [["--raw", "--reasoning", "off"], "--raw and --reasoning cannot be used together", 2],
    [["--raw", "--template", "file"], "--raw and --template cannot be used together", 2],
    [["--template", "chatml"], "one of r1, file", 2],
    [["-md", join(folder, "none.gguf")], "FILE_NOT_FOUND", 1],
  ])("%j", async (args, words, code) => {
    const end = await run([...greedy, ...args]);
    expect(end.stderr).toContain(words);
    expect(end.stderr).not.toMatch(/^\s+at /m);
    expect(end).toMatchObject({ code, stdout: "" });
  });
});
