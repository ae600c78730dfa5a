// An agent's loop of three rounds over two tools, with messages as the packages `openai` and `ai`
// put them. Results come out of order, one of them is empty.
import type { ModelMessage } from "ai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { describe, expect, it } from "vitest";
import type { ChatMessageInput } from "../../lib/base/types.js";
import { fromAiSdk } from "../../lib/template/from-ai-sdk.js";
import { fromOpenAI } from "../../lib/template/from-openai.js";
import { checkMessages } from "../../lib/template/messages.js";
import { renderChat } from "../../lib/template/r1.js";

/** Calls of a round, and their results in the order in which they came back. */
const ROUNDS = [
  {
    calls: [
      { id: "w1", name: "weather", input: { city: "Paris" } },
      { id: "t1", name: "time", input: { zone: "CET" } },
    ],
    results: [
      { id: "t1", name: "time", text: "noon" },
      { id: "w1", name: "weather", text: "" },
    ],
  },
  {
    calls: [
      { id: "t2", name: "time", input: {} },
      { id: "w2", name: "weather", input: { city: "Rome" } },
    ],
    results: [
      { id: "w2", name: "weather", text: "sun" },
      { id: "t2", name: "time", text: "one" },
    ],
  },
  {
    calls: [{ id: "w3", name: "weather", input: { city: "Oslo" } }],
    results: [{ id: "w3", name: "weather", text: "snow" }],
  },
] as const;

const openai: ChatCompletionMessageParam[] = [
  { role: "developer", content: "Be brief." },
  {
    role: "user",
    content: [
      { type: "text", text: "Weather " },
      { type: "text", text: "and time?" },
    ],
  },
  ...ROUNDS.flatMap(({ calls, results }): ChatCompletionMessageParam[] => [
    {
      role: "assistant",
      content: null,
      refusal: null,
      tool_calls: calls.map(({ id, name, input }) => ({
        id,
        type: "function",
        function: { name, arguments: JSON.stringify(input) },
      })),
    },
    ...results.map(({ id, text }): ChatCompletionMessageParam => ({
      role: "tool",
      tool_call_id: id,
      content: [{ type: "text", text }],
    })),
  ]),
];

const ai: ModelMessage[] = [
  { role: "system", content: "Be brief." },
  {
    role: "user",
    content: [
      { type: "text", text: "Weather " },
      { type: "text", text: "and time?" },
    ],
  },
  ...ROUNDS.flatMap(({ calls, results }): ModelMessage[] => [
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "Ask." },
        ...calls.map(({ id, name, input }) => ({
          type: "tool-call" as const,
          toolCallId: id,
          toolName: name,
          input,
        })),
      ],
    },
    {
      role: "tool",
      content: results.map(({ id, name, text }) => ({
        type: "tool-result" as const,
        toolCallId: id,
        toolName: name,
        output: { type: "text" as const, value: text },
      })),
    },
  ]),
];

/** The loop's turns so far: the conversation that each round sends. */
const turnsOf = (messages: readonly ChatMessageInput[]): ChatMessageInput[][] =>
  messages
    .map((_, i) => messages.slice(0, i + 1))
    .filter((turn, i) => {
      const next = messages[i + 1];
      return turn.at(-1)?.role === "tool" && next?.role !== "tool";
    });

describe.each([
  ["openai", fromOpenAI(openai)],
  ["ai", fromAiSdk(ai)],
])("an agent's loop with messages of the package %s", (_package, converted) => {
  it("gives each result to its call, in every round", () => {
    const turns = turnsOf(converted);
    expect(turns).toHaveLength(ROUNDS.length);
    turns.forEach((turn, round) => {
      const checked = checkMessages(turn);
      const expected = ROUNDS.slice(0, round + 1).flatMap(({ calls, results }) => [
        {
          role: "assistant",
          content: "",
          toolCalls: calls.map(({ id, name, input }) => ({ id, name, arguments: input })),
        },
        ...calls.map(({ id }) => ({
          role: "tool",
          content: results.find((result) => result.id === id)?.text,
          toolCallId: id,
        })),
      ]);
      expect(checked).toEqual([
        { role: "system", content: "Be brief." },
        { role: "user", content: "Weather and time?" },
        ...expected,
      ]);
    });
  });

  it("is one prompt that grows: each round begins with the one before", () => {
    const prompts = turnsOf(converted).map((turn) =>
      renderChat(checkMessages(turn), {
        openThink: false,
        skipThink: false,
        generationPrompt: false,
        tools: [],
      }).map((segment) => JSON.stringify(segment)),
    );
    prompts.slice(1).forEach((prompt, i) => {
      const before = prompts[i] ?? [];
      expect(prompt.length).toBeGreaterThan(before.length);
      expect(prompt.slice(0, before.length)).toEqual(before);
    });
    const last = prompts.at(-1)?.join("") ?? "";
    for (const text of ["noon", "sun", "one", "snow"]) expect(last).toContain(text);
  });
});

it("an agent's loop reads the same from both packages", () => {
  expect(checkMessages(fromAiSdk(ai))).toEqual(checkMessages(fromOpenAI(openai)));
});
