// The README and the manual say what is so: their programs run, their command lines run, their
// flags and links exist.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { run, tinyModel } from "./program.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const readme = read("README.md");
const firstSteps = read("docs/first-steps.md");
// Inside the package, so that `import ... from "r1-native"` is this build.
const folder = mkdtempSync(join(root, "dist", "snippet-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const snippets = [...(readme + firstSteps).matchAll(/^```(js|ts)\n([^]*?)^```$/gm)].map(
  ([, language = "", code = ""], i) => ({
    name: `${language} ${i + 1}`,
    language,
    code,
  }),
);

function faults(path: string): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
  };
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options))
    .map((found) => ts.flattenDiagnosticMessageText(found.messageText, "\n"));
}

describe("a program of the README and the first steps", () => {
  it("is one of at least two", () => expect(snippets.length).toBeGreaterThanOrEqual(2));

  it.each(snippets)("runs: $name", async ({ name, language, code }) => {
    const file = join(folder, `${name.replaceAll(" ", "-")}.${language === "ts" ? "mts" : "mjs"}`);
    writeFileSync(file, code);
    let program = file;
    if (language === "ts") {
      expect(faults(file)).toEqual([]);
      program = file.replace(/mts$/, "mjs");
      writeFileSync(
        program,
        ts.transpileModule(code, {
          compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
        }).outputText,
      );
    }
    const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: root });
    expect(stdout.length).toBeGreaterThan(10);
  });
});

describe("a command line that comes from llama.cpp", () => {
  const lines = [...read("docs/cli.md").matchAll(/`r1-native (-[^`]+)`/g)].map(
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
  it.each([
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "examples/README.md",
    ...readdirSync(join(root, "docs"))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  ])("%s links only to files that exist", (path) => {
    const links = [...read(path).matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)]
      .map(([, link = ""]) => link)
      .filter((link) => !/^https?:/.test(link));
    for (const link of links)
      expect(existsSync(join(root, dirname(path), link)), `${path} -> ${link}`).toBe(true);
  });

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
    const manual = read("docs/cli.md");
    const named = [...manual.matchAll(/(?<=[`\s(])--?[a-z][a-z_-]*/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(20);
    for (const name of named) expect(known, name).toContain(name);
    for (const command of commands) expect(manual).toContain(`r1-native ${command}`);
    for (const page of [manual, readme])
      for (const [, name = ""] of page.matchAll(/`r1-native ([a-z][a-z-]*)/g))
        expect(commands).toContain(name);
  });
});
