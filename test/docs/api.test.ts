// docs/reference/api.md and package.json against the public entries, the files directly in lib/.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** The names that an entry exports. */
const namesOf = (text: string): string[] =>
  [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = ""]) =>
    names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  );

const files = readdirSync(new URL("../../lib/", import.meta.url)).filter((name) =>
  name.endsWith(".ts"),
);
const entries = files.map((file) => ({ entry: file.slice(0, -3), text: read(`lib/${file}`) }));

describe("the public entries", () => {
  it("are all in package.json, and nothing else is", () => {
    const { exports } = JSON.parse(read("package.json")) as { exports: Record<string, unknown> };
    const expected = Object.fromEntries(
      entries.map(({ entry }) => [
        entry === "index" ? "." : `./${entry}`,
        { types: `./dist/${entry}.d.ts`, default: `./dist/${entry}.js` },
      ]),
    );
    expect(exports).toEqual({ ...expected, "./package.json": "./package.json" });
  });

  it("export no value twice", () => {
    const values = entries.flatMap(({ text }) =>
      namesOf(text.replaceAll(/^export type \{[^}]*\}/gm, "")),
    );
    expect(values.filter((name, index) => values.indexOf(name) !== index)).toEqual([]);
  });
});

describe("docs/reference/api.md", () => {
  it("can be held against the exports: they are all lists of names", () => {
    for (const { text } of entries)
      expect(text).not.toMatch(/export \*|export default|export (?:const|function|class)| as /);
    const exported = entries.flatMap(({ text }) => namesOf(text));
    expect(exported).toEqual(expect.arrayContaining(["loadModel", "R1ErrorCode", "quantize"]));
  });

  it.each(entries)("names everything that $entry exports, as code", ({ text }) => {
    const code = [...read("docs/reference/api.md").matchAll(/```[^`]*```|`[^`]+`/g)]
      .map(([piece]) => piece)
      .join(" ");
    expect(namesOf(text).filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  });

  it.each(entries.filter(({ entry }) => entry !== "index"))(
    "lists the functions and constants of $entry in its table of entries",
    ({ entry, text }) => {
      const [row = ""] =
        new RegExp(`^\\| \`r1-native/${entry}\`.*$`, "m").exec(read("docs/reference/api.md")) ?? [];
      const values = namesOf(text.replaceAll(/^export type \{[^}]*\}/gm, ""));
      expect(values.filter((name) => !row.includes(`\`${name}\``))).toEqual([]);
    },
  );
});
