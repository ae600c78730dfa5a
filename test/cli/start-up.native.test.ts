// What the program loads before it can show its version, its help, or the words that Tab completes:
// little, and neither the library nor the addon. Uses dist/.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { llamaVersion } from "../../lib/index.js";
import { ownVersion } from "../../lib/base/package.js";
import { program } from "./program.js";

const hook = new URL("../fixtures/log-modules.mjs", import.meta.url).href;
const dist = pathToFileURL(fileURLToPath(new URL("../../dist/", import.meta.url))).href;
const folder = mkdtempSync(join(tmpdir(), "r1-modules-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The modules that a command line imports: files of dist/, and names of packages. */
function modulesOf(...words: string[]): { files: string[]; packages: string[]; stdout: string } {
  const log = join(folder, `${Math.random()}.txt`);
  const stdout = execFileSync(process.execPath, ["--import", hook, program, ...words], {
    encoding: "utf8",
    env: { ...process.env, MODULE_LOG: log },
  });
  const urls = readFileSync(log, "utf8").trimEnd().split("\n");
  const packages = urls.flatMap(
    (url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? [],
  );
  return {
    files: urls.filter((url) => url.startsWith(dist)).map((url) => url.slice(dist.length)),
    packages: [...new Set(packages)].sort(),
    stdout,
  };
}

/** The program's own part, without the files of its commands. */
const OWN = /^(?:cli\/(?!commands\/)|base\/)/;
/** The table of load options, from which flags are made. */
const LOAD_TABLE =
  /^(?:load-flags|weights\/load-table\/[\w-]+|weights\/cache-types|rpc\/endpoint|binding\/file-rope)\.js$/;

describe("the version", () => {
  it("is shown without a package and without a command", () => {
    const { files, packages, stdout } = modulesOf("--version");
    expect(packages).toEqual([]);
    expect(files.filter((file) => !OWN.test(file))).toEqual([]);
    expect(files.length).toBeLessThan(25);
    expect(stdout).toBe(`r1-native ${ownVersion() ?? ""}\nllama.cpp ${llamaVersion()}\n`);
  });
});

describe("the program's help", () => {
  it("is shown without a package and without a command", () => {
    const { files, packages, stdout } = modulesOf("--help");
    expect(packages).toEqual([]);
    expect(files.filter((file) => !OWN.test(file))).toEqual([]);
    expect(files.length).toBeLessThan(25);
    expect(stdout).toContain("Usage: r1-native");
  });
});

describe("Tab", () => {
  it.each([
    ["a command", ["ins"]],
    ["a flag of chat", ["chat", "--te"]],
    ["a word of a flag of serve", ["serve", "--flash-attn", "o"]],
  ])("completes %s from the tables alone", (_what, words) => {
    const { files, packages, stdout } = modulesOf("complete", "--", ...words);
    expect(packages).toEqual(["@bomb.sh/tab", "commander"]);
    const others = files.filter((file) => !OWN.test(file) && !LOAD_TABLE.test(file));
    expect(others).toEqual(["cli/commands/complete.js"]);
    expect(files.length).toBeLessThan(50);
    expect(stdout).toMatch(/\n:\d+\n$/);
  });
});
