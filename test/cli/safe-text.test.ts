// Text of a model that is shown on a terminal.
import { describe, expect, it } from "vitest";
import { safeJson, safeText } from "../../lib/cli/safe-text.js";

describe("safeText", () => {
  it("shows every control character but line break and tab as a sign", () => {
    for (let code = 0; code < 0xa0; code++) {
      const character = String.fromCharCode(code);
      const isControl = code < 0x20 || code >= 0x7f;
      const isKept = !isControl || character === "\n" || character === "\t";
      const safe = safeText(character);
      if (isKept) expect(safe).toBe(character);
      // eslint-disable-next-line no-control-regex -- what must not be there
      else expect(safe, String(code)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
  });

  it("keeps what people write", () => {
    const text = "a\tb\n你好 🙂 👨‍👩‍👧 é naïve ﷽ \u00a0";
    expect(safeText(text)).toBe(text);
    expect(safeText("\u001b[2J\r\n")).toBe("␛[2J\n");
  });
});

describe("safeJson", () => {
  it("is the same value, without a control character in its text", () => {
    const value = { text: "\u001b[2J\u007f\u009b31m\u0000" };
    expect(JSON.parse(safeJson(value))).toEqual(value);
    // eslint-disable-next-line no-control-regex -- what must not be there
    expect(safeJson(value)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});
