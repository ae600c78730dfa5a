// The escape sequences of prompts, as llama.cpp reads them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { processEscapes } from "../../lib/cli/escapes.js";

describe("an escape sequence", () => {
  it.each([
    [String.raw`a\nb`, "a\nb"],
    [String.raw`\r\t\'\"\\`, "\r\t'\"\\"],
    [String.raw`\x41\x42`, "AB"],
    [String.raw`\xe4\xbd\xa0`, "你"],
    [String.raw`\\x41`, String.raw`\x41`],
    [String.raw`\\n`, String.raw`\n`],
    ["\\q\\x4\\", "\\q\\x4\\"],
    [String.raw`C:\dir`, String.raw`C:\dir`],
  ])("%j becomes %j", (text, expected) => {
    expect(processEscapes(text)).toBe(expected);
  });

  it("is nowhere in a text without backslashes", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }).filter((text) => !text.includes("\\")),
        (text) => processEscapes(text) === text,
      ),
    );
  });
});
