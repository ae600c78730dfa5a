// The vocabulary of checks, and the error class.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  array,
  boolean,
  integer,
  knownKeys,
  nearest,
  number,
  object,
  oneOf,
  string,
} from "../../lib/base/check.js";
import {
  R1Error,
  R1_ERROR_CODES,
  fromNative,
  isErrorCode,
  isR1Error,
} from "../../lib/base/errors.js";

const thrown = (action: () => unknown): R1Error => {
  try {
    action();
  } catch (error) {
    return error as R1Error;
  }
  return expect.fail("it did not throw");
};

describe("a check", () => {
  it("returns what it was given", () => {
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 5 }), (value) => integer(value, "x", -5, 5) === value),
    );
    expect(number(0.5, "x", 0, 1)).toBe(0.5);
    expect(boolean(false, "x")).toBe(false);
    expect(string("", "x", true)).toBe("");
    expect(oneOf("a", "x", ["a", "b"])).toBe("a");
    expect(array([1, 2], "x", (value, path) => integer(value, path, 0, 9))).toEqual([1, 2]);
  });

  it("says what it expected, for which option, and what it got", () => {
    const error = thrown(() => integer(1.5, "maxTokens", 1, 9));
    expect(error.message).toBe("Expected an integer from 1 to 9 for `maxTokens` but received 1.5.");
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT", details: { option: "maxTokens" } });
  });

  it.each([NaN, Infinity, "1", null, undefined, [], {}])("refuses %o as a number", (value) => {
    expect(thrown(() => number(value, "x", 0, 1)).code).toBe("INVALID_ARGUMENT");
    expect(thrown(() => integer(value, "x", 0, 1)).code).toBe("INVALID_ARGUMENT");
  });

  it("names the element of an array", () => {
    expect(
      thrown(() => array(["a", 1], "stop", (value, path) => string(value, path))).message,
    ).toContain("`stop[1]`");
  });

  it.each([null, [], "x", 1])("refuses %o as an object", (value) => {
    expect(thrown(() => object(value, "options")).code).toBe("INVALID_ARGUMENT");
  });
});

describe("a misspelt name", () => {
  it.each([
    ["temprature", "temperature"],
    ["ctx_size", "ctxSize"],
    ["contextsize", "contextSize"],
    ["topk", "topK"],
    ["sead", "seed"],
  ])("%s is answered with %s", (wrong, right) => {
    expect(nearest(wrong, ["temperature", "ctxSize", "contextSize", "topK", "seed"])).toBe(right);
    const error = thrown(() => knownKeys({ [wrong]: 1 }, "chat", [right]));
    expect(error).toMatchObject({
      code: "UNKNOWN_OPTION",
      details: { option: wrong, nearest: right },
    });
    expect(error.message).toContain(right);
  });

  it("is answered with all names when none is near", () => {
    expect(thrown(() => knownKeys({ qqqqqqqq: 1 }, "chat", ["seed", "topK"])).message).toContain(
      "seed, topK",
    );
  });

  it("never takes long, however long it is", () => {
    const start = performance.now();
    nearest("x".repeat(2000), ["temperature", "seed"]);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("R1Error", () => {
  it("is told by its brand, also from another copy of the library", () => {
    const foreign = Object.assign(new Error("x"), {
      code: "DISPOSED",
      [Symbol.for("r1-native.R1Error")]: true,
    });
    expect(isR1Error(foreign, "DISPOSED")).toBe(true);
    expect(isR1Error(foreign, "ABORTED")).toBe(false);
    expect(isR1Error(Object.assign(new Error("x"), { code: "DISPOSED" }))).toBe(false);
    for (const value of [null, undefined, "x", 1, {}]) expect(isR1Error(value)).toBe(false);
  });

  it("keeps its code, its cause and frozen details", () => {
    const cause = new Error("why");
    const error = new R1Error("IO_FAILED", "m", { cause, details: { path: "p" } });
    expect(error).toMatchObject({
      name: "R1Error",
      code: "IO_FAILED",
      cause,
      details: { path: "p" },
    });
    expect(Object.isFrozen(error.details)).toBe(true);
  });

  it("takes a native code over, the rest becomes INTERNAL, and the stack is the caller's", () => {
    const site = new Error("site");
    const made = fromNative(Object.assign(new Error("no memory"), { code: "OUT_OF_MEMORY" }), site);
    expect(made).toMatchObject({ code: "OUT_OF_MEMORY", message: "no memory" });
    expect(made.stack).toContain("check.test.ts");
    expect(fromNative(new Error("odd")).code).toBe("INTERNAL");
    expect(fromNative("text").message).toBe("text");
    expect(fromNative(made)).toBe(made);
  });

  it("has no code twice", () => {
    expect(new Set(R1_ERROR_CODES).size).toBe(R1_ERROR_CODES.length);
    expect(isErrorCode("ABORTED")).toBe(true);
    expect(isErrorCode("nope")).toBe(false);
  });
});
