// Checks the messages of a caller and returns a frozen copy in one form.
import { describe, nearest } from "../base/check.js";
import { loneSurrogate } from "../base/well-formed.js";
import type { ChatMessage, ChatRole, ToolCall } from "../base/types.js";
import { refuseMessage } from "./refuse-message.js";
import { orderResults } from "./tool-results.js";

const ROLES: Readonly<Record<string, ChatRole>> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
  tool: "tool",
};
const MESSAGE_KEYS = ["role", "content", "name", "toolCalls", "toolCallId"] as const;
/**
 * Keys of a `GenerationResult` that was spread into an assistant message; `answer` is its content.
 */
const RESULT_KEYS = [
  "reasoning",
  "answer",
  "text",
  "tokens",
  "finishReason",
  "stopString",
  "seed",
  "usage",
  "timings",
  "logprobs",
] as const;
const ASSISTANT_KEYS: readonly string[] = [...MESSAGE_KEYS, ...RESULT_KEYS];
const CALL_KEYS = ["id", "name", "arguments"] as const;
/** Keys of OpenAI's messages and calls, with their replacements. */
const FOREIGN_KEYS: Readonly<Record<string, string>> = {
  tool_calls: "`toolCalls`",
  tool_call_id: "`toolCallId`",
  function: "`name` and `arguments` without `function` around them",
};

/** From these sizes, checking and rendering a conversation take a few milliseconds each. */
const MANY_MESSAGES = 500;
const MANY_VALUES = 5000;

/** Maximum nesting of a call's arguments. */
const MAX_DEPTH = 64;

function plainObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuseMessage(path, `must be an object, not ${describe(value)}.`);
  return value as Record<string, unknown>;
}

/** Refuses unknown keys: a misspelt one must not be ignored silently. */
function messageKeys(
  message: Record<string, unknown>,
  path: string,
  known: readonly string[],
  hinted: readonly string[] = known,
): void {
  for (const key of Object.keys(message)) {
    if (known.includes(key)) continue;
    const near = nearest(key, hinted);
    const foreign = FOREIGN_KEYS[key];
    const hint =
      foreign !== undefined
        ? `Write ${foreign}, or convert OpenAI's messages with \`fromOpenAI(messages)\`.`
        : near !== undefined
          ? `Did you mean \`${near}\`?`
          : `Known keys: ${hinted.join(", ")}.`;
    refuseMessage(path, `has an unknown key ${JSON.stringify(key)}. ${hint}`);
  }
}

/** Text that reaches the tokeniser unchanged. */
export function wholeText(value: unknown, path: string): string {
  if (typeof value !== "string") refuseMessage(path, `must be a string, not ${describe(value)}.`);
  const lone = loneSurrogate(value);
  if (lone >= 0)
    refuseMessage(
      path,
      `contains half a character (a lone surrogate) at position ${lone}. ` +
        "Cut strings between characters, or repair the string with `toWellFormed()`.",
    );
  return value;
}

/** Number of values in the current copy. */
let copied = 0;
/** Arguments, and objects and arrays within them, with more than {@link MANY_VALUES}. */
const large = new WeakSet();

/** The result of {@link plainCopy} for a value that is not JSON data. */
const NO_JSON = Symbol();

/**
 * Returns a deep, frozen copy of plain JSON data, or {@link NO_JSON}. It tracks no path, because
 * arguments of a megabyte may have 100,000 values.
 */
function plainCopy(value: unknown, depth: number): unknown {
  const before = copied++;
  if (depth > MAX_DEPTH) return NO_JSON;
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return loneSurrogate(value) < 0 ? value : NO_JSON;
  if (typeof value === "number") return Number.isFinite(value) ? value : NO_JSON;
  if (typeof value !== "object") return NO_JSON;
  if (Array.isArray(value)) {
    // Holes become undefined and are refused as such. Numbers are most of large data.
    const list = [...(value as unknown[])];
    for (let i = 0; i < list.length; i++) {
      if (typeof list[i] === "number" && Number.isFinite(list[i])) {
        copied++;
        continue;
      }
      const copy = plainCopy(list[i], depth + 1);
      if (copy === NO_JSON) return NO_JSON;
      list[i] = copy;
    }
    return frozen(list, before);
  }
  const object: Record<string, unknown> = {};
  for (const [key, element] of Object.entries(value)) {
    if (element === undefined) continue;
    const copy = plainCopy(element, depth + 1);
    if (copy === NO_JSON || loneSurrogate(key) >= 0) return NO_JSON;
    if (key === "__proto__") Object.defineProperty(object, key, { value: copy, enumerable: true });
    else object[key] = copy;
  }
  return frozen(object, before);
}

