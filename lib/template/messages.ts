// Checks a conversation that came from outside and returns a frozen copy of it. Runs on any JavaScript thread.
import { knownKeys } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { ChatMessage, ChatRole, ToolCall } from "../base/types.js";

const CHAT_ROLES: readonly ChatRole[] = ["system", "user", "assistant", "tool"];
const MESSAGE_KEYS = ["role", "content", "toolCalls", "toolCallId"] as const;
const CALL_KEYS = ["id", "name", "arguments"] as const;

/** A code unit of a surrogate pair that stands alone: no character, so no tokeniser can keep it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function fail(path: string, problem: string): never {
  throw new R1Error("INVALID_MESSAGE", `\`${path}\` ${problem}`, { details: { path } });
}

function plainObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    fail(path, "must be an object.");
  return value as Record<string, unknown>;
}

/** Text that reaches the tokeniser unchanged. */
function wholeText(value: unknown, path: string): string {
  if (typeof value !== "string")
    fail(
      path,
      `must be a string, not ${value === null ? "null" : Array.isArray(value) ? "an array" : typeof value}.`,
    );
  const lone = LONE_SURROGATE.exec(value);
  if (lone !== null)
    fail(
      path,
      `holds half a character (a lone surrogate) at position ${lone.index}. Cut strings between characters, or repair it with \`toWellFormed()\`.`,
    );
  return value;
}

/** A deep, frozen copy of plain JSON data; anything that JSON cannot hold is refused. */
function jsonCopy(value: unknown, path: string, depth = 0): unknown {
  if (depth > 64) fail(path, "is nested more than 64 levels deep.");
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return wholeText(value, path);
  if (typeof value === "number")
    return Number.isFinite(value) ? value : fail(path, "must be a finite number.");
  if (Array.isArray(value))
    return Object.freeze(value.map((element, i) => jsonCopy(element, `${path}[${i}]`, depth + 1)));
  if (typeof value !== "object") fail(path, `must be JSON data, not ${typeof value}.`);
  const copy: Record<string, unknown> = {};
  for (const [key, element] of Object.entries(value)) {
    if (element === undefined) continue;
    Object.defineProperty(copy, wholeText(key, path), {
      value: jsonCopy(element, `${path}.${key}`, depth + 1),
      enumerable: true,
    });
  }
  return Object.freeze(copy);
}

function checkCalls(value: unknown, path: string): readonly ToolCall[] {
  if (!Array.isArray(value) || value.length === 0)
    fail(path, "must be a non-empty array of tool calls; leave it out when there are none.");
  const ids = new Set<string>();
  return Object.freeze(
    value.map((element: unknown, i) => {
      const at = `${path}[${i}]`;
      const call = plainObject(element, at);
      knownKeys(call, at, CALL_KEYS);
      const id = wholeText(call["id"], `${at}.id`);
      const name = wholeText(call["name"], `${at}.name`);
      if (id === "") fail(`${at}.id`, "must not be empty.");
      if (!/^[\w.:/-]{1,256}$/.test(name))
        fail(`${at}.name`, "must be 1 to 256 letters, digits or _ . : / - characters.");
      if (ids.has(id))
        fail(`${at}.id`, `repeats ${JSON.stringify(id)}; every call needs an id of its own.`);
      ids.add(id);
      if (!("arguments" in call))
        fail(`${at}.arguments`, "is missing; give the parsed arguments, `{}` when there are none.");
      return Object.freeze({ id, name, arguments: jsonCopy(call["arguments"], `${at}.arguments`) });
    }),
  );
}

function checkMessage(value: unknown, path: string): ChatMessage {
  const message = plainObject(value, path);
  knownKeys(message, path, MESSAGE_KEYS);
  const role = message["role"];
  if (!CHAT_ROLES.includes(role as ChatRole))
    fail(
      `${path}.role`,
      `must be one of "system", "user", "assistant", "tool", not ${JSON.stringify(role) ?? String(role)}.`,
    );
  const content = wholeText(message["content"], `${path}.content`);
  const hasCalls = message["toolCalls"] !== undefined;
  if (hasCalls && role !== "assistant")
    fail(
      `${path}.toolCalls`,
      `is only for assistant messages, not for ${role as ChatRole} messages.`,
    );
  if (message["toolCallId"] !== undefined && role !== "tool")
    fail(`${path}.toolCallId`, `is only for tool messages, not for ${role as ChatRole} messages.`);
  if (content === "" && role !== "system" && !hasCalls)
    fail(
      `${path}.content`,
      "is empty; only a system message, or an assistant message with tool calls, may be.",
    );
  return Object.freeze({
    role: role as ChatRole,
    content,
    ...(hasCalls ? { toolCalls: checkCalls(message["toolCalls"], `${path}.toolCalls`) } : {}),
    ...(message["toolCallId"] === undefined
      ? {}
      : { toolCallId: wholeText(message["toolCallId"], `${path}.toolCallId`) }),
  });
}

/** Tool messages follow the assistant message whose calls they answer, each call answered at most once. */
function checkOrder(messages: readonly ChatMessage[], path: string): void {
  let open: Set<string> | undefined;
  messages.forEach((message, i) => {
    if (message.role === "assistant")
      open =
        message.toolCalls === undefined
          ? undefined
          : new Set(message.toolCalls.map((call) => call.id));
    else if (message.role === "user") open = undefined;
    else if (message.role === "tool") {
      const at = `${path}[${i}]`;
      if (open === undefined)
        fail(at, "is a tool message, but no assistant message with `toolCalls` stands before it.");
      if (open.size === 0)
        fail(
          at,
          "is a tool message too many: every call of the assistant message before it is answered.",
        );
      if (message.toolCallId === undefined) open.delete([...open][0] ?? "");
      else if (!open.delete(message.toolCallId))
        fail(
          `${at}.toolCallId`,
          `is ${JSON.stringify(message.toolCallId)}, which names no unanswered call of the assistant message before it.`,
        );
    }
  });
}

/**
 * Checks a conversation and returns a frozen copy, so that later changes by the caller change nothing.
 *
 * @param value - What the caller passed as messages.
 * @param path - How errors name it.
 * @throws {R1Error} `INVALID_MESSAGE` for no messages, an unknown role, content that is empty or no string or holds half a character, or tool messages out of order;
 * `UNKNOWN_OPTION` for a misspelt key.
 */
export function checkMessages(value: unknown, path = "messages"): readonly ChatMessage[] {
  if (!Array.isArray(value))
    fail(path, 'must be an array of messages, e.g. [{ role: "user", content: "What is 1+1?" }].');
  if (value.length === 0) fail(path, "is empty; a conversation needs at least one message.");
  const messages = Object.freeze(
    value.map((element: unknown, i) => checkMessage(element, `${path}[${i}]`)),
  );
  checkOrder(messages, path);
  return messages;
}
