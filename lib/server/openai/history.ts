// OpenAI's messages as turns of a conversation.
import { badRequest } from "../core/api-error.js";
import type { Turn, TurnCall } from "../core/conversation.js";
import type { WireMessage } from "./chat-fields.js";

const TEXT_TYPES = new Set(["text", "input_text", "output_text", "refusal"]);

/** Types of parts that carry an earlier turn's thinking. */
const THINKING_TYPES = new Set(["thinking", "reasoning", "redacted_thinking", "reasoning_text"]);

/** Content as one text; parts are joined with nothing between them, as OpenAI does. */
function contentText(content: WireMessage["content"], path: string): string {
  if (content === null || content === undefined) return "";
  if (typeof content === "string") return content;
  return content
    .map((part, i) => {
      if (THINKING_TYPES.has(part.type)) return "";
      const at = `${path}[${i}]`;
      if (!TEXT_TYPES.has(part.type))
        throw badRequest(
          `\`${at}.type\`: this model reads text only, not ${JSON.stringify(part.type.slice(0, 40))}.`,
          `${at}.type`,
          "unsupported_content",
        );
      const text = part["text"] ?? part["refusal"] ?? "";
      if (typeof text !== "string")
        throw badRequest(`\`${at}.text\`: Expected a string.`, `${at}.text`, "invalid_type");
      return text;
    })
    .join("");
}

function callsOf(message: WireMessage): TurnCall[] {
  const calls = (message.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  }));
  const { function_call: old } = message;
  if (calls.length > 0 || old === null || old === undefined) return calls;
  return [{ id: undefined, name: old.name, arguments: old.arguments }];
}

/** The thinking with which a continued turn begins. */
function reasoningOf({ reasoning_content, reasoning }: WireMessage): string | undefined {
  const given = reasoning_content ?? reasoning;
  return typeof given === "string" && given !== "" ? given : undefined;
}

/** The turns of a request. @throws {ApiError} 400 for content that is no text */
export function turnsOf(messages: readonly WireMessage[]): Turn[] {
  return messages.map((message, i) => {
    const path = `messages[${i}]`;
    const text = contentText(message.content, `${path}.content`);
    switch (message.role) {
      case "system":
      case "developer":
        return { role: "system", text, path };
      case "user":
        return { role: "user", text, path };
      case "assistant":
        return {
          role: "assistant",
          text,
          path,
          calls: callsOf(message),
          reasoning: reasoningOf(message),
        };
      case "tool":
      case "function":
        return { role: "tool", text, path, callId: message.tool_call_id };
    }
  });
}
