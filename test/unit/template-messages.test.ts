// Claims about the check of conversations: what is refused, under which code and name, and that the result is a frozen copy.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { checkMessages } from "../../lib/template/messages.js";

const user = { role: "user", content: "Hi" };
const calling = (...ids: string[]): object => ({
  role: "assistant",
  content: "",
  toolCalls: ids.map((id) => ({ id, name: "f", arguments: {} })),
});

describe("a conversation is refused", () => {
  const refusals: [why: string, value: unknown, path: string, code?: string][] = [
    ["no list", "Hi", "messages"],
    ["no list", undefined, "messages"],
    ["no messages", [], "messages"],
    ["no object", ["Hi"], "messages[0]"],
    ["null", [null], "messages[0]"],
    ["unknown role", [{ role: "developer", content: "x" }], "messages[0].role"],
    ["role of another type", [{ role: 1, content: "x" }], "messages[0].role"],
    ["missing role", [{ content: "x" }], "messages[0].role"],
    ["empty content", [user, { role: "assistant", content: "" }], "messages[1].content"],
    ["empty user content", [{ role: "user", content: "" }], "messages[0].content"],
    ["null content", [{ role: "user", content: null }], "messages[0].content"],
    [
      "parts for content",
      [{ role: "user", content: [{ type: "text", text: "x" }] }],
      "messages[0].content",
    ],
    ["half an emoji", [{ role: "user", content: "a\ud83d" }], "messages[0].content"],
    ["misspelt key", [{ role: "user", contents: "x" }], "messages[0]", "UNKNOWN_OPTION"],
    ["tool without a call", [user, { role: "tool", content: "x" }], "messages[1]"],
    [
      "tool after a user turn",
      [user, calling("a"), user, { role: "tool", content: "x" }],
      "messages[3]",
    ],
    [
      "one answer too many",
      [user, calling("a"), { role: "tool", content: "x" }, { role: "tool", content: "y" }],
      "messages[3]",
    ],
    [
      "answer to an unknown call",
      [user, calling("a"), { role: "tool", content: "x", toolCallId: "b" }],
      "messages[2].toolCallId",
    ],
    [
      "call answered twice",
      [
        user,
        calling("a", "b"),
        { role: "tool", content: "x", toolCallId: "a" },
        { role: "tool", content: "x", toolCallId: "a" },
      ],
      "messages[3].toolCallId",
    ],
    ["calls of a user", [{ ...user, toolCalls: [] }], "messages[0].toolCalls"],
    ["empty calls", [{ role: "assistant", content: "x", toolCalls: [] }], "messages[0].toolCalls"],
    ["repeated call id", [user, calling("a", "a")], "messages[1].toolCalls[1].id"],
    ["call id on a user message", [{ ...user, toolCallId: "a" }], "messages[0].toolCallId"],
    [
      "call name with a line break",
      [{ role: "assistant", content: "", toolCalls: [{ id: "a", name: "f\n", arguments: {} }] }],
      "messages[0].toolCalls[0].name",
    ],
    [
      "arguments that JSON cannot hold",
      [
        {
          role: "assistant",
          content: "",
          toolCalls: [{ id: "a", name: "f", arguments: { x: 1n } }],
        },
      ],
      "messages[0].toolCalls[0].arguments.x",
    ],
    [
      "missing arguments",
      [{ role: "assistant", content: "", toolCalls: [{ id: "a", name: "f" }] }],
      "messages[0].toolCalls[0].arguments",
    ],
  ];

  it.each(refusals)("for %s", (_why, value, path, code = "INVALID_MESSAGE") => {
    let caught: unknown;
    try {
      checkMessages(value);
    } catch (error) {
      caught = error;
    }
    expect(isR1Error(caught, code as "INVALID_MESSAGE")).toBe(true);
    expect(String(caught)).toContain(path);
  });

  it("for circular arguments, as too deep", () => {
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    const value = [
      user,
      { role: "assistant", content: "", toolCalls: [{ id: "a", name: "f", arguments: loop }] },
    ];
    expect(() => checkMessages(value)).toThrow("nested more than 64 levels");
  });

  it("only ever with a typed error", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (role, content) => {
        try {
          checkMessages([{ role, content }]);
        } catch (error) {
          expect(isR1Error(error, "INVALID_MESSAGE")).toBe(true);
        }
      }),
    );
  });
});

describe("a conversation that passes", () => {
  it("is a copy that later changes do not reach", () => {
    const args = { list: [1], __proto__x: 1 };
    const value = [
      { role: "system", content: "" },
      { ...user },
      { role: "assistant", content: "", toolCalls: [{ id: "a", name: "f", arguments: args }] },
    ];
    const checked = checkMessages(value);
    (value[1] as { content: string }).content = "changed";
    args.list.push(2);
    expect(checked[1]?.content).toBe("Hi");
    expect(checked[2]?.toolCalls?.[0]?.arguments).toEqual({ list: [1], __proto__x: 1 });
    expect(Object.isFrozen(checked[2]?.toolCalls?.[0]?.arguments)).toBe(true);
  });

  it("keeps a key named __proto__ as data", () => {
    const args = JSON.parse('{"__proto__": {"polluted": true}}') as unknown;
    const checked = checkMessages([
      user,
      { role: "assistant", content: "", toolCalls: [{ id: "a", name: "f", arguments: args }] },
    ]);
    expect(JSON.stringify(checked[1]?.toolCalls?.[0]?.arguments)).toBe(
      '{"__proto__":{"polluted":true}}',
    );
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("may leave calls unanswered, and answer them in any order or without ids", () => {
    expect(checkMessages([user, calling("a", "b"), user])).toHaveLength(3);
    expect(
      checkMessages([
        user,
        calling("a", "b"),
        { role: "tool", content: "x", toolCallId: "b" },
        { role: "tool", content: "y", toolCallId: "a" },
      ]),
    ).toHaveLength(4);
    expect(
      checkMessages([
        user,
        calling("a", "b"),
        { role: "tool", content: "x" },
        { role: "tool", content: "y" },
      ]),
    ).toHaveLength(4);
  });
});
