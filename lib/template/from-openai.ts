// Converts conversations of the `openai` package, in the format of its chat completions.
import { describe } from "../base/check.js";
import type { ChatMessageInput, ToolCallInput } from "../base/types.js";
import { refuseMessage } from "./refuse-message.js";

/**
 * A message of OpenAI's chat completions, as far as it is used here. `ChatCompletionMessageParam`
 * and the `message` of a choice are both accepted.
 */
export interface OpenAIMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly name?: string | null | undefined;
  readonly tool_calls?: readonly unknown[] | null | undefined;
  readonly tool_call_id?: string | null | undefined;
}

function record(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuseMessage(path, `must be an object, not ${describe(value)}.`);
  return value as Record<string, unknown>;
}

/** Text parts are kept; a refusal by the assistant is also text. */
function convertContent(value: unknown): ChatMessageInput["content"] {
  if (!Array.isArray(value)) return value as ChatMessageInput["content"];
  return value.map((part: unknown) => {
    const { type, refusal } = (part ?? {}) as { type?: unknown; refusal?: unknown };
    return (type === "refusal" ? { type: "text", text: refusal } : part) as {
      type: "text";
      text: string;
    };
  });
}

function convertCall(value: unknown, path: string): ToolCallInput {
  const call = record(value, path);
  if (call["type"] !== undefined && call["type"] !== "function")
    refuseMessage(`${path}.type`, `must be "function", not ${describe(call["type"])}.`);
  const made = record(call["function"], `${path}.function`);
  return {
    id: call["id"] as string,
    name: made["name"] as string,
    arguments: made["arguments"] ?? {},
  };
}

/**
 * Converts OpenAI's messages to those of `chat`: `tool_calls` and `tool_call_id` become `toolCalls`
 * and `toolCallId`. Arguments remain JSON text, which `chat` parses. Keys that have no meaning for
 * R1 (`refusal`, `audio`, `annotations`, reasoning of earlier turns) are dropped.
 *
 * @param messages - The `messages` of a request, or messages returned in a choice.
 * @returns Messages for `chat`, `formatChat` and sessions, which check them.
 * @throws {R1Error} `INVALID_MESSAGE` for anything that is not in OpenAI's format.
 * @example
 * ```ts
 * const reply = model.chat(fromOpenAI(request.messages), { tools: request.tools });
 * ```
 */
export function fromOpenAI(messages: readonly OpenAIMessage[]): ChatMessageInput[] {
  if (!Array.isArray(messages))
    refuseMessage("messages", `must be an array of messages, not ${describe(messages)}.`);
  return Array.from(messages as readonly unknown[], (element, i) => {
    const path = `messages[${i}]`;
    const message = record(element, path);
    const calls = message["tool_calls"];
    if (calls !== undefined && calls !== null && !Array.isArray(calls))
      refuseMessage(`${path}.tool_calls`, `must be an array, not ${describe(calls)}.`);
    const content = convertContent(message["content"]);
    const id = message["tool_call_id"] as string | null | undefined;
    return {
      role: message["role"] as ChatMessageInput["role"],
      ...(content === undefined ? {} : { content }),
      ...(calls === undefined || calls === null
        ? {}
        : {
            toolCalls: Array.from(calls as unknown[], (call, at) =>
              convertCall(call, `${path}.tool_calls[${at}]`),
            ),
          }),
      ...(id === undefined || id === null ? {} : { toolCallId: id }),
    };
  });
}
