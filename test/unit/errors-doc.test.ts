// docs/errors.md against the code list.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { R1_ERROR_CODES } from "../../lib/base/errors.js";

describe("docs/errors.md", () => {
  it("has one section for each code, and none for others", () => {
    const text = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
    const sections = [...text.matchAll(/^### `([A-Z0-9_]+)`$/gm)].map((match) => match[1]);
    expect(sections.sort()).toEqual([...R1_ERROR_CODES].sort());
    for (const section of text.split(/^### /m).slice(1))
      expect(section, section.slice(0, 40)).toMatch(/Retriable: (yes|no)/);
  });
});
