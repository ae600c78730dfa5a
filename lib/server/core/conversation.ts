// Brings the history of any protocol into the one form that the model takes. What real clients send
// is mended: reasoning of earlier turns, empty turns, halves of characters, arguments that are no
// JSON, ids that repeat. What OpenAI's own server refuses is refused.
import type { ChatMessageInput } from "../../index.js";
import { badRequest } from "./api-error.js";

/** A call of an earlier assistant turn, as it came. */
export interface TurnCall {
  readonly id?: string | null | undefined;
  readonly name: string;
  /** Data, or JSON text that may be empty or broken. */
  readonly arguments: unknown;
}

/** A turn of the history, in the words of no protocol. */
export interface Turn {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
  /** Where the request has it, such as `messages[3]`. */
  readonly path: string;
  /** Of an assistant turn. */
  readonly calls?: readonly TurnCall[] | undefined;
  /** Of a tool turn: the id of the call that it answers. */
  readonly callId?: string | null | undefined;
  /** Of the last assistant turn, when it is continued. */
  readonly reasoning?: string | undefined;
}

/** A conversation as the model takes it. */
export interface Conversation {
  readonly messages: readonly ChatMessageInput[];
  /** The last message is the beginning of the reply. */
  readonly continuesLast: boolean;
  /** Text of the last user turn, for the rules of auxiliary requests; empty without one. */
  readonly lastUserText: string;
  /** The request's place of a message of the list. */
  readonly pathOf: (index: number) => string | undefined;
}

/** Deepest nesting of arguments that the model takes as data. */
const MAX_DEPTH = 60;

/** Node has it since version 20; the language version of this project's types does not. */
export function wellFormed(text: string): string {
  return (text as unknown as { toWellFormed(): string }).toWellFormed();
}

/**
 * An earlier answer without its reasoning. `<think>` that was never closed, from a turn that was
 * stopped, reaches to the end.
 */
export function withoutReasoning(text: string): string {
  const open = /^\s*<think>/.exec(text);
  if (open === null) return text;
  const close = text.indexOf("</think>", open[0].length);
  return close < 0 ? "" : text.slice(close + "</think>".length).trimStart();
}

/** Whether data can be taken as it is; mends halves of characters in place. */
function mended(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new RangeError("too deep");
  if (typeof value === "string") return wellFormed(value);
  if (Array.isArray(value)) return value.map((one) => mended(one, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [wellFormed(key), mended(one, depth + 1)]),
  );
}

/** Arguments as data. Text that is no JSON object, an earlier mistake of the model, stays as text. */
export function callArguments(given: unknown): Readonly<Record<string, unknown>> {
  let value = given;
  if (typeof given === "string") {
    if (given.trim() === "") return {};
    try {
      value = JSON.parse(given);
    } catch {
      return { arguments: wellFormed(given) };
    }
  }
  if (value === null || value === undefined) return {};
  try {
    const data = mended(value, 0);
    return typeof data === "object" && !Array.isArray(data)
      ? (data as Record<string, unknown>)
      : { arguments: data };
  } catch {
    return { arguments: wellFormed(typeof given === "string" ? given : JSON.stringify(given)) };
  }
}

/** The library takes letters, digits and some marks. */
function toolName(name: string): string {
  const plain = name.replace(/[^\w.:/-]/g, "_").slice(0, 256);
  return plain === "" ? "unknown" : plain;
}

/** The calls of the last assistant turn. */
interface OpenCalls {
  /** An id of its own for each. */
  readonly ids: readonly string[];
  /** Places of those that wait for a result, by the ids that the client gave; the last is next. */
  readonly waiting: ReadonlyMap<string, number[]>;
}

const NO_CALLS: OpenCalls = { ids: [], waiting: new Map() };

/** Takes time in proportion to the calls, however often an id repeats. */
function openCalls(calls: readonly TurnCall[]): OpenCalls {
  const taken = new Set<string>();
  /** How often each id came so far. */
  const counts = new Map<string, number>();
  const waiting = new Map<string, number[]>();
  const ids = calls.map(({ id: given }, i) => {
    const wished = given ? wellFormed(given) : `call_${i}`;
    let count = counts.get(wished) ?? 0;
    let id = wished;
    do {
      count++;
      if (count > 1) id = `${wished}_${count}`;
    } while (taken.has(id));
    counts.set(wished, count);
    taken.add(id);
    return id;
  });
  for (let i = calls.length - 1; i >= 0; i--) {
    const given = calls[i]?.id;
    if (!given) continue;
    const places = waiting.get(given);
    if (places === undefined) waiting.set(given, [i]);
    else places.push(i);
  }
  return { ids, waiting };
}

/** The id of the call that a result answers: of calls with one id, the first that has no result. */
function answeredCall(
  { ids, waiting }: OpenCalls,
  given: string | null | undefined,
): string | undefined {
  if (!given) return undefined;
  return ids[waiting.get(given)?.pop() ?? -1] ?? wellFormed(given);
}

/**
 * Makes the list of messages that the model gets.
 *
 * @param continuesLast - A last assistant turn is continued instead of answered.
 * @throws {ApiError} 400 when nothing is left to answer.
 */
export function toConversation(turns: readonly Turn[], continuesLast: boolean): Conversation {
  const messages: ChatMessageInput[] = [];
  const paths: string[] = [];
  let open = NO_CALLS;
  const add = (message: ChatMessageInput, path: string): void => {
    messages.push(message);
    paths.push(path);
  };
  turns.forEach((turn, i) => {
    const text = wellFormed(turn.text);
    if (turn.role === "tool") {
      const toolCallId = answeredCall(open, turn.callId);
      add({ role: "tool", content: text, toolCallId }, turn.path);
    } else if (turn.role === "assistant") {
      const isContinued = continuesLast && i === turns.length - 1;
      const content = isContinued ? text : withoutReasoning(text);
      const calls = turn.calls ?? [];
      open = openCalls(calls);
      const reasoning = isContinued && turn.reasoning ? wellFormed(turn.reasoning) : undefined;
      if (content.trim() === "" && calls.length === 0 && reasoning === undefined) return;
      const toolCalls = calls.map((call, k) => ({
        id: open.ids[k] ?? `call_${k}`,
        name: toolName(call.name),
        arguments: callArguments(call.arguments),
      }));
      const message = { role: "assistant", content, ...(calls.length > 0 ? { toolCalls } : {}) };
      add(
        (reasoning === undefined ? message : { ...message, reasoning }) as ChatMessageInput,
        turn.path,
      );
    } else {
      if (turn.role === "user") open = NO_CALLS;
      // An empty user turn is a turn all the same; the model needs a character of it.
      add(
        { role: turn.role, content: turn.role === "user" && text === "" ? " " : text },
        turn.path,
      );
    }
  });
  if (messages.length === 0)
    throw badRequest(
      "`messages` holds no message with any content.",
      "messages",
      "invalid_message",
    );
  const last = messages.at(-1);
  return {
    messages,
    continuesLast: continuesLast && last?.role === "assistant" && last.toolCalls === undefined,
    lastUserText: turns.findLast(({ role }) => role === "user")?.text ?? "",
    pathOf: (index) => paths[index],
  };
}
