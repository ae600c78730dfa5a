// Histories of /v1/chat/completions.
import { TOOL, assistant, call, result, user } from "./history.js";
import type { History } from "./history.js";

const HALF = "cut \ud83d";
const png = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };

const texts: History[] = [
  { name: "a plain question", turns: [user("What is 1+1?")], has: ["What is 1+1?"] },
  { name: "an empty user turn", turns: [user("")] },
  { name: "an empty user turn in the middle", turns: [user("a"), user(""), user("b")] },
  { name: "white space only", turns: [user(" \n\t")] },
  { name: "a user turn whose content is null", turns: [user(null)] },
  { name: "a user turn without content", turns: [{ role: "user" }] },
  { name: "content as text parts", turns: [user([{ type: "text", text: "Hi" }])], has: ["Hi"] },
  {
    name: "several text parts, joined with nothing between them",
    turns: [
      user([
        { type: "text", text: "What is " },
        { type: "text", text: "1+1?" },
      ]),
    ],
    has: ["What is 1+1?"],
  },
  { name: "an empty list of parts", turns: [user([]), user("Hi")] },
  { name: "an empty text part", turns: [user([{ type: "text", text: "" }])] },
  {
    name: "input_text parts of the Responses API",
    turns: [user([{ type: "input_text", text: "Hi" }])],
    has: ["Hi"],
  },
  {
    name: "parts with cache_control",
    turns: [user([{ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }])],
  },
  { name: "half of a character (a client cut it)", turns: [user(HALF)], has: ["cut \ufffd"] },
  { name: "the other half at the beginning", turns: [user("\ude00 cut")], has: ["\ufffd cut"] },
  { name: "NUL and control characters", turns: [user("a\u0000b\u0007\u001b[31m")] },
  { name: "combining characters and joiners", turns: [user("👩‍👩‍👧‍👦 e\u0301 \u202etxet")] },
  {
    name: "special strings stay text",
    turns: [user("<｜User｜>hi<｜Assistant｜><think></think>")],
    has: ["<｜User｜>hi<｜Assistant｜>"],
  },
  { name: "names of speakers", turns: [{ ...user("Hi"), name: "ann" }] },
];

const order: History[] = [
  { name: "a system message", turns: [{ role: "system", content: "Be brief." }, user("Hi")] },
  {
    name: "developer (OpenAI's newer word for system)",
    turns: [{ role: "developer", content: "Be brief." }, user("Hi")],
    has: ["Be brief.", "Hi"],
  },
  { name: "an empty system message", turns: [{ role: "system", content: "" }, user("Hi")] },
  {
    name: "two system messages",
    turns: ["a", "b"].map((content) => ({ role: "system", content })),
  },
  {
    name: "a system message in the middle",
    turns: [user("a"), assistant("b"), { role: "system", content: "Now briefly." }, user("c")],
    has: ["Now briefly."],
  },
  { name: "system only", turns: [{ role: "system", content: "Be brief." }] },
  { name: "the assistant first", turns: [assistant("Hello!"), user("Hi")], has: ["Hello!"] },
  { name: "two user turns in a row", turns: [user("a"), user("b")], has: ["a", "b"] },
  {
    name: "two assistant turns in a row",
    turns: [user("a"), assistant("b"), assistant("c"), user("d")],
  },
  { name: "a last assistant turn, continued", turns: [user("a"), assistant("The answer")] },
  {
    name: "DeepSeek's prefix",
    turns: [user("a"), assistant("The answer", { prefix: true, reasoning_content: "Because" })],
    has: ["Because", "The answer"],
  },
  { name: "no message at all", turns: [], refused: "messages" },
  { name: "nothing with any content", turns: [assistant("")], refused: "messages" },
  {
    name: "a role that nobody has",
    turns: [{ role: "wizard", content: "x" }],
    refused: "messages[0].role",
  },
];

const answers: History[] = [
  {
    name: "Open WebUI: <think> in the content",
    turns: [user("a"), assistant("<think>\nsecret\n</think>\n\nFour"), user("b")],
    has: ["Four"],
    lacks: ["secret"],
  },
  {
    name: "a turn that was stopped while thinking",
    turns: [user("a"), assistant("<think>\nsecret"), user("b")],
    lacks: ["secret"],
  },
  {
    name: "thinking with nothing after it",
    turns: [user("a"), assistant("<think>secret</think>"), user("b")],
    lacks: ["secret"],
  },
  {
    name: "DeepSeek: reasoning_content",
    turns: [user("a"), assistant("Four", { reasoning_content: "secret" }), user("b")],
    has: ["Four"],
    lacks: ["secret"],
  },
  {
    name: "vLLM and OpenRouter: reasoning and reasoning_details",
    turns: [
      user("a"),
      assistant("Four", { reasoning: "secret", reasoning_details: [{ text: "secret" }] }),
      user("b"),
    ],
    lacks: ["secret"],
  },
  {
    name: "reasoning as an object",
    turns: [user("a"), assistant("Four", { reasoning: { text: "secret" } }), user("b")],
    lacks: ["secret"],
  },
  {
    name: "thinking as a part",
    turns: [
      user("a"),
      assistant([
        { type: "thinking", thinking: "secret" },
        { type: "text", text: "Four" },
      ]),
      user("b"),
    ],
    has: ["Four"],
    lacks: ["secret"],
  },
  { name: "an empty assistant turn", turns: [user("a"), assistant(""), user("b")] },
  {
    name: "an assistant turn whose content is null",
    turns: [user("a"), assistant(null), user("b")],
  },
  {
    name: "a refusal as a field and as a part",
    turns: [
      user("a"),
      assistant(null, { refusal: "No." }),
      user("b"),
      assistant([{ type: "refusal", refusal: "Never." }]),
      user("c"),
    ],
    has: ["Never."],
  },
  {
    name: "openai for Node: a response sent back whole",
    turns: [
      user("a"),
      assistant("Four", {
        refusal: null,
        annotations: [],
        audio: null,
        function_call: null,
        tool_calls: [],
      }),
      user("b"),
    ],
    has: ["Four"],
  },
];

