// Histories of /v1/messages.
import { assistant, user } from "./history.js";
import type { History } from "./history.js";

const text = (value: string): object => ({ type: "text", text: value });
const use = (id: unknown, input: unknown): object => ({ type: "tool_use", id, name: "f", input });
const result = (tool_use_id: unknown, content?: unknown, more: object = {}): object => ({
  type: "tool_result",
  tool_use_id,
  content,
  ...more,
});
const png = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };
const exchange = (answer: object): object[] => [
  user("a"),
  assistant([use("1", {})]),
  user([answer]),
];

/** Histories in the form of the Messages API. */
export const messagesHistories: readonly History[] = [
  { name: "a text", turns: [user("What is 1+1?")] },
  {
    name: "blocks with cache_control",
    turns: [user([{ ...text("Hi"), cache_control: { type: "ephemeral" } }])],
  },
  { name: "an empty text", turns: [user("")] },
  { name: "no blocks", turns: [user([]), user("Hi")] },
  { name: "content that is null", turns: [user(null)] },
  { name: "half of a character", turns: [user("cut \ud83d")] },
  {
    name: "thinking sent back, with and without its text",
    turns: [
      user("a"),
      assistant([
        { type: "thinking", thinking: "hm", signature: "x" },
        { type: "redacted_thinking", data: "x" },
        text("b"),
      ]),
      user("c"),
    ],
  },
  { name: "a result as text", turns: exchange(result("1", "42")) },
  { name: "a result in blocks", turns: exchange(result("1", [text("42")])) },
  { name: "a result without content", turns: exchange(result("1")) },
  { name: "an empty result", turns: exchange(result("1", "")) },
  { name: "a result with an image", turns: exchange(result("1", [png, text("42")])) },
  { name: "a result with null in it", turns: exchange(result("1", [null])) },
  { name: "a failed result", turns: exchange(result("1", "no such file", { is_error: true })) },
  { name: "a result and a question after it", turns: [...exchange(result("1", "42")), user("b")] },
  {
    name: "input that is null",
    turns: [user("a"), assistant([use("1", null)]), user([result("1", "x")])],
  },
  { name: "a continued last turn", turns: [user("a"), assistant("The answer")] },
  { name: "two user turns in a row", turns: [user("a"), user("b")] },
  { name: "an empty assistant turn", turns: [user("a"), assistant([]), user("b")] },
  {
    name: "a system turn in the middle",
    turns: [user("a"), { role: "system", content: "x" }, user("b")],
  },
  {
    name: "Claude Code: reminders beside the question, a tool that runs at Anthropic's",
    turns: [
      user([text("<system-reminder>\nx\n</system-reminder>\n"), text("a")]),
      assistant([
        { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
        text("b"),
      ]),
      user("c"),
    ],
    more: { system: [text("x-anthropic-billing-header: cc_version=2; cch=1;"), text("Be brief.")] },
  },
  { name: "an image", turns: [user([png])], refused: "messages[0].content[0]" },
  { name: "no message", turns: [], refused: "messages" },
  { name: "a turn that is a text", turns: ["Hi"], refused: "messages[0]" },
  { name: "a block that is null", turns: [user([null])], refused: "messages[0].content[0]" },
];
