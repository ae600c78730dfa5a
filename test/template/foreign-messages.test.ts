// Claims about conversations of the packages `openai` and `ai`: converted, they read as R1's own.
import { convertToModelMessages, type ModelMessage, type UIMessage } from "ai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { fromAiSdk } from "../../lib/template/from-ai-sdk.js";
import { fromOpenAI } from "../../lib/template/from-openai.js";
import { checkMessages } from "../../lib/template/messages.js";

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isR1Error(error, "INVALID_MESSAGE")) return error.message;
    throw error;
  }
  return "not refused";
}

const ROUND = [
  { role: "user", content: "Weather and time?" },
  {
    role: "assistant",
    content: "",
    toolCalls: [
      { id: "w", name: "weather", arguments: { city: "Paris" } },
      { id: "t", name: "time", arguments: {} },
    ],
  },
  { role: "tool", content: "", toolCallId: "w" },
  { role: "tool", content: "noon", toolCallId: "t" },
  { role: "assistant", content: "It is noon." },
];

describe("messages of OpenAI's package", () => {
  const given: ChatCompletionMessageParam[] = [
    { role: "developer", content: [{ type: "text", text: "Be brief." }] },
    { role: "user", content: "Weather and time?", name: "ann" },
    {
      role: "assistant",
      content: null,
      refusal: null,
      tool_calls: [
        { id: "w", type: "function", function: { name: "weather", arguments: '{"city":"Paris"}' } },
        { id: "t", type: "function", function: { name: "time", arguments: "" } },
      ],
    },
    { role: "tool", tool_call_id: "t", content: [{ type: "text", text: "noon" }] },
    { role: "tool", tool_call_id: "w", content: "" },
    { role: "assistant", content: [{ type: "text", text: "It is noon." }] },
  ];

  it("become R1's, with results in the order of their calls", () => {
    expect(checkMessages(fromOpenAI(given))).toEqual([
      { role: "system", content: "Be brief." },
      ...ROUND,
    ]);
  });

  it("lose what came back with a choice and means nothing to R1", () => {
    const message = {
      role: "assistant",
      content: "Hi.",
      reasoning_content: "Greet.",
      annotations: [],
      audio: null,
      tool_calls: [],
    };
    expect(checkMessages(fromOpenAI([{ role: "user", content: "Hi" }, message]))[1]).toEqual({
      role: "assistant",
      content: "Hi.",
    });
  });

  it("keep a refusal as the text that it is", () => {
    const refused: ChatCompletionMessageParam = {
      role: "assistant",
      content: [{ type: "refusal", refusal: "No." }],
    };
    expect(checkMessages(fromOpenAI([refused]))).toEqual([{ role: "assistant", content: "No." }]);
  });

  it.each([
    ["no list", {}, "messages"],
    ["a message that is none", [null], "messages[0]"],
    ["calls that are no list", [{ role: "assistant", tool_calls: {} }], "messages[0].tool_calls"],
    [
      "a call of another kind",
      [{ role: "assistant", tool_calls: [{ id: "a", type: "custom", custom: {} }] }],
      "messages[0].tool_calls[0].type",
    ],
    [
      "a call without a function",
      [{ role: "assistant", tool_calls: [{ id: "a" }] }],
      "messages[0].tool_calls[0].function",
    ],
    [
      "an image",
      [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }],
      "messages[0].content[0].type",
    ],
    ["an empty list", [], "messages"],
  ])("are refused by name: %s", (_what, messages, path) => {
    expect(refusal(() => checkMessages(fromOpenAI(messages as never)))).toContain(path);
  });
});

describe("messages of the AI SDK", () => {
  const given: ModelMessage[] = [
    { role: "user", content: [{ type: "text", text: "Weather and time?" }] },
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "Ask both." },
        { type: "tool-call", toolCallId: "w", toolName: "weather", input: { city: "Paris" } },
        { type: "tool-call", toolCallId: "t", toolName: "time", input: {} },
      ],
    },
    {
      role: "tool",
      content: [
        {
          type: "tool-result",
          toolCallId: "t",
          toolName: "time",
          output: { type: "text", value: "noon" },
        },
        {
          type: "tool-result",
          toolCallId: "w",
          toolName: "weather",
          output: { type: "text", value: "" },
        },
      ],
    },
    { role: "assistant", content: [{ type: "text", text: "It is noon." }] },
  ];

  it("become R1's, without reasoning and with results in the order of their calls", () => {
    expect(checkMessages(fromAiSdk(given))).toEqual(ROUND);
  });

  it("are those that the SDK makes of a conversation in a page", async () => {
    const shown: Omit<UIMessage, "id">[] = [
      { role: "user", parts: [{ type: "text", text: "Weather and time?" }] },
      {
        role: "assistant",
        parts: [
          { type: "step-start" },
          { type: "reasoning", text: "Ask both." },
          {
            type: "dynamic-tool",
            toolName: "weather",
            toolCallId: "w",
            state: "output-available",
            input: { city: "Paris" },
            output: { degrees: 20 },
          },
          {
            type: "dynamic-tool",
            toolName: "time",
            toolCallId: "t",
            state: "output-error",
            input: {},
            errorText: "no clock",
          },
          { type: "step-start" },
          { type: "text", text: "20 degrees." },
        ],
      },
    ];
    const checked = checkMessages(fromAiSdk(await convertToModelMessages(shown)));
    expect(checked.map(({ role, content }) => [role, content])).toEqual([
      ["user", "Weather and time?"],
      ["assistant", ""],
      ["tool", '{"degrees":20}'],
      ["tool", "no clock"],
      ["assistant", "20 degrees."],
    ]);
  });

  it.each([
    ["json", { type: "json", value: { a: 1 } }, '{"a":1}'],
    ["null", { type: "json", value: null }, "null"],
    ["an error", { type: "error-text", value: "broken" }, "broken"],
    ["an error as data", { type: "error-json", value: [1] }, "[1]"],
    ["parts", { type: "content", value: [{ type: "text", text: "a" }] }, "a"],
    ["a call that was denied", { type: "execution-denied", reason: "not now" }, "not now"],
    ["a denial without words", { type: "execution-denied" }, "The user did not allow this call."],
  ])("give a result as text: %s", (_what, output, text) => {
    const calls = { type: "tool-call", toolCallId: "c", toolName: "f", input: {} };
    const result = { type: "tool-result", toolCallId: "c", toolName: "f", output };
    const checked = checkMessages(
      fromAiSdk([
        { role: "assistant", content: [calls] },
        { role: "tool", content: [result] },
      ]),
    );
    expect(checked[1]).toEqual({ role: "tool", content: text, toolCallId: "c" });
  });

  it.each([
    ["no list", {}, "messages"],
    ["an image", [{ role: "user", content: [{ type: "image", image: "x" }] }], "content[0].type"],
    ["a file of the assistant", [{ role: "assistant", content: [{ type: "file" }] }], "[0].type"],
    ["tool results that are text", [{ role: "tool", content: "x" }], "messages[0].content"],
    ["a part of a tool that is none", [{ role: "tool", content: [{ type: "text" }] }], "[0].type"],
    [
      "an output of no known kind",
      [{ role: "tool", content: [{ type: "tool-result", output: { type: "blob" } }] }],
      "output.type",
    ],
  ])("are refused by name: %s", (_what, messages, path) => {
    expect(refusal(() => checkMessages(fromAiSdk(messages as never)))).toContain(path);
  });
});
