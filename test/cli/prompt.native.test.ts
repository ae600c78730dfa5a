// A prompt may stand alone on the command line, with the command's name or without, in `run` and in
// `chat`. Uses dist/.
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "./program.js";

const folder = mkdtempSync(join(tmpdir(), "r1-prompt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "prompt.txt");
writeFileSync(file, "What is 12+30?\n");

const greedy = ["--temp", "0", "-t", "1"];

describe("a prompt without a flag", () => {
  it.each([
    [["What is 12+30?", ...greedy]],
    [["run", "What is 12+30?", ...greedy]],
    [[...greedy, "What is 12+30?"]],
    [["run", ...greedy, "--", "What is 12+30?"]],
    [["chat", "What is 12+30?", ...greedy]],
    [["chat", "-p", "What is 12+30?", ...greedy]],
    [["chat", "-f", file, ...greedy]],
  ])("%j", async (args) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/<\/think>[^]*42/);
  });

  it("may be one word that is no command, and a text that looks like a flag goes after -p", async () => {
    const hello = await run(["hello", "-n", "4", ...greedy]);
    expect(hello).toMatchObject({ code: 0, stderr: "" });
    expect(hello.stdout).toContain("<think>");
    expect(await run(["-p", "--help", "-n", "4", ...greedy])).toMatchObject({ code: 0 });
  });

  it("is the first turn of a conversation, which goes on", async () => {
    const { stdout } = await run(["chat", "What is 12+30?", ...greedy], { input: "Now add 5.\n" });
    const replies = stdout.split("</think>");
    expect(replies.length).toBe(3);
    expect(replies[1]).toContain("42");
    expect(replies[2]).toContain("47");
  });

  it("is not a near miss of a command's name: that asks what was meant", async () => {
    const { code, stderr } = await run(["plam"]);
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean plan? As a prompt: r1-native run "plam".');
  });
});
