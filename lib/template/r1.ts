// DeepSeek-R1's chat template as a sequence of segments: text of a message is never concatenated
// with a tag.
import type { ChatMessage, Role, ToolCall } from "../base/types.js";
import { pythonJson } from "./json-text.js";
import type { TurnSoFar } from "./continued.js";
import type { Segment } from "./segment.js";

/**
 * How the generation prompt begins the assistant's turn. `bare`: `<｜Assistant｜>`; `open`: followed
 * by `<think>\n`; `closed`: followed by `<think>\n</think>`, which skips reasoning.
 */
export type ThinkForm = "bare" | "open" | "closed";

/** Options of {@link renderChat}. */
export interface RenderOptions {
  /** Whether the generation prompt ends in `<think>\n`, so that the model cannot skip reasoning. */
  readonly openThink: boolean;
  /**
   * Whether the generation prompt ends in `<think>\n</think>`, so that the model skips reasoning;
   * overrides `openThink`.
   * @defaultValue false
   */
  readonly skipThink?: boolean | undefined;
  /** Whether to end with the generation prompt. @defaultValue true */
  readonly generationPrompt?: boolean | undefined;
  /** Descriptions of tools, placed a blank line after the system prompt. @defaultValue none */
  readonly tools?: readonly Segment[] | undefined;
  /** The part that the assistant has written of the next turn. @defaultValue nothing */
  readonly soFar?: TurnSoFar | undefined;
}

const special = (role: Role): Segment => ({ special: role });
const own = (text: string): Segment => ({ text, owner: "template" });

/**
 * Returns what a history keeps of an assistant's text: only what follows its last `</think>`.
 * Source: the official templates, which do exactly this and trim nothing.
 */
export function withoutReasoning(content: string): string {
  const end = content.lastIndexOf("</think>");
  return end < 0 ? content : content.slice(end + "</think>".length);
}

function renderCall(call: ToolCall, isFirst: boolean): Segment[] {
  return [
    ...(isFirst ? [] : [own("\n")]),
    special("toolCallBegin"),
    own("function"),
    special("toolSep"),
    { text: call.name, owner: "assistant" },
    own("\n```json\n"),
    { text: pythonJson(call.arguments), owner: "assistant" },
    own("\n```"),
    special("toolCallEnd"),
  ];
}

function renderCalls(calls: readonly ToolCall[]): Segment[] {
  return [
    special("toolCallsBegin"),
    ...calls.flatMap((call, i) => renderCall(call, i === 0)),
    special("toolCallsEnd"),
  ];
}

/**
 * Returns the system prompt: all non-empty system messages, then the tools, joined by blank lines.
 */
function renderSystem(messages: readonly ChatMessage[], tools: readonly Segment[]): Segment[] {
  const texts = messages.filter((message) => message.role === "system" && message.content !== "");
  const blocks = texts.map((message): readonly Segment[] => [
    { text: message.content, owner: "system" },
  ]);
  if (tools.length > 0) blocks.push(tools);
  return blocks.flatMap((block, i) => (i === 0 ? block : [own("\n\n"), ...block]));
}

/**
 * Renders a conversation in R1's format: BOS, the system prompt without a tag, then the turns. EOS
 * closes every assistant turn, which in the history contains only what follows its `</think>`. Tool
 * outputs are closed before the next role; after them the assistant continues without a new
 * `<｜Assistant｜>`, so the generation prompt adds neither that nor `<think>` there.
 * `docs/reference/template.md` lists each difference from the official files.
 *
 * @param messages - As {@link checkMessages} returns them.
 */
export function renderChat(messages: readonly ChatMessage[], options: RenderOptions): Segment[] {
  const out: Segment[] = [special("bos"), ...renderSystem(messages, options.tools ?? [])];
  let inOutputs = false;
  const closeOutputs = (): void => {
    if (inOutputs) out.push(special("toolOutputsEnd"));
    inOutputs = false;
  };
  for (const message of messages) {
    if (message.role === "user") {
      closeOutputs();
      out.push(special("user"), { text: message.content, owner: "user" });
    } else if (message.role === "assistant") {
      if (inOutputs) closeOutputs();
      else out.push(special("assistant"));
      out.push({ text: withoutReasoning(message.content), owner: "assistant" });
      if (message.toolCalls !== undefined) out.push(...renderCalls(message.toolCalls));
      out.push(special("eos"));
    } else if (message.role === "tool") {
      out.push(inOutputs ? own("\n") : special("toolOutputsBegin"));
      out.push(
        special("toolOutputBegin"),
        { text: message.content, owner: "tool" },
        special("toolOutputEnd"),
      );
      inOutputs = true;
    }
  }
  if (options.generationPrompt === false) {
    closeOutputs();
    return out;
  }
  const { soFar } = options;
  const form = options.skipThink === true ? "closed" : options.openThink ? "open" : "bare";
  if (inOutputs) {
    closeOutputs();
    if (soFar !== undefined) out.push(...turnSoFar(soFar, form).slice(1));
  } else out.push(...(soFar === undefined ? generationPrompt(form) : turnSoFar(soFar, form)));
  return out;
}

/**
 * The assistant's turn as far as it is written; without reasoning of its own it skips the
 * reasoning.
 */
function turnSoFar({ reasoning, isReasoned, answer }: TurnSoFar, form: ThinkForm): Segment[] {
  const text = { text: answer, owner: "assistant" } as const;
  if (reasoning === "" && !isReasoned)
    return [...generationPrompt(form === "closed" ? "closed" : "bare"), text];
  const thought: Segment[] = [...generationPrompt("open"), { text: reasoning, owner: "assistant" }];
  if (!isReasoned) return thought;
  return [
    ...thought,
    own("\n"),
    special("endThink"),
    ...(answer === "" ? [] : [own("\n\n"), text]),
  ];
}

/** The opening of the assistant's turn that the model is to complete. */
function generationPrompt(form: ThinkForm): Segment[] {
  if (form === "bare") return [special("assistant")];
  const open = [special("assistant"), special("think"), own("\n")];
  return form === "open" ? open : [...open, special("endThink")];
}
