// Converts conversations of the Vercel AI SDK (package `ai`), whose messages are lists of parts.
import { describe } from "../base/check.js";
import type { ChatMessageInput, TextPart, ToolCallInput } from "../base/types.js";
import { refuseMessage } from "./refuse-message.js";

/** A message of the `ai` package (`ModelMessage`), as far as it is used here. */
export interface AiSdkMessage {
  readonly role: string;
  readonly content: unknown;
}

type Fields = Record<string, unknown>;

function fields(value: unknown, path: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuseMessage(path, `must be an object, not ${describe(value)}.`);
  return value as Fields;
}

/** The result of a tool as text for the model: text unchanged, data as JSON. */
function outputText(value: unknown, path: string): string | readonly TextPart[] {
  const output = fields(value, path);
  const data = output["value"];
  switch (output["type"]) {
    case "text":
    case "error-text":
      return data as string;
    case "json":
    case "error-json":
      return JSON.stringify(data) ?? "null";
    case "content":
      return data as readonly TextPart[];
    case "execution-denied": {
      const reason = output["reason"];
      return typeof reason === "string" ? reason : "The user did not allow this call.";
    }
    default:
      return refuseMessage(
        `${path}.type`,
        `must be text, json, error-text, error-json, content or execution-denied, ` +
          `not ${describe(output["type"])}.`,
      );
  }
}

function toolResult(part: Fields, path: string): ChatMessageInput {
  return {
    role: "tool",
    content: outputText(part["output"], `${path}.output`),
    toolCallId: part["toolCallId"] as string,
  };
}

/**
 * Converts an assistant's parts: text and calls are kept, reasoning is dropped, and results become
 * messages.
 */
function assistantMessages(parts: readonly unknown[], path: string): ChatMessageInput[] {
  const content: TextPart[] = [];
  const toolCalls: ToolCallInput[] = [];
  const results: ChatMessageInput[] = [];
  parts.forEach((element, i) => {
    const at = `${path}[${i}]`;
    const part = fields(element, at);
    const { type } = part;
    if (type === "text") content.push(part as unknown as TextPart);
    else if (type === "tool-call")
      toolCalls.push({
        id: part["toolCallId"] as string,
        name: part["toolName"] as string,
        arguments: part["input"] ?? {},
      });
    else if (type === "tool-result") results.push(toolResult(part, at));
    else if (type !== "reasoning" && type !== "tool-approval-request")
      refuseMessage(
        `${at}.type`,
        `must be text, reasoning, tool-call or tool-result, not ${describe(type)}.`,
      );
  });
  return [
    { role: "assistant", content, ...(toolCalls.length === 0 ? {} : { toolCalls }) },
    ...results,
  ];
}

/** Converts the results of one tool message to one message each. */
function toolMessages(parts: unknown, path: string): ChatMessageInput[] {
  if (!Array.isArray(parts))
    refuseMessage(path, `must be an array of tool results, not ${describe(parts)}.`);
  return Array.from(parts as unknown[], (element, i) => fields(element, `${path}[${i}]`)).flatMap(
    (part, i) => {
      const at = `${path}[${i}]`;
      if (part["type"] === "tool-approval-response") return [];
      if (part["type"] !== "tool-result")
        refuseMessage(`${at}.type`, `must be "tool-result", not ${describe(part["type"])}.`);
      return [toolResult(part, at)];
    },
  );
}

/**
 * Converts messages of the AI SDK to those of `chat`. Parts `text`, `tool-call` and `tool-result`
 * are converted, `reasoning` is dropped; a tool message with several results becomes several
 * messages.
 *
 * @param messages - `ModelMessage[]`, e.g. what `convertToModelMessages` returns.
 * @returns Messages for `chat`, `formatChat` and sessions, which check them.
 * @throws {R1Error} `INVALID_MESSAGE` for images, files and anything that is not in the SDK's
 * format.
 * @example
 * ```ts
 * const reply = model.chat(fromAiSdk(await convertToModelMessages(uiMessages)));
 * ```
 */
export function fromAiSdk(messages: readonly AiSdkMessage[]): ChatMessageInput[] {
  if (!Array.isArray(messages))
    refuseMessage("messages", `must be an array of messages, not ${describe(messages)}.`);
  return Array.from(messages as readonly unknown[], (element, i) =>
    fields(element, `messages[${i}]`),
  ).flatMap(({ role, content }, i): ChatMessageInput[] => {
    const path = `messages[${i}].content`;
    if (role === "tool") return toolMessages(content, path);
    if (role === "assistant" && Array.isArray(content)) return assistantMessages(content, path);
    return [{ role, content } as ChatMessageInput];
  });
}
