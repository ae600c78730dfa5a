// Reads the turns of a request to /v1/messages: blocks become text, calls and results of tools.
import { badRequest } from "../core/api-error.js";
import { toConversation } from "../core/conversation.js";
import type { Conversation, Turn, TurnCall } from "../core/conversation.js";
import type { Block, PromptRequest } from "./fields.js";

/** Claude Code's first system block: its content changes with every request, and means nothing. */
const BILLING = /^x-anthropic-billing-header\s*:/i;

/** Blocks of one text are set apart by a blank line. */
const BETWEEN = "\n\n";

const field = (block: Partial<Block>, key: string): string => {
  const value = block[key];
  return typeof value === "string" ? value : "";
};

function asBlocks(content: string | readonly Block[] | null | undefined): readonly Block[] {
  if (content === null || content === undefined) return [];
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** Text of the system prompt, without the block that would keep it from being cached. */
export function systemText(system: PromptRequest["system"]): string {
  const texts = asBlocks(system).flatMap((block) =>
    block.type === "text" ? [field(block, "text")] : [],
  );
  if (BILLING.test(texts[0] ?? "")) {
    // As a text of its own, or as the first line of one.
    const [first = "", ...rest] = texts;
    const more = first.includes("\n") ? first.slice(first.indexOf("\n") + 1).trimStart() : "";
    return [more, ...rest].filter((text) => text !== "").join(BETWEEN);
  }
  return texts.filter((text) => text !== "").join(BETWEEN);
}

/** Text of a document that is text; undefined for any other. */
function documentText(block: Block): string | undefined {
  const source = block["source"] as { type?: unknown; data?: unknown } | null | undefined;
  return source?.type === "text" && typeof source.data === "string" ? source.data : undefined;
}

/** Text of a tool's result; a block that is no text leaves a note, since the turn must go on. */
function resultText(content: unknown, isError: boolean): string {
  const blocks = Array.isArray(content) ? (content as readonly unknown[]) : [];
  const text =
    typeof content === "string"
      ? content
      : blocks
          .map((given) => {
            const block = (given ?? {}) as Partial<Block>;
            return block.type === "text"
              ? field(block, "text")
              : `[${block.type ?? "block"} left out: this model reads text only]`;
          })
          .join(BETWEEN);
  return isError ? `Error: ${text}` : text;
}

/** Content of a user turn: results of tools come first, as they answer the turn before. */
function addUser(turns: Turn[], blocks: readonly Block[], path: string): void {
  const texts: string[] = [];
  let hasResult = false;
  blocks.forEach((block, i) => {
    const at = `${path}.content[${i}]`;
    if (block.type === "text") texts.push(field(block, "text"));
    else if (block.type === "tool_result") {
      hasResult = true;
      const text = resultText(block["content"], block["is_error"] === true);
      turns.push({ role: "tool", text, path: at, callId: field(block, "tool_use_id") });
    } else if (block.type === "image" || block.type === "document" || block.type === "file") {
      const text = documentText(block);
      if (text === undefined)
        throw badRequest(
          `\`${at}\`: this model reads text only, not ${JSON.stringify(block.type)}`,
          at,
          "unsupported_content",
        );
      texts.push(text);
    }
  });
  const text = texts.filter((one) => one !== "").join(BETWEEN);
  if (text !== "" || !hasResult) turns.push({ role: "user", text, path });
}

/** Content of an assistant turn; its thinking is left out. */
function addAssistant(turns: Turn[], blocks: readonly Block[], path: string): void {
  const texts = blocks.flatMap((block) => (block.type === "text" ? [field(block, "text")] : []));
  const calls = blocks.flatMap((block): TurnCall[] =>
    block.type === "tool_use"
      ? [{ id: field(block, "id"), name: field(block, "name"), arguments: block["input"] }]
      : [],
  );
  turns.push({ role: "assistant", text: texts.join(""), path, calls });
}

/** The conversation of a request. @throws {ApiError} 400 for content that is no text. */
export function readMessages({ system, messages }: PromptRequest): Conversation {
  const turns: Turn[] = [];
  const instructions = systemText(system);
  if (instructions !== "") turns.push({ role: "system", text: instructions, path: "system" });
  messages.forEach(({ role, content }, i) => {
    const path = `messages[${i}]`;
    const blocks = asBlocks(content);
    // Instructions in the middle stay there as a turn of the user's: in front they would change the
    // beginning of the prompt, and nothing of the conversation could be taken from the cache.
    if (role === "assistant") addAssistant(turns, blocks, path);
    else addUser(turns, blocks, path);
  });
  return toConversation(turns, true);
}
