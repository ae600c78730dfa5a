// Claims about the check of conversations: what is refused, under which code and name, and that the
// result is a frozen copy.
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
  const refusals: [why: string, value: unknown, path: string][] = [
    ["no list", "Hi", "messages"],
    ["no list", undefined, "messages"],
    ["no messages", [], "messages"],
    ["no object", ["Hi"], "messages[0]"],
    ["null", [null], "messages[0]"],
    ["unknown role", [{ role: "function", content: "x" }], "messages[0].role"],
    ["a role that every object has", [{ role: "constructor", content: "x" }], "messages[0].role"],
    ["a role that JSON cannot write", [{ role: 1n, content: "x" }], "messages[0].role"],
    ["a hole", Object.assign(Array<unknown>(3), { 0: user, 2: user }), "messages[1]"],
    ["role of another type", [{ role: 1, content: "x" }], "messages[0].role"],
    ["missing role", [{ content: "x" }], "messages[0].role"],
    ["empty user content", [{ role: "user", content: "" }], "messages[0].content"],
    ["null content", [{ role: "user", content: null }], "messages[0].content"],
    [
      "a part that is no text",
      [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }],
      "messages[0].content[0].type",
    ],
    ["a part without text", [{ role: "user", content: [{ type: "text" }] }], "content[0].text"],
    ["no parts of a user", [{ role: "user", content: [] }], "messages[0].content"],
    ["missing content of a tool", [user, calling("a"), { role: "tool" }], "messages[2].content"],
    ["a name that is no text", [{ ...user, name: 1 }], "messages[0].name"],
    ["half an emoji", [{ role: "user", content: "a\ud83d" }], "messages[0].content"],
    ["misspelt key", [{ role: "user", contents: "x" }], "messages[0]"],
    ["a key of a result on a user message", [{ ...user, reasoning: "x" }], "messages[0]"],
    ["tool without a call", [user, { role: "tool", content: "x" }], "messages[1]"],
    [
      "tool after a user turn",
      [user, calling("a"), { role: "tool", content: "x" }, user, { role: "tool", content: "x" }],
      "messages[4]",
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
    ["calls that are no list", [{ role: "assistant", toolCalls: {} }], "messages[0].toolCalls"],
    ["a call without a result", [user, calling("a")], "messages[1].toolCalls[0]"],
    ["a call without a result before a user turn", [user, calling("a"), user], "toolCalls[0]"],
    [
      "one result of two, by id",
      [user, calling("a", "b"), { role: "tool", content: "x", toolCallId: "b" }, user],
      "messages[1].toolCalls[0]",
    ],
    [
      "one result of two, without an id",
      [user, calling("a", "b"), { role: "tool", content: "x" }, user],
      "messages[1].toolCalls[1]",
    ],
    ...["1", "[1]", "null", "{", "text", '"x"'].map((text): [string, unknown, string] => [
      `arguments that are the text ${text}`,
      [{ role: "assistant", toolCalls: [{ id: "a", name: "f", arguments: text }] }],
      "messages[0].toolCalls[0].arguments",
    ]),
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

  it.each(refusals)("for %s", (_why, value, path) => {
    let caught: unknown;
    try {
      checkMessages(value);
    } catch (error) {
      caught = error;
    }
    expect(isR1Error(caught, "INVALID_MESSAGE")).toBe(true);
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
    const checked = checkMessages(value, { mayEndInCalls: true });
    (value[1] as { content: string }).content = "changed";
    args.list.push(2);
    expect(checked[1]?.content).toBe("Hi");
    expect(checked[2]?.toolCalls?.[0]?.arguments).toEqual({ list: [1], __proto__x: 1 });
    expect(Object.isFrozen(checked[2]?.toolCalls?.[0]?.arguments)).toBe(true);
  });

  it("keeps a key named __proto__ as data", () => {
    const args = JSON.parse('{"__proto__": {"polluted": true}}') as unknown;
    const checked = checkMessages(
      [
        user,
        { role: "assistant", content: "", toolCalls: [{ id: "a", name: "f", arguments: args }] },
      ],
      { mayEndInCalls: true },
    );
    expect(JSON.stringify(checked[1]?.toolCalls?.[0]?.arguments)).toBe(
      '{"__proto__":{"polluted":true}}',
    );
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  const result = (content: string, toolCallId?: string): object => ({
    role: "tool",
    content,
    ...(toolCallId === undefined ? {} : { toolCallId }),
  });
  const contents = (value: unknown): string[] =>
    checkMessages(value)
      .filter((message) => message.role === "tool")
      .map((message) => message.content);

  it("has results in the order of their calls, whatever order they came in", () => {
    const calls = calling("a", "b", "c");
    expect(contents([user, calls, result("C", "c"), result("A", "a"), result("B", "b")])).toEqual([
      "A",
      "B",
      "C",
    ]);
    expect(contents([user, calls, result("A"), result("B"), result("C")])).toEqual(["A", "B", "C"]);
  });

  it("has results without an id in the places that the others leave", () => {
    const calls = calling("a", "b", "c");
    expect(contents([user, calls, result("B", "b"), result("A"), result("C")])).toEqual([
      "A",
      "B",
      "C",
    ]);
    expect(contents([user, calls, result("A"), result("C"), result("B", "b")])).toEqual([
      "A",
      "B",
      "C",
    ]);
  });

  it("orders each round of calls by itself, also when rounds repeat the ids", () => {
    const round = [calling("a", "b"), result("B", "b"), result("A", "a")];
    expect(contents([user, ...round, ...round, user])).toEqual(["A", "B", "A", "B"]);
  });

  it("keeps a result with its call for every order of any number of results", () => {
    const orders = fc
      .integer({ min: 1, max: 12 })
      .chain((n) => fc.shuffledSubarray([...Array(n).keys()], { minLength: n, maxLength: n }));
    fc.assert(
      fc.property(orders, (order) => {
        const calls = calling(...order.map((_, i) => `id${i}`));
        const results = order.map((i) => result(`result ${i}`, `id${i}`));
        expect(contents([user, calls, ...results])).toEqual(order.map((_, i) => `result ${i}`));
      }),
    );
  });

  it("may end in calls where a session waits for their results", () => {
    const value = [user, calling("a", "b"), result("B", "b")];
    expect(checkMessages(value, { mayEndInCalls: true })).toHaveLength(3);
    expect(() => checkMessages(value)).toThrow('toolCalls[0]` (f, id "a") has no result');
  });

  it("takes the role developer as system, and drops names", () => {
    expect(checkMessages([{ role: "developer", content: "Be brief.", name: "ops" }])).toEqual([
      { role: "system", content: "Be brief." },
    ]);
  });

  it("joins text parts with nothing between them", () => {
    const parts = ["What", " is ", "1+1?"].map((text) => ({ type: "text", text }));
    expect(checkMessages([{ role: "user", content: parts }])).toEqual([
      { role: "user", content: "What is 1+1?" },
    ]);
  });

  it("may have empty and missing contents of assistants, and empty results", () => {
    const checked = checkMessages([
      { role: "system", content: "" },
      user,
      { role: "assistant", content: "" },
      user,
      { role: "assistant", content: null, toolCalls: [] },
      user,
      { ...calling("a"), content: undefined },
      result("", "a"),
      { role: "assistant", content: [], toolCalls: null },
    ]);
    expect(checked.map((message) => message.content)).toEqual([
      "",
      "Hi",
      "",
      "Hi",
      "",
      "Hi",
      "",
      "",
      "",
    ]);
    expect(checked.filter((message) => message.toolCalls !== undefined)).toHaveLength(1);
  });

  it("takes the result of a generation that was spread into it", () => {
    const spread = {
      role: "assistant",
      reasoning: "Easy.",
      answer: "It's 2.",
      text: "<think>Easy.</think>It's 2.",
      tokens: Int32Array.of(1, 2),
      finishReason: "stop",
      seed: 1,
      usage: {},
      timings: {},
      logprobs: [],
      toolCalls: [],
    };
    expect(checkMessages([user, spread])[1]).toEqual({ role: "assistant", content: "It's 2." });
    expect(checkMessages([user, { ...spread, content: "Two." }])[1]?.content).toBe("Two.");
  });

  it.each([
    ['{"a": 1}', { a: 1 }],
    ["", {}],
    [" ", {}],
    ["{}", {}],
  ])("reads arguments from the JSON text %j", (text, data) => {
    const value = [
      user,
      { role: "assistant", toolCalls: [{ id: "a", name: "f", arguments: text }] },
      result("x"),
    ];
    expect(checkMessages(value)[1]?.toolCalls?.[0]?.arguments).toEqual(data);
  });

  it("names the right key for one of OpenAI's, or a misspelt one", () => {
    const refusal = (message: object): string => {
      try {
        checkMessages([message]);
      } catch (error) {
        return String(error);
      }
      return "";
    };
    expect(refusal({ role: "assistant", content: "x", tool_calls: [] })).toContain("`toolCalls`");
    expect(refusal({ role: "tool", content: "x", tool_call_id: "a" })).toContain("fromOpenAI");
    expect(refusal({ role: "user", contents: "x" })).toContain("Did you mean `content`?");
  });
});
