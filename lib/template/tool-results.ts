// Matches results of tools with the calls they answer. R1's template writes no ids, so a result
// belongs to the call at the same position: results are sorted into the order of the calls.
import type { ChatMessage, ToolCall } from "../base/types.js";
import { refuseMessage } from "./refuse-message.js";

/** Calls of one assistant message, and the positions of the messages that answer them. */
interface OpenCalls {
  /** Index of the assistant message. */
  readonly at: number;
  readonly calls: readonly ToolCall[];
  /** Indexes of the tool messages, in the order in which they were given. */
  readonly places: number[];
}

/**
 * Returns the result of each call: first the results that name its id, then the others in order.
 */
function matchResults(
  { calls, places }: OpenCalls,
  messages: readonly ChatMessage[],
  path: string,
): Map<string, ChatMessage> {
  const ids = new Set(calls.map((call) => call.id));
  const results = new Map<string, ChatMessage>();
  const unnamed: number[] = [];
  for (const place of places) {
    const result = messages[place] as ChatMessage;
    const id = result.toolCallId;
    if (id === undefined) {
      unnamed.push(place);
      continue;
    }
    if (!ids.has(id) || results.has(id))
      refuseMessage(
        `${path}[${place}].toolCallId`,
        `is ${JSON.stringify(id)}, which is not the id of an unanswered call of the ` +
          "assistant message before it.",
      );
    results.set(id, result);
  }
  const rest = calls.filter((call) => !results.has(call.id));
  unnamed.forEach((place, i) => {
    const call = rest[i];
    if (call === undefined)
      refuseMessage(
        `${path}[${place}]`,
        "is one tool message too many: every call of the assistant message before it is answered.",
      );
    results.set(call.id, messages[place] as ChatMessage);
  });
  return results;
}

/**
 * Sorts the results of tools into the order of their calls.
 *
 * @param messages - Each already checked on its own.
 * @param mayEndInCalls - Whether the last calls may lack results.
 * @returns A new list.
 * @throws {R1Error} `INVALID_MESSAGE` for a result without a call, and for a call without a result,
 * because R1 would assign the next result to that call.
 */
export function orderResults(
  messages: readonly ChatMessage[],
  path: string,
  mayEndInCalls: boolean,
): ChatMessage[] {
  const ordered = [...messages];
  let open: OpenCalls | undefined;
  const close = (isEnd: boolean): void => {
    if (open === undefined) return;
    const { at, calls, places } = open;
    const results = matchResults(open, messages, path);
    const missing = calls.findIndex((call) => !results.has(call.id));
    if (missing >= 0 && !(isEnd && mayEndInCalls)) {
      const { name, id } = calls[missing] as ToolCall;
      refuseMessage(
        `${path}[${at}].toolCalls[${missing}]`,
        `(${name}, id ${JSON.stringify(id)}) has no result. Add a tool message with this ` +
          "`toolCallId` after it; its content may be empty.",
      );
    }
    const inOrder = calls.flatMap((call) => results.get(call.id) ?? []);
    places.forEach((place, i) => (ordered[place] = inOrder[i] as ChatMessage));
    open = undefined;
  };
  messages.forEach((message, at) => {
    if (message.role === "tool") {
      if (open === undefined)
        refuseMessage(
          `${path}[${at}]`,
          "is a tool message, but there is no assistant message with `toolCalls` before it.",
        );
      open.places.push(at);
    } else if (message.role !== "system") {
      close(false);
      if (message.toolCalls !== undefined) open = { at, calls: message.toolCalls, places: [] };
    }
  });
  close(true);
  return ordered;
}
