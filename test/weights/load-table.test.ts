// The table of load options: that everything which is made from it, or says the same beside it,
// agrees with it.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadFlags } from "../../lib/cli/flags-load.js";
import { LOAD_OPTION_GROUPS } from "../../lib/load-flags.js";
import { checkLoadOption, LOAD_KEYS, LOAD_TABLE } from "../../lib/weights/load-table/table.js";
import { withLoadOptions } from "../../scripts/load-options.mjs";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** The comments of LoadOptions by option. */
function comments(): Map<string, string> {
  const [, body = ""] = /export interface LoadOptions \{([^]*)\n\}\n/.exec(
    read("lib/weights/load-options.ts"),
  ) ?? [undefined, ""];
  const members = body.matchAll(/\/\*\*([^]*?)\*\/\s*readonly (\w+)\?:/g);
  return new Map([...members].map(([, text = "", name = ""]) => [name, text]));
}

describe("the table of load options", () => {
  it("has each option in one group", () => {
    const grouped = LOAD_OPTION_GROUPS.flatMap(({ rows }) => Object.keys(rows));
    expect([...grouped].sort()).toEqual([...LOAD_KEYS].sort());
  });

  it("has defaults that its own checks take", () => {
    for (const name of LOAD_KEYS) {
      const { default: preset } = LOAD_TABLE[name];
      if (preset !== undefined) expect(checkLoadOption(name, preset), name).toEqual(preset);
    }
  });

  it("has the defaults that the documentation of LoadOptions gives", () => {
    const documented = comments();
    expect([...documented.keys()].sort()).toEqual([...LOAD_KEYS].sort());
    for (const name of LOAD_KEYS) {
      const { default: preset } = LOAD_TABLE[name];
      if (preset === undefined || typeof preset === "object") continue;
      const text = documented.get(name)?.replaceAll(/\n\s*\*/g, "") ?? "";
      const given = /@defaultValue (`?)"?([\w.-]+)"?\1(?=\s|$)/.exec(text)?.[2];
      expect(given, name).toBe(String(preset));
    }
  });

  it("has for each flag a long name, and a value to read or to set", () => {
    for (const name of LOAD_KEYS)
      for (const flag of LOAD_TABLE[name].flags ?? []) {
        expect(flag.names.some((spelling) => spelling.startsWith("--"), name)).toBe(true);
        expect(flag.value === undefined, flag.names.join()).toBe(flag.sets !== undefined);
      }
    const spelled = LOAD_KEYS.flatMap((name) => LOAD_TABLE[name].flags ?? []).length;
    expect(
      loadFlags.filter(({ target, option }) => target === "load" && option !== "path"),
    ).toHaveLength(spelled);
  });

  it("names only fields that native code reads", () => {
    const folder = new URL("../../native/wrap/", import.meta.url);
    const source = readdirSync(folder)
      .filter((name) => name.endsWith(".cpp"))
      .map((name) => read(`native/wrap/${name}`))
      .join("\n");
    for (const name of LOAD_KEYS)
      if (LOAD_TABLE[name].native !== undefined) expect(source, name).toContain(`"${name}"`);
  });

  it("is what docs/reference/api.md shows (npm run docs)", () => {
    const document = read("docs/reference/api.md");
    expect(document).toBe(withLoadOptions(document, LOAD_OPTION_GROUPS));
  });
});
