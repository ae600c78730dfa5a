// The manual page is the one that the tables of flags make, and groff reads it without a word.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../lib/cli/command-files.js";
import { COMMAND_FLAGS } from "../../lib/cli/command-flags.js";
import { nameOf } from "../../lib/cli/flags.js";

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const page = readFileSync(path("man/r1-native.1"), "utf8");
const hasGroff = spawnSync("groff", ["--version"]).status === 0;

describe("man/r1-native.1", () => {
  it("is current: npm run man writes the same", () => {
    const script = `import { manualPage } from ${JSON.stringify(path("scripts/man.mjs"))}; process.stdout.write(await manualPage());`;
    const made = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(page).toBe(made);
  });

  it("has every command and every flag that is not hidden", () => {
    const text = page.replaceAll("\\-", "-").replace(/\\f[BIR]/g, "");
    for (const name of Object.keys(COMMANDS)) expect(text).toContain(`.SS r1-native ${name}`);
    for (const flag of Object.values(COMMAND_FLAGS).flat())
      if (flag.hidden !== true) expect(text).toContain(nameOf(flag));
  });

  it("consists of ASCII, and of requests that roff knows", () => {
    expect(page).toMatch(/^[\x20-\x7e\n]*$/);
    const requests = new Set(page.match(/^\.[^\s]+/gm));
    const known = [".TH", ".SH", ".SS", ".TP", ".PP", ".br", ".nf", ".fi", ".RS", ".RE", '.\\"'];
    expect([...requests].filter((request) => !known.includes(request))).toEqual([]);
  });

  it("is read by groff without a warning, where groff is installed", () => {
    if (!hasGroff) return;
    const { stdout, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", "-rLL=78n"], {
      input: page,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(stdout).toContain("--ctx-size");
  });
});
