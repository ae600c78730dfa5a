// Reads the input of a request to /v1/responses: references are looked up, and items become turns
// of a conversation.
import { badRequest } from "../core/api-error.js";
import { toConversation } from "../core/conversation.js";
import type { Conversation, Turn, TurnCall } from "../core/conversation.js";
import type { InputItem } from "./items.js";
import type { ResponseStore } from "./store.js";

const textField = (item: InputItem, key: string): string => {
  const value = item[key];
  return typeof value === "string" ? value : "";
};

/** Parts of a message that hold text, and the field that has it. */
const TEXT_PARTS: Readonly<Record<string, string>> = {
  input_text: "text",
  output_text: "text",
  text: "text",
  summary_text: "text",
  reasoning_text: "text",
  refusal: "refusal",
};

/** Text of a message's content: its parts are joined with nothing between them. */
function contentText(content: unknown, place: string): string {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content))
    throw badRequest(`\`${place}\`: must be text or a list of parts`, place, "invalid_type");
  return content
    .map((part: unknown, i) => {
      const { type, ...fields } = (part ?? {}) as Record<string, unknown>;
      const field = typeof type === "string" ? TEXT_PARTS[type] : undefined;
      const text = field === undefined ? undefined : fields[field];
      if (typeof text === "string") return text;
      throw badRequest(
        `\`${place}[${i}]\`: this model reads text only, not ${JSON.stringify(type ?? part)}`,
        `${place}[${i}]`,
        "unsupported_content",
      );
    })
    .join("");
}

/** Output of a tool; a part that is no text leaves a note, since the conversation must go on. */
function outputText(output: unknown): string {
  if (typeof output === "string") return output;
  if (!Array.isArray(output))
    return output === undefined || output === null ? "" : JSON.stringify(output);
  return output
    .map((part: unknown) => {
      const { text, type } = (part ?? {}) as Record<string, unknown>;
      return typeof text === "string"
        ? text
        : `[${String(type)} left out: this model reads text only]`;
    })
    .join("");
}

/** The turns of a request as they are read. */
class Turns {
  readonly list: Turn[] = [];

  add(role: Turn["role"], text: string, path: string): void {
    // Instructions in the middle stay there: in front they would change the beginning of the prompt,
    // and nothing of the conversation could be taken from the cache.
    const isLate = role === "system" && this.list.some((turn) => turn.role !== "system");
    this.list.push({ role: isLate ? "user" : role, text, path });
  }

  /** Adds a call to the turn that the assistant has begun, or to a new one. */
  call(call: TurnCall, path: string): void {
    const last = this.list.at(-1);
    if (last?.role === "assistant")
      this.list.splice(-1, 1, { ...last, calls: [...(last.calls ?? []), call] });
    else this.list.push({ role: "assistant", text: "", path, calls: [call] });
  }

  result(callId: string, text: string, path: string): void {
    this.list.push({ role: "tool", text, path, callId });
  }
}

function addMessage(turns: Turns, item: InputItem, place: string): void {
  const text = contentText(item["content"], `${place}.content`);
  const { role } = item;
  if (role !== "user" && role !== "assistant" && role !== "system" && role !== "developer")
    throw badRequest(
      `\`${place}.role\`: must be user, assistant, system or developer`,
      `${place}.role`,
      "invalid_value",
    );
  turns.add(role === "developer" ? "system" : role, text, place);
}

/** Adds an item that was looked up already; what has no meaning for this model is left out. */
function addItem(turns: Turns, item: InputItem, place: string): void {
  switch (item["type"]) {
    case undefined:
    case null:
    case "message":
      return addMessage(turns, item, place);
    case "function_call": {
      const call = { id: textField(item, "call_id"), name: textField(item, "name") };
      return turns.call({ ...call, arguments: item["arguments"] }, place);
    }
    case "function_call_output":
      return turns.result(textField(item, "call_id"), outputText(item["output"]), place);
    default:
  }
}

const isReference = (item: InputItem): boolean =>
  item["type"] === "item_reference" ||
  ((item["type"] === undefined || item["type"] === null) &&
    item["role"] === undefined &&
    typeof item["id"] === "string");

/** The item that a reference means; undefined for one of reasoning, which is not needed. */
function lookUp(
  item: InputItem,
  place: string,
  store: ResponseStore,
  key: string,
): InputItem | undefined {
  const id = textField(item, "id");
  const found = store.item(key, id);
  if (found !== undefined || id.startsWith("rs_")) return found;
  throw badRequest(
    `Item with id '${id}' not found. Items are kept for a limited time and only for requests ` +
      "with `store`: send the items themselves, or set `store` to false.",
    `${place}.id`,
    "item_not_found",
  );
}

/** The input of a request. */
export interface ReadInput {
  /** Items of this request, references replaced by what they mean. */
  readonly input: readonly InputItem[];
  /** Those, after the items of the conversation that the request goes on with. */
  readonly items: readonly InputItem[];
  readonly conversation: Conversation;
}

/** What {@link readInput} reads. */
export interface GivenInput {
  readonly input: string | readonly InputItem[];
  readonly instructions?: string | undefined;
  readonly previous_response_id?: string | undefined;
}

/**
 * Reads the input.
 *
 * @param key - Name of the key that the request came with; it sees its own responses alone.
 * @throws {ApiError} 400 for what is unknown, or no text.
 */
export function readInput(given: GivenInput, store: ResponseStore, key: string): ReadInput {
  const { previous_response_id: previous } = given;
  const before = previous === undefined ? undefined : store.get(key, previous);
  if (previous !== undefined && before === undefined)
    throw badRequest(
      `Previous response with id '${previous}' not found. Responses are kept for a limited time ` +
        "and only with `store`.",
      "previous_response_id",
      "previous_response_not_found",
    );
  const items: readonly InputItem[] =
    typeof given.input === "string"
      ? [{ type: "message", role: "user", content: given.input }]
      : given.input;
  const turns = new Turns();
  if (given.instructions !== undefined) turns.add("system", given.instructions, "instructions");
  const earlier = before?.items ?? [];
  for (const item of earlier) addItem(turns, item, "previous_response_id");
  const isText = typeof given.input === "string";
  const input = items.flatMap((item, i) => {
    const place = isText ? "input" : `input[${i}]`;
    const meant = isReference(item) ? lookUp(item, place, store, key) : item;
    if (meant === undefined) return [];
    addItem(turns, meant, place);
    return [meant];
  });
  const { list } = turns;
  if (list.every(({ role }) => role === "system"))
    throw badRequest("`input` has nothing for the model to answer.", "input", "invalid_value");
  return {
    input,
    items: [...earlier, ...input],
    conversation: toConversation(list, false),
  };
}