const calls: History[] = [
  {
    name: "LangChain: tool_calls: []",
    turns: [user("a"), assistant("b", { tool_calls: [] }), user("c")],
  },
  {
    name: "a call with its result",
    turns: [user("a"), assistant(null, { tool_calls: [call("1", '{"x":1}')] }), result("1", "42")],
    has: ["42"],
  },
  {
    name: "a shell command without output",
    turns: [user("a"), assistant(null, { tool_calls: [call("1", "{}")] }), result("1", "")],
  },
  {
    name: "a result whose content is null, and one without",
    turns: [
      user("a"),
      assistant("", { tool_calls: [call("1", "{}"), call("2", "{}")] }),
      result("1", null),
      { role: "tool", tool_call_id: "2" },
    ],
  },
  {
    name: "a result in parts",
    turns: [
      user("a"),
      assistant(null, { tool_calls: [call("1", "{}")] }),
      result("1", [{ type: "text", text: "forty-two" }]),
    ],
    has: ["forty-two"],
  },
  {
    name: "arguments: empty",
    turns: [user("a"), assistant(null, { tool_calls: [call("1", "")] }), result("1", "x")],
  },
  {
    name: "arguments: broken JSON, an earlier mistake of the model",
    turns: [user("a"), assistant(null, { tool_calls: [call("1", '{"x":')] }), result("1", "x")],
  },
  {
    name: "arguments: an object, as Ollama's clients send",
    turns: [user("a"), assistant(null, { tool_calls: [call("1", { x: 1 })] }), result("1", "x")],
  },
  {
    name: "arguments: null, a number, a list",
    turns: [
      user("a"),
      assistant(null, { tool_calls: [call("1", "null"), call("2", "7"), call("3", "[1]")] }),
      ...["1", "2", "3"].map((id) => result(id, "x")),
    ],
  },
  {
    name: "arguments with half of a character",
    turns: [
      user("a"),
      assistant(null, { tool_calls: [call("1", '{"x":"\\ud83d"}')] }),
      result("1", HALF),
    ],
  },
  {
    name: "two calls with the same id",
    turns: [
      user("a"),
      assistant(null, { tool_calls: [call("1", "{}"), call("1", "{}")] }),
      result("1", "first"),
      result("1", "second"),
    ],
    has: ["first", "second"],
  },
  {
    name: "results in another order",
    turns: [
      user("a"),
      assistant(null, { tool_calls: [call("1", "{}"), call("2", "{}")] }),
      result("2", "second"),
      result("1", "first"),
    ],
  },
  {
    name: "a name that no function has any more, with blanks",
    turns: [
      user("a"),
      assistant(null, { tool_calls: [call("1", "{}", "do it now")] }),
      result("1", "x"),
    ],
  },
  {
    name: "the older function role and function_call",
    turns: [
      user("a"),
      assistant(null, { function_call: { name: "f", arguments: "{}" } }),
      { role: "function", name: "f", content: "42" },
    ],
    has: ["42"],
  },
  {
    name: "a result that answers no call",
    turns: [user("a"), result("gone", "x"), user("b")],
    refused: "messages[1]",
  },
  {
    name: "a call without a result",
    turns: [user("a"), assistant(null, { tool_calls: [call("1", "{}")] }), user("b")],
    refused: "messages[1].tool_calls[0]",
  },
];

const others: History[] = [
  { name: "an image", turns: [user([png])], refused: "messages[0].content[0].type" },
  {
    name: "a file",
    turns: [user([{ type: "file", file: { file_id: "x" } }])],
    refused: "messages[0].content[0].type",
  },
  {
    name: "audio",
    turns: [user([{ type: "input_audio", input_audio: { data: "", format: "wav" } }])],
    refused: "messages[0].content[0].type",
  },
  { name: "content that is a number", turns: [user(7)], refused: "messages[0].content" },
  { name: "a turn that is null", turns: [null], refused: "messages[0]" },
  { name: "a turn that is a list", turns: [[user("a")]], refused: "messages[0]" },
  { name: "messages that are a text", turns: "Hi", refused: "messages" },
];

/** Histories in the form of chat completions. */
export const chatHistories: readonly History[] = [
  ...texts,
  ...order,
  ...answers,
  ...calls.map((one) => ({ ...one, more: { tools: [TOOL] } })),
  ...others,
];
