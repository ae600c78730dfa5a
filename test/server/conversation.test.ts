// Histories as clients send them, in the one form that the model takes.
import { describe, expect, test } from "vitest";
import {
  callArguments,
  toConversation,
  withoutReasoning,
} from "../../lib/server/core/conversation.js";
import type { Turn } from "../../lib/server/core/conversation.js";

const user = (text: string, i = 0): Turn => ({ role: "user", text, path: `messages[${i}]` });
const assistant = (text: string, i = 1): Turn => ({
  role: "assistant",
  text,
  path: `messages[${i}]`,
});

describe("reasoning of earlier turns", () => {
  test.each([
    ["<think>\nhm\n</think>\n\nFour", "Four"],
    ["\n<think>never closed", ""],
    ["<think></think>", ""],
    ["Four", "Four"],
    ["Write <think> in your answer", "Write <think> in your answer"],
  ])("%j becomes %j", (text, answer) => expect(withoutReasoning(text)).toBe(answer));
});

describe("arguments of calls", () => {
  test.each([
    ["", {}],
    ["  ", {}],
    [null, {}],
    ['{"a":1}', { a: 1 }],
    [{ a: 1 }, { a: 1 }],
    ['{"a":', { arguments: '{"a":' }],
    ["[1]", { arguments: [1] }],
    ['{"a":"\\ud83d"}', { a: "\ufffd" }],
  ])("%j become %j", (given, data) => expect(callArguments(given)).toEqual(data));

  test("that are nested without end stay text", () => {
    const deep = `${'{"a":'.repeat(200)}1${"}".repeat(200)}`;
    expect(callArguments(deep)).toEqual({ arguments: deep });
  });
});

test("an assistant turn without text and calls is left out", () => {
  const { messages, pathOf } = toConversation(
    [user("a"), assistant("<think>x"), user("b", 2)],
    true,
  );
  expect(messages.map(({ role }) => role)).toEqual(["user", "user"]);
  expect(pathOf(1)).toBe("messages[2]");
});

test("halves of characters are replaced, and an empty user turn stays a turn", () => {
  const { messages } = toConversation([user("cut \ud83d"), user("")], true);
  expect(messages.map(({ content }) => content)).toEqual(["cut \ufffd", " "]);
});

test("calls whose ids repeat get ids of their own, and results go to them in order", () => {
  const calls = ["x", "x", "", undefined].map((id) => ({ id, name: "do it", arguments: "{}" }));
  const result = (callId: string, text: string): Turn => ({ role: "tool", text, path: "", callId });
  const { messages } = toConversation(
    [user("a"), { ...assistant(""), calls }, result("x", "1"), result("x", "2")],
    true,
  );
  const [, made, first, second] = messages;
  const ids = made?.toolCalls?.map(({ id }) => id) ?? [];
  expect(new Set(ids).size).toBe(4);
  expect(made?.toolCalls?.[0]?.name).toBe("do_it");
  expect([first?.toolCallId, second?.toolCallId]).toEqual(ids.slice(0, 2));
});

test("a last assistant turn is continued when it may be, with its reasoning", () => {
  const last: Turn = { ...assistant("The answer"), reasoning: "Because" };
  expect(toConversation([user("a"), last], true)).toMatchObject({
    continuesLast: true,
    messages: [{}, { role: "assistant", content: "The answer", reasoning: "Because" }],
  });
  expect(toConversation([user("a"), last], false).continuesLast).toBe(false);
});

test("a conversation without any content is refused", () => {
  expect(() => toConversation([assistant("")], true)).toThrow(/no message with any content/);
});

test("one id for very many calls and results takes no time to speak of", () => {
  const count = 50_000;
  const calls = Array.from({ length: count }, () => ({ id: "x", name: "f", arguments: "{}" }));
  const results = calls.map((): Turn => ({ role: "tool", text: "1", path: "", callId: "x" }));
  const { messages } = toConversation([user("a"), { ...assistant(""), calls }, ...results], true);
  const ids = messages[1]?.toolCalls?.map(({ id }) => id);
  expect(new Set(ids).size).toBe(count);
  expect(messages.slice(2).map(({ toolCallId }) => toolCallId)).toEqual(ids);
});
