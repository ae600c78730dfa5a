// Histories of /v1/responses.
import { assistant, user } from "./history.js";
import type { History } from "./history.js";

const message = (role: string, content: unknown): object => ({ type: "message", role, content });
const said = (text: string): object => ({
  type: "output_text",
  text,
  annotations: [],
  logprobs: [],
});
const call = (call_id: unknown, args: unknown): object => ({
  type: "function_call",
  id: "fc_1",
  call_id,
  name: "f",
  arguments: args,
  status: "completed",
});
const output = (call_id: unknown, given: unknown): object => ({
  type: "function_call_output",
  call_id,
  output: given,
});

/** Histories in the form of the Responses API. */
export const responsesHistories: readonly History[] = [
  { name: "a text", turns: "What is 1+1?" },
  { name: "an empty text", turns: "" },
  { name: "half of a character", turns: "cut \ud83d" },
  { name: "turns without a type", turns: [user("a"), assistant("b"), user("c")] },
  {
    name: "openai for Node: output items sent back",
    turns: [
      message("user", [{ type: "input_text", text: "a" }]),
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "hm" }] },
      { ...message("assistant", [said("b")]), id: "msg_1", status: "completed" },
      message("user", "c"),
    ],
  },
  {
    name: "Codex: encrypted reasoning, developer turns",
    turns: [
      message("developer", [{ type: "input_text", text: "Be brief." }]),
      message("user", [{ type: "input_text", text: "a" }]),
      { type: "reasoning", summary: [], content: null, encrypted_content: "gAAAA" },
      message("assistant", [said("b")]),
      message("developer", [{ type: "input_text", text: "Be briefer." }]),
      message("user", [{ type: "input_text", text: "c" }]),
    ],
  },
  { name: "a call with its output", turns: [user("a"), call("1", '{"x":1}'), output("1", "42")] },
  { name: "an empty output", turns: [user("a"), call("1", "{}"), output("1", "")] },
  { name: "an output that is null", turns: [user("a"), call("1", "{}"), output("1", null)] },
  {
    name: "an output in parts, with an image and with null among them",
    turns: [
      user("a"),
      call("1", "{}"),
      output("1", [
        { type: "input_text", text: "x" },
        { type: "input_image", image_url: "y" },
        null,
      ]),
    ],
  },
  { name: "arguments that are no JSON", turns: [user("a"), call("1", '{"x":'), output("1", "x")] },
  {
    name: "arguments that are missing",
    turns: [user("a"), call("1", undefined), output("1", "x")],
  },
  {
    name: "two calls, the outputs in another order",
    turns: [user("a"), call("1", "{}"), call("2", "{}"), output("2", "x"), output("1", "y")],
  },
  {
    name: "items of other tools",
    turns: [
      user("a"),
      { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search" } },
      { type: "local_shell_call", call_id: "1", action: { type: "exec", command: ["ls"] } },
      { type: "custom_tool_call", call_id: "2", name: "apply_patch", input: "x" },
      { type: "compaction", encrypted_content: "x" },
      user("b"),
    ],
  },
  {
    name: "a refusal",
    turns: [user("a"), message("assistant", [{ type: "refusal", refusal: "No" }]), user("b")],
  },
  {
    name: "an assistant turn without content",
    turns: [user("a"), message("assistant", []), user("b")],
  },
  {
    name: "an image",
    turns: [message("user", [{ type: "input_image", image_url: "x" }])],
    refused: "input[0].content[0]",
  },
  { name: "nothing to answer", turns: [message("developer", "x")], refused: "input" },
  { name: "no items", turns: [], refused: "input" },
  {
    name: "an unknown reference",
    turns: [{ type: "item_reference", id: "msg_gone" }],
    refused: "input[0].id",
  },
  { name: "a part that is null", turns: [message("user", [null])], refused: "input[0].content[0]" },
  {
    name: "an output without its call",
    turns: [user("a"), output("gone", "x")],
    refused: "input[1]",
  },
];