/** Freezes data, and records whether it has many values: `before` were copied before it. */
function frozen(data: object, before: number): object {
  if (copied - before > MANY_VALUES) large.add(data);
  return Object.freeze(data);
}

/** Whether data of checked arguments takes long to write as text. */
export function isLarge(data: unknown): boolean {
  return typeof data === "object" && data !== null && large.has(data);
}

/** Refuses a value that is not JSON data, with the path of the error in it. */
function refuseData(value: unknown, path: string, depth = 0): void {
  if (depth > MAX_DEPTH) refuseMessage(path, `is nested more than ${MAX_DEPTH} levels deep.`);
  if (value === null || typeof value === "boolean") return;
  if (typeof value === "string") wholeText(value, path);
  else if (typeof value === "number") {
    if (!Number.isFinite(value)) refuseMessage(path, "must be a finite number.");
  } else if (typeof value !== "object")
    refuseMessage(path, `must be JSON data, not ${typeof value}.`);
  else if (Array.isArray(value))
    Array.from(value, (element, i) => refuseData(element, `${path}[${i}]`, depth + 1));
  else
    for (const [key, element] of Object.entries(value)) {
      if (element === undefined) continue;
      wholeText(key, path);
      refuseData(element, `${path}.${key}`, depth + 1);
    }
}

/** Returns a deep, frozen copy of plain JSON data; refuses anything that JSON cannot represent. */
function jsonCopy(value: unknown, path: string): unknown {
  copied = 0;
  const copy = plainCopy(value, 0);
  if (copy !== NO_JSON) return copy;
  refuseData(value, path);
  return refuseMessage(path, "changed while it was being read.");
}

/**
 * Returns arguments as data. Text is parsed in OpenAI's format: a JSON object, or empty text for
 * none.
 */
