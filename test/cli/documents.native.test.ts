// The README and the manual say what is so: their command lines run, their flags and files exist.
// Their programs are run by `npm run test:docs`.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { run, tinyModel } from "./program.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const readme = read("README.md");
describe("a command line that comes from llama.cpp", () => {
  const lines = [...read("docs/reference/cli.md").matchAll(/`r1-native (-[^`]+)`/g)].map(
    ([, words = ""]) => words,
  );

  it("is there", () => expect(lines.length).toBeGreaterThanOrEqual(1));

  it.each(lines)("runs on the embedded model: %s", async (line) => {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, bare]) => quoted ?? bare ?? "",
    );
    const { code, stdout } = await run(
      words.map((word) => (/\.gguf$/.test(word) ? tinyModel : word)),
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<think>\n[^]+<\/think>\n/);
  });
});

describe("the documents", () => {
  it("name only files that exist", () => {
    const paths = [
      ...read("docs/architecture.md").matchAll(
        /`((?:lib|native|scripts|vendor|docs)\/[\w./-]+?)(\*)?`/g,
      ),
    ].map(([, path = "", star]) => ({
      path,
      isStart: star !== undefined,
    }));
    expect(paths.length).toBeGreaterThan(10);
    for (const { path, isStart } of paths) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const folder = join(root, path.slice(0, path.lastIndexOf("/")));
      expect(
        isStart
          ? readdirSync(folder).some((entry) => entry.startsWith(name))
          : existsSync(join(root, path)),
        path,
      ).toBe(true);
    }
  });

  it("name no flag and no command that the program does not have, and every command it has", async () => {
    const { stdout } = await run(["--help"]);
    const commands = [...stdout.matchAll(/^ {2}([a-z][a-z-]*) .*$/gm)]
      .map(([, name = ""]) => name)
      .filter((name) => name !== "help");
    expect(commands).toContain("merge");
    // llama.cpp's own, and spellings that the page explains.
    const known = new Set([
      "--help",
      "--version",
      "--ctx_size",
      "-fit",
      "--merge",
      "--split",
      "--chat-template",
      "--chat-template-file",
      "-np",
      "--cpu-mask",
      "--lora",
      "--mmproj",
      "--model-url",
      "--hf-token",
      "--cuda",
    ]);
    for (const command of commands) {
      const help = await run([command, "--help"]);
      expect(help.code, command).toBe(0);
      for (const [flag] of help.stdout.matchAll(/(?<=[ ,])--?[a-z][a-z-]*/g)) known.add(flag);
    }
    const manual = read("docs/reference/cli.md");
    const named = [...manual.matchAll(/(?<=[`\s(])--?[a-z][a-z_-]*/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(20);
    for (const name of named) expect(known, name).toContain(name);
    for (const command of commands) expect(manual).toContain(`r1-native ${command}`);
    for (const page of [manual, readme])
      for (const [, name = ""] of page.matchAll(/`r1-native ([a-z][a-z-]*)/g))
        expect(commands).toContain(name);
  });
});
