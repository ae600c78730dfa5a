// The README and the manual say what is so: their programs run, their command lines run, their flags and links exist.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { generateFlags } from "../../lib/cli/flags-generate.js";
import { loadFlags } from "../../lib/cli/flags-load.js";
import { conversationFlags, machineFlags, outputFlags, promptFlags } from "../../lib/cli/flags-run.js";
import { run, tinyModel } from "./program.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const readme = read("README.md");
// Inside the package, so that `import ... from "r1-native"` is this build.
const folder = mkdtempSync(join(root, "dist", "snippet-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const snippets = [...readme.matchAll(/^```(js|ts)\n([^]*?)^```$/gm)].map(([, language = "", code = ""], i) => ({
  name: `README ${language} ${i + 1}`,
  language,
  code,
}));

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
  return ts.getPreEmitDiagnostics(ts.createProgram([path], options)).map((found) => ts.flattenDiagnosticMessageText(found.messageText, "\n"));
}

describe("a program of the README", () => {
  it("is one of at least two", () => expect(snippets.length).toBeGreaterThanOrEqual(2));

  it.each(snippets)("runs: $name", async ({ name, language, code }) => {
    const file = join(folder, `${name.replaceAll(" ", "-")}.${language === "ts" ? "mts" : "mjs"}`);
    writeFileSync(file, code);
    let program = file;
    if (language === "ts") {
      expect(faults(file)).toEqual([]);
      program = file.replace(/mts$/, "mjs");
      writeFileSync(program, ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } }).outputText);
    }
    const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: root });
    expect(stdout.length).toBeGreaterThan(10);
  });
});

describe("a command line of the README's table", () => {
  const lines = [...readme.matchAll(/`r1-native (-[^`]+)`/g)].map(([, words = ""]) => words);

  it("is there", () => expect(lines.length).toBeGreaterThanOrEqual(1));

  it.each(lines)("runs on the embedded model: %s", async (line) => {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
    const { code, stdout } = await run(words.map((word) => (/\.gguf$/.test(word) ? tinyModel : word)));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<think>\n[^]+<\/think>\n/);
  });
});

describe("the documents", () => {
  it.each(["README.md", "CHANGELOG.md", "docs/cli.md", "docs/architecture.md", "examples/README.md"])("%s links only to files that exist", (path) => {
    const links = [...read(path).matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)].map(([, link = ""]) => link).filter((link) => !/^https?:/.test(link));
    for (const link of links) expect(existsSync(join(root, dirname(path), link)), `${path} -> ${link}`).toBe(true);
  });

  it("name no flag that the program does not have", () => {
    const known = new Set(
      [...promptFlags, ...conversationFlags, ...generateFlags, ...outputFlags, ...machineFlags, ...loadFlags].flatMap((flag) => flag.names),
    );
    for (const name of ["--help", "--version"]) known.add(name);
    // What the page names as llama.cpp's own, or as spellings it explains.
    for (const name of ["--ctx_size", "-fit"]) known.add(name);
    const named = [...read("docs/cli.md").matchAll(/(?<=[`\s(])--?[a-z][a-z_-]*/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(20);
    for (const name of named) expect(known, name).toContain(name);
  });
});
