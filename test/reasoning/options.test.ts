// Claims about the option reasoning: modes, budgets, the closing line.
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import {
  assertClosable,
  assertEndable,
  closingTokens,
  DEFAULT_CLOSING,
  normalizeReasoning,
} from "../../lib/reasoning/options.js";

describe("the option reasoning", () => {
  it("is automatic and without limit when it is left out", () => {
    expect(normalizeReasoning(undefined)).toEqual({
      mode: "auto",
      budget: -1,
      closing: DEFAULT_CLOSING,
    });
    expect(normalizeReasoning({})).toEqual(normalizeReasoning(undefined));
  });

  it("takes a budget by number before one by name", () => {
    expect(normalizeReasoning({ effort: "low" }).budget).toBe(1024);
    expect(normalizeReasoning({ effort: "high" }).budget).toBe(-1);
    expect(normalizeReasoning({ effort: "low", maxTokens: 7 }).budget).toBe(7);
    expect(normalizeReasoning({ maxTokens: 0, closing: "" })).toEqual({
      mode: "auto",
      budget: 0,
      closing: "",
    });
  });

  it.each([
    [{ mode: "on" }, "INVALID_ARGUMENT"],
    [{ effort: "max" }, "INVALID_ARGUMENT"],
    [{ maxTokens: -1 }, "INVALID_ARGUMENT"],
    [{ maxTokens: 1.5 }, "INVALID_ARGUMENT"],
    [{ closing: 1 }, "INVALID_ARGUMENT"],
    [{ closing: "x".repeat(1001) }, "INVALID_ARGUMENT"],
    [{ closing: "\ud83d" }, "INVALID_ARGUMENT"],
    [{ mode: "off", maxTokens: 3 }, "INVALID_ARGUMENT"],
    ["forced", "INVALID_ARGUMENT"],
    [{ budget: 3 }, "UNKNOWN_OPTION"],
  ])("is refused as %j", (value, code) => {
    let caught: unknown;
    try {
      normalizeReasoning(value);
    } catch (error) {
      caught = error;
    }
    expect(isR1Error(caught) && caught.code).toBe(code);
  });

  it("closes with the line as plain text and the closing tag, if there is such a tag", () => {
    const tokenize = (text: string): Int32Array =>
      Int32Array.from(text, (character) => character.charCodeAt(0));
    expect([...closingTokens(normalizeReasoning({ closing: "ok" }), 6, tokenize)]).toEqual([
      111, 107, 6,
    ]);
    expect(closingTokens(normalizeReasoning({}), -1, tokenize)).toHaveLength(0);
    for (const check of [assertClosable, assertEndable])
      expect(() => check(-1)).toThrow(expect.objectContaining({ code: "TEMPLATE_UNSUPPORTED" }));
  });
});
