// Claims about the head of a saved session that somebody else wrote; pure.
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { assertSameMaker, decodeHead } from "../../lib/model/saved-session.js";

const maker = {
  model: "m",
  cacheTypeK: "f16",
  cacheTypeV: "f16",
  llamaVersion: "1",
  flashAttentionOff: false,
  options: "{}",
};
const head = { maker, messages: [{ role: "user", content: "hi" }], startLength: 0 };

const codeOf = (text: string): string => {
  try {
    assertSameMaker(decodeHead(text).maker, { ...maker, model: "other" });
    return "none";
  } catch (error) {
    return isR1Error(error) ? error.code : String(error);
  }
};

describe("the head of a saved session", () => {
  it("that is whole is read, and another maker is STATE_MISMATCH", () => {
    expect(decodeHead(JSON.stringify(head))).toEqual(head);
    expect(codeOf(JSON.stringify(head))).toBe("STATE_MISMATCH");
  });

  it.each(Object.keys(maker))("is STATE_INVALID where maker.%s is missing or odd", (name) => {
    for (const odd of [undefined, null, 7, [], {}, name === "flashAttentionOff" ? "x" : true])
      expect(codeOf(JSON.stringify({ ...head, maker: { ...maker, [name]: odd } }))).toBe(
        "STATE_INVALID",
      );
  });

  it("is STATE_INVALID where a part of it is missing or odd", () => {
    for (const name of Object.keys(head))
      for (const odd of [undefined, null, -1, 1.5, "x", [1], {}])
        expect(codeOf(JSON.stringify({ ...head, [name]: odd }))).toBe("STATE_INVALID");
  });
});
