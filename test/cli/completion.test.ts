// What a shell's Tab makes of a command line, as the completion scripts ask for it.
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { candidatesFor } from "../../lib/cli/completion.js";
import { COMMANDS } from "../../lib/cli/command-files.js";
import { program } from "./program.js";

const textsOf = async (...words: string[]): Promise<string[]> =>
  (await candidatesFor(COMMANDS, words)).words.map(({ text }) => text);

describe("Tab", () => {
  it("completes commands, and the second words of commands that have two", async () => {
    expect(await textsOf("")).toEqual([
      ...Object.keys(COMMANDS).filter((name) => !name.includes(" ")),
      "help",
    ]);
    expect(await textsOf("ins")).toEqual(["inspect"]);
    expect(await textsOf("batch", "ex")).toEqual(["export"]);
    expect(await textsOf("help", "pu")).toEqual(["pull"]);
  });

  it("completes flags with their descriptions, in the spelling that was begun", async () => {
    expect(await textsOf("chat", "--tem")).toEqual(["--template", "--temp"]);
    expect(await textsOf("run", "-ng")).toEqual(["-ngl"]);
    expect(await textsOf("--hide")).toEqual(["--hide-reasoning"]);
    expect(await textsOf("plan", "--vr")).toEqual(["--vram"]);
    expect(await textsOf("batch", "export", "--for")).toContain("--format");
    const { words } = await candidatesFor(COMMANDS, ["chat", "--temp"]);
    expect(words.find(({ text }) => text === "--temp")?.description).toContain("temperature");
  });

  it("shows no flag that has no effect", async () => {
    expect(await textsOf("run", "--simple")).toEqual([]);
  });

  it("completes the words that a flag takes", async () => {
    expect(await textsOf("chat", "--cache-type-k", "q4")).toEqual(["q4_1", "q4_0"]);
    expect(await textsOf("--reasoning-effort", "")).toEqual(["low", "medium", "high", "default"]);
    expect(await textsOf("-fa", "o")).toEqual(["on", "off"]);
  });

  it("completes the value after the = of a flag, and the shells of complete", async () => {
    expect(await textsOf("chat", "--reasoning-effort=l")).toEqual(["low"]);
    expect(await textsOf("-ctk=q4")).toEqual(["q4_1", "q4_0"]);
    expect((await candidatesFor(COMMANDS, ["chat", "--model=mo"])).hasFiles).toBe(true);
    expect(await textsOf("chat", "--unknown=")).toEqual([]);
    expect(await textsOf("complete", "z")).toEqual(["zsh"]);
    expect(await textsOf("complete", "zsh", "")).toEqual([]);
  });

  it("leaves paths to the shell, and offers none where a text or a number stands", async () => {
    const hasFiles = async (...words: string[]): Promise<boolean> =>
      (await candidatesFor(COMMANDS, words)).hasFiles;
    expect(await hasFiles("chat", "--model", "")).toBe(true);
    expect(await hasFiles("inspect", "")).toBe(true);
    expect(await hasFiles("merge", "a", "")).toBe(true);
    expect(await hasFiles("chat", "--temp", "")).toBe(false);
    expect(await hasFiles("chat", "")).toBe(false);
  });
});

describe("r1-native complete", () => {
  const complete = (...words: string[]): string =>
    execFileSync(process.execPath, [program, "complete", ...words], { encoding: "utf8" });

  it("answers in the form of the scripts", () => {
    expect(complete("--", "ins")).toBe(`inspect\t${COMMANDS["inspect"]?.summary ?? ""}\n:4\n`);
    expect(complete("--", "--reasoning-effort", "l")).toBe("low\n:4\n");
    expect(complete("--", "inspect", "")).toBe(":0\n");
  });

  it("prints a script for each shell, which bash can read", () => {
    for (const shell of ["bash", "zsh", "fish", "powershell"])
      expect(complete(shell)).toMatch(/complete\b.*--/);
    execFileSync("bash", ["-n"], { input: complete("bash") });
  });

  it("completes in bash without a further package, and runs nothing of the line", () => {
    // What the shell's Tab gives the function, and what it finds in COMPREPLY.
    const press = (line: string, words: string): string =>
      execFileSync(
        "bash",
        [
          "-c",
          `r1-native() { "$NODE" "$PROGRAM" "$@"; }
           source <(r1-native complete bash); source <(r1-native complete bash)
           COMP_LINE=$LINE COMP_POINT=\${#LINE} COMP_WORDS=(${words})
           COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) _r1_native_complete 2>/dev/null
           printf '%s|' "\${COMPREPLY[@]}"`,
        ],
        {
          encoding: "utf8",
          env: { ...process.env, NODE: process.execPath, PROGRAM: program, LINE: line },
        },
      );
    expect(press("r1-native ins", "r1-native ins")).toBe("inspect|");
    expect(press("r1-native chat -fa o", "r1-native chat -fa o")).toBe("on|off|");
    const effort = "r1-native chat --reasoning-effort";
    expect(press(`${effort}=`, `${effort} =`)).toBe("low|medium|high|default|");
    expect(press(`${effort}=l`, `${effort} = l`)).toBe("low|");
    expect(press("r1-native -p a:b --see", "r1-native -p a : b --see")).toBe("--seed|");
    const substitution = '"$(kill $$)"';
    expect(
      press(`r1-native -p ${substitution} --see`, `r1-native -p '${substitution}' --see`),
    ).toBe("--seed|");
    expect(press("r1-native batch i", "r1-native batch i")).toBe("|");
  });

  it("leaves paths in bash to bash", () => {
    expect(complete("bash")).toContain("complete -o default -F _r1_native_complete r1-native");
  });

  it("refuses other shells", () => {
    expect(() => complete("tcsh")).toThrow("Expected one of bash, zsh, fish, powershell");
  });
});
