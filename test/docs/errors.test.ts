// docs/reference/errors.md against the code list.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERROR_INFO } from "../../lib/base/error-info.js";
import { R1Error, R1_ERROR_CODES, isR1Error } from "../../lib/base/errors.js";

describe("docs/reference/errors.md", () => {
  it("has one section for each code, and none for others", () => {
    const text = readFileSync(new URL("../../docs/reference/errors.md", import.meta.url), "utf8");
    const sections = [...text.matchAll(/^### `([A-Z0-9_]+)`$/gm)].map((match) => match[1]);
    expect(sections.sort()).toEqual([...R1_ERROR_CODES].sort());
    for (const section of text.split(/^### /m).slice(1)) {
      const [, code] = /^`([A-Z0-9_]+)`/.exec(section) ?? [];
      const [, says] = /Retriable:\s+(yes|no)/.exec(section) ?? [];
      const { retriable } = ERROR_INFO[code as keyof typeof ERROR_INFO];
      expect(says, section.slice(0, 40)).toBe(retriable ? "yes" : "no");
    }
  });
});

describe("an error", () => {
  it("has a status and an answer to whether trying again can help, by its code", () => {
    for (const code of R1_ERROR_CODES) {
      const error = new R1Error(code, "x");
      expect(error.httpStatus).toBeGreaterThanOrEqual(400);
      expect(error.httpStatus).toBeLessThan(600);
      expect(error.retriable).toBe(ERROR_INFO[code].retriable);
    }
  });

  it("is recognised by any of several codes", () => {
    const error = new R1Error("QUEUE_FULL", "x");
    expect(isR1Error(error)).toBe(true);
    expect(isR1Error(error, "DISPOSED", "QUEUE_FULL")).toBe(true);
    expect(isR1Error(error, "DISPOSED")).toBe(false);
    expect(isR1Error({ code: "QUEUE_FULL" }, "QUEUE_FULL")).toBe(false);
  });
});
