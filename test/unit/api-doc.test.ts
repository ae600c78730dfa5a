// docs/api.md against the public exports of lib/index.ts.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const index = read("lib/index.ts");
const exported = [...index.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = ""]) =>
  names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== ""),
);

describe("docs/api.md", () => {
  it("can be held against the exports: they are all lists of names", () => {
    expect(index).not.toMatch(/export \*|export default|export (?:const|function|class)| as /);
    expect(exported).toContain("loadModel");
    expect(exported).toContain("R1ErrorCode");
  });

  it("names everything that is exported, as code", () => {
    const code = [...read("docs/api.md").matchAll(/```[^`]*```|`[^`]+`/g)]
      .map(([text]) => text)
      .join(" ");
    expect(exported.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  });
});
