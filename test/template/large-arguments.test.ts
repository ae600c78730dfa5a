// Large arguments of tool calls are written as text in slices, and read the same as small ones.
import { describe, expect, it } from "vitest";
import { pythonJson, writeArguments } from "../../lib/template/json-text.js";
import { checkMessages, isLong } from "../../lib/template/messages.js";

const callWith = (data: unknown) =>
  checkMessages(
    [
      { role: "user", content: "hi" },
      { role: "assistant", toolCalls: [{ id: "c1", name: "t", arguments: data }] },
      { role: "tool", toolCallId: "c1", content: "done" },
    ],
    {},
  );

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

const LARGE: Readonly<Record<string, unknown>> = {
  "a list of numbers": { list: many(20_000, (i) => i / 3) },
  "objects in lists in objects": {
    rows: many(4000, (i) => ({ i, cells: [`"${i}"`, null, true, [], {}] })),
  },
  "one object with many keys": Object.fromEntries(many(12_000, (i) => [`key ${i}, "ö"`, i])),
  "undefined members": { list: many(9000, (i) => ({ a: undefined, b: i })), c: undefined },
};

describe("large arguments", () => {
  it.each(Object.entries(LARGE))("%s have the same text as written at once", async (_, data) => {
    const messages = callWith(data);
    const expected = pythonJson(structuredClone(data));
    expect(isLong(messages)).toBe(true);
    await writeArguments(messages);
    const call = messages[1]?.toolCalls?.[0];
    expect(pythonJson(call?.arguments)).toBe(expected);
    expect(JSON.parse(expected)).toEqual(JSON.parse(JSON.stringify(data)));
  });

  it("leave other work of the event loop its turns", async () => {
    const messages = callWith({ list: many(300_000, (i) => `value ${i}`) });
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await writeArguments(messages);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });

  it.each([
    ["a hole", many(9000, () => 1).concat(Array(1) as number[])],
    ["not a number", [...many(9000, () => 1), NaN]],
    ["half a character", [...many(9000, () => 1), "\ud800"]],
  ])("are refused with %s at their end", (_, list) => {
    expect(() => callWith({ list })).toThrow(/list\[9000\]/);
  });
});