function callArguments(value: unknown, path: string): unknown {
  if (typeof value !== "string") return jsonCopy(value, path);
  let parsed: unknown;
  try {
    parsed = value.trim() === "" ? {} : JSON.parse(value);
  } catch {
    // Refused below.
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    refuseMessage(
      path,
      `must be an object, or JSON text of one, not ${describe(value)}. ` +
        "Arguments have names: pass for example { a: 1 }.",
    );
  return jsonCopy(parsed, path);
}

function checkCalls(value: unknown, path: string): readonly ToolCall[] {
  if (!Array.isArray(value))
    refuseMessage(path, `must be an array of tool calls, not ${describe(value)}.`);
  const ids = new Set<string>();
  return Object.freeze(
    Array.from(value, (element: unknown, i) => {
      const at = `${path}[${i}]`;
      const call = plainObject(element, at);
      messageKeys(call, at, CALL_KEYS);
      const id = wholeText(call["id"], `${at}.id`);
      const name = wholeText(call["name"], `${at}.name`);
      if (id === "") refuseMessage(`${at}.id`, "must not be empty.");
      if (!/^[\w.:/-]{1,256}$/.test(name))
        refuseMessage(`${at}.name`, "must be 1 to 256 letters, digits or _ . : / - characters.");
      if (ids.has(id))
        refuseMessage(`${at}.id`, `repeats ${JSON.stringify(id)}; every call needs its own id.`);
      ids.add(id);
      if (call["arguments"] === undefined)
        refuseMessage(`${at}.arguments`, "is missing; pass `{}` when there are none.");
      const given = callArguments(call["arguments"], `${at}.arguments`);
      return Object.freeze({ id, name, arguments: given });
    }),
  );
}

/** Returns content as one text: text itself, or text parts concatenated without a separator. */
function contentText(value: unknown, path: string): string {
  if (!Array.isArray(value)) return wholeText(value, path);
  return Array.from(value, (element: unknown, i) => {
    const part = plainObject(element, `${path}[${i}]`);
    if (part["type"] !== "text")
      refuseMessage(
        `${path}[${i}].type`,
        `must be "text", not ${describe(part["type"])}: this model reads only text.`,
      );
    return wholeText(part["text"], `${path}[${i}].text`);
  }).join("");
}

/**
 * The content of an assistant message, or the answer of a spread result; empty if there is neither.
 */
function assistantText(message: Record<string, unknown>, path: string): string {
  if (message["content"] !== undefined && message["content"] !== null)
    return contentText(message["content"], `${path}.content`);
  if (message["answer"] !== undefined) return wholeText(message["answer"], `${path}.answer`);
  return "";
}

function checkMessage(value: unknown, path: string): ChatMessage {
  const message = plainObject(value, path);
  const given = message["role"];
  const role = typeof given === "string" && Object.hasOwn(ROLES, given) ? ROLES[given] : undefined;
  if (role === undefined)
    refuseMessage(
      `${path}.role`,
      `must be one of "system", "developer", "user", "assistant", "tool", not ${describe(given)}.`,
    );
  const isAssistant = role === "assistant";
  const known = isAssistant ? ASSISTANT_KEYS : MESSAGE_KEYS;
  messageKeys(message, path, known, MESSAGE_KEYS);
  const { name, toolCalls, toolCallId } = message;
  if (name !== undefined && name !== null) wholeText(name, `${path}.name`);
  if (toolCalls !== undefined && toolCalls !== null && !isAssistant)
    refuseMessage(`${path}.toolCalls`, `is only for assistant messages, not for ${role} messages.`);
  if (toolCallId !== undefined && toolCallId !== null && role !== "tool")
    refuseMessage(`${path}.toolCallId`, `is only for tool messages, not for ${role} messages.`);
  const content = isAssistant
    ? assistantText(message, path)
    : contentText(message["content"], `${path}.content`);
  if (content === "" && role === "user")
    refuseMessage(`${path}.content`, "is empty; a user message needs some text.");
  const calls =
    toolCalls === undefined || toolCalls === null ? [] : checkCalls(toolCalls, `${path}.toolCalls`);
  return Object.freeze({
    role,
    content,
    ...(calls.length === 0 ? {} : { toolCalls: calls }),
    ...(toolCallId === undefined || toolCallId === null
      ? {}
      : { toolCallId: wholeText(toolCallId, `${path}.toolCallId`) }),
  });
}

/**
 * Whether rendering a checked conversation takes long enough for a separate turn of the event loop.
 */
export function isLong(messages: readonly ChatMessage[]): boolean {
  if (messages.length > MANY_MESSAGES) return true;
  return messages.some(({ toolCalls }) => toolCalls?.some((call) => isLarge(call.arguments)));
}

/** Options of {@link checkMessages}. */
export interface MessagesCheck {
  /** Name of the list in errors. @defaultValue `"messages"` */
  readonly path?: string | undefined;
  /**
   * Whether the last calls may still wait for their results, as in a session. @defaultValue false
   */
  readonly mayEndInCalls?: boolean | undefined;
}

/**
 * Checks a conversation and returns a frozen copy in one form, so that later changes by the caller
 * have no effect: roles are R1's four, contents are text, arguments are data, and results of tools
 * are in the order of their calls.
 *
 * @param value - The messages argument of the caller.
 * @throws {R1Error} `INVALID_MESSAGE` for no messages, an unknown role or key, an empty user
 * message, content that is neither text nor text parts or contains half a character, a call without
 * a result, or a result without a call; `details.path` names the location.
 */
export function checkMessages(value: unknown, options: MessagesCheck = {}): readonly ChatMessage[] {
  const { path = "messages", mayEndInCalls = false } = options;
  if (!Array.isArray(value))
    refuseMessage(
      path,
      'must be an array of messages, e.g. [{ role: "user", content: "What is 1+1?" }].',
    );
  if (value.length === 0)
    refuseMessage(path, "is empty; a conversation needs at least one message.");
  // Array.from also visits holes, which are then refused as undefined.
  const messages = Array.from(value, (element: unknown, i) =>
    checkMessage(element, `${path}[${i}]`),
  );
  return Object.freeze(orderResults(messages, path, mayEndInCalls));
}
