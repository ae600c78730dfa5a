// The example of the Flappy Bird test, on replies that are given: what it takes for the program, what
// it refuses, how it scores, and that nothing runs outside of a sandbox.
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { example, root } from "./example.js";

const folder = mkdtempSync(join(tmpdir(), "r1-flappy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const whole = readFileSync(join(root, "test/fixtures/flappy/whole.py"), "utf8");

/** Runs the example on a reply. */
async function judge(
  answer: string,
  more: { finishReason?: string; reasoning?: string; args?: string[]; path?: string } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { finishReason = "stop", reasoning = "", args = [], path } = more;
  writeFileSync(at("reply.json"), JSON.stringify({ answer, reasoning, finishReason }));
  const env = path === undefined ? {} : { PATH: path };
  return example("flappy-bird.mjs", ["--reply", at("reply.json"), ...args], { env });
}

const fenced = (code: string, language = "python"): string => `\`\`\`${language}\n${code}\`\`\`\n`;

/** A PATH with Python, and a `bwrap` that writes its arguments down, if one is wanted. */
function pathWith(bwrap: string | undefined): string {
  const bin = mkdtempSync(at("bin-"));
  const python = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], {
    encoding: "utf8",
  });
  symlinkSync(python.trim(), join(bin, "python3"));
  if (bwrap === undefined) return bin;
  writeFileSync(join(bin, "bwrap"), `#!/bin/sh\nPATH=/usr/bin:/bin\n${bwrap}\n`);
  chmodSync(join(bin, "bwrap"), 0o755);
  return bin;
}

describe("the program of a reply", () => {
  it("is the last block of Python of the answer, whatever the reasoning holds", async () => {
    const draft = fenced("import os\n");
    const answer = `First:\n${draft}\nThe final game:\n${fenced(whole)}\nRun it with Python.`;
    const { code, stdout } = await judge(answer, {
      reasoning: fenced("broken("),
      args: ["--save", at("game.py")],
    });
    expect(code).toBe(0);
    expect(readFileSync(at("game.py"), "utf8")).toBe(whole);
    expect(stdout).toContain("8 of 8 demands");
  });

  it("may stand between tildes, indented, or hold shorter fences", async () => {
    const answer = `   ~~~~ Python title\nprint("""\n~~~\n\`\`\`\n""")\n~~~~~\n`;
    const { code } = await judge(answer, { args: ["--save", at("game.py")] });
    expect(code).toBe(0);
    expect(readFileSync(at("game.py"), "utf8")).toBe('print("""\n~~~\n```\n""")\n');
  });

  it.each([
    ["no block", "There you go.", {}, "The answer holds no block of Python."],
    ["a block of another language", fenced("x", "js"), {}, "holds no block of Python"],
    ["a draft in the reasoning alone", "Done.", { reasoning: fenced(whole) }, "holds no block"],
    [
      "a block that was cut off",
      `${fenced("import os\n")}\n\`\`\`python\nimport pygame\n`,
      { finishReason: "length" },
      'The last block of Python is unfinished. The reply ended with reason "length".',
    ],
    ["a program that does not parse", fenced("def f(:\n"), {}, "does not parse. SyntaxError"],
    ["a program of NULs", fenced("x = 1\0\n"), {}, "does not parse"],
  ])("is refused: %s", async (_what, answer, more, why) => {
    const { code, stderr, stdout } = await judge(answer, more);
    expect(stderr).toContain(why);
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });

  it("is not run when it is read", async () => {
    const evil = `import pathlib\npathlib.Path(${JSON.stringify(at("ran"))}).touch()\n`;
    const { code } = await judge(fenced(evil));
    expect(code).toBe(0);
    expect(() => readFileSync(at("ran"))).toThrow("ENOENT");
  });
});

describe("the score", () => {
  const without: [string, number, string, (code: string) => string][] = [
    ["pygame", 1, "pygame is not imported", (c) => c.replace("import pygame\n", "import turtle\n")],
    [
      "light blue",
      2,
      "there is no light blue",
      (c) => c.replace("(173, 216, 230)", "(255, 255, 255)"),
    ],
    ["SPACE", 3, "changes a speed", (c) => c.replace("velocity = -8", "pass")],
    ["the triangle", 4, "three shapes", (c) => c.replace(', "triangle"', "")],
    ["yellow", 5, "there is no yellow", (c) => c.replace("(255, 215, 0)", "(101, 67, 40)")],
    ["counting", 6, "no score is increased", (c) => c.replace("score += 1", "pass")],
    ["dark gray", 7, "there is no dark gray", (c) => c.replace("(80, 80, 80)", "(0, 90, 0)")],
    ["Esc", 8, "Esc is not read", (c) => c.replace("pygame.K_ESCAPE", "pygame.K_x")],
  ];

  it.each(without)("misses a demand without %s", async (_what, number, why, change) => {
    const changed = change(whole);
    expect(changed).not.toBe(whole);
    const { stdout } = await judge(fenced(changed));
    expect(stdout).toMatch(new RegExp(`^no {3}${number}\\. .*${why}`, "m"));
    expect(stdout.match(/^no /gm)?.length).toBeLessThanOrEqual(number === 1 ? 1 : 2);
  });

  it("of a program that has nothing is 0", async () => {
    const { stdout } = await judge(fenced("print('hi')\n"));
    expect(stdout).toContain("0 of 8 demands");
  });
});

describe("--run", () => {
  it("runs nothing without bubblewrap, and says so", async () => {
    const { code, stderr } = await judge(fenced("print(1)\n"), {
      args: ["--run"],
      path: pathWith(undefined),
    });
    expect(stderr).toContain("The program was not run: bubblewrap (bwrap) is not installed");
    expect(code).toBe(1);
  });

  it("gives the sandbox no network, no environment and no folder but the system's", async () => {
    const { code, stdout } = await judge(fenced("print(1)\n"), {
      args: ["--run"],
      path: pathWith(`echo "$@" > ${JSON.stringify(at("arguments"))}`),
    });
    expect(code).toBe(0);
    expect(stdout).toContain("in the sandbox without an error");
    const words = readFileSync(at("arguments"), "utf8").trim().split(" ");
    expect(words.slice(0, 4)).toEqual([
      "--unshare-all",
      "--die-with-parent",
      "--new-session",
      "--clearenv",
    ]);
    expect(words).not.toContain("--share-net");
    const bound = words.flatMap((word, i) => (/^--(?:ro-)?bind/.test(word) ? [words[i + 2]] : []));
    expect(bound).toEqual(["/usr", "/game.py"]);
  });

  it("reports how the program failed", async () => {
    const { code, stderr } = await judge(fenced("print(1)\n"), {
      args: ["--run"],
      path: pathWith(`echo "ZeroDivisionError: division by zero" >&2; exit 1`),
    });
    expect(stderr).toMatch(/The program failed after [\d.]+ s: ZeroDivisionError/);
    expect(code).toBe(1);
  });
});
