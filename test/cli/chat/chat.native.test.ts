// `r1-native chat` over a pipe: turns, slash commands, Ctrl-C.
import { describe, expect, it } from "vitest";
import { endless, run, start } from "../program.js";

const greedy = ["chat", "--temp", "0", "-t", "1"];

describe("a conversation over a pipe", () => {
  it("answers each line, and remembers what was said", async () => {
    const { code, stdout } = await run(greedy, { input: "What is 12+30?\nNow add 5.\n" });
    expect(code).toBe(0);
    const replies = stdout.split("</think>");
    expect(replies.length).toBe(3);
    expect(replies[1]).toContain("42");
    expect(replies[2]).toContain("47");
  });

  it("forgets on /reset, and takes a system prompt on /system", async () => {
    const { stdout, stderr } = await run(greedy, {
      input:
        "What is 12+30?\n/reset\n/system Reply in Chinese.\nWhat is 1+1?\n/exit\nWhat is 5+5?\n",
    });
    expect(stdout.split("</think>").length).toBe(3);
    expect(stderr).toContain("starts again");
    expect(stdout).toMatch(/\p{Script=Han}/u);
  });

  it("explains an unknown command and goes on", async () => {
    const { code, stdout, stderr } = await run(greedy, { input: "/frob\n/help\nWhat is 1+1?\n" });
    expect(code).toBe(0);
    expect(stderr).toContain("no command /frob");
    expect(stderr).toContain("/system [TEXT]");
    expect(stdout).toContain("2");
  });

  it("joins lines that end in a backslash", async () => {
    const { stdout } = await run([...greedy, "--hide-reasoning"], { input: "What is\\\n1+1?\n" });
    expect(stdout.trim().split("\n\n").length).toBe(1);
  });

  it("stops a reply on Ctrl-C and takes the next turn", async () => {
    const { child, stdout, ended } = start(["chat", "--temp", "0", ...endless]);
    child.stdin.write("What is 1+1?\n");
    const begun = await stdout.until("<think>\n");
    child.kill("SIGINT");
    // The signal may come before the first word: then nothing stands between the tag and the empty
    // line that ends every reply.
    await stdout.until("\n\n", begun - 1);
    child.stdin.end("/exit\n");
    const end = await ended;
    expect(end).toMatchObject({ code: 0, signal: null });
  });

  it("ends a reply with one empty line, wherever Ctrl-C comes", async () => {
    const { child, stdout, ended } = start(["chat", "--temp", "0", ...endless]);
    let from = 0;
    for (const words of ["<think>\n", "<think>\n[^]", "<think>\n[^]{40}"]) {
      child.stdin.write("What is 1+1?\n");
      await stdout.until(new RegExp(words), from);
      child.kill("SIGINT");
      from = await stdout.until(/<think>[^]*?\n\n$/, from);
    }
    child.stdin.end();
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });
});
