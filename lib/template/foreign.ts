// Renders a conversation with a file's own template, which need not be R1's. User text still cannot
// become a special token.
import { R1Error } from "../base/errors.js";
import type { ChatMessage } from "../base/types.js";
import { renderJinja } from "./jinja.js";
import { Placeholders, type OwnedText } from "./placeholders.js";
import { withoutReasoning } from "./r1.js";
import type { OwnerSpan, SegmentOwner } from "./segment.js";

/**
 * A piece of a foreign template's output: a special token that the template itself wrote, or text.
 */
export type ForeignPiece = OwnedText | { readonly token: number; readonly text: string };

/** What {@link renderForeign} needs to know about the file. */
export interface ForeignInit {
  /** `tokenizer.chat_template`. */
  readonly chatTemplate: string;
  /** Every control and user-defined token. */
  readonly specialTokens: readonly { readonly id: number; readonly text: string }[];
  /** Texts of the vocabulary's BOS and EOS; empty if it has none. */
  readonly bosText: string;
  readonly eosText: string;
  /** `tools` in the form that the template expects (OpenAI's format); missing if there are none. */
  readonly tools?: readonly unknown[] | undefined;
  /** Passed to the template as `enable_thinking` and `thinking`. @defaultValue true */
  readonly thinking?: boolean | undefined;
  /** The beginning of an answer, which ends the output. @defaultValue nothing */
  readonly answerSoFar?: string | undefined;
  /** @defaultValue true */
  readonly generationPrompt?: boolean | undefined;
}

/**
 * One combination of the things that templates disagree about: whether arguments are data or JSON
 * text, and whether a turn that has only calls has null or empty content.
 */
interface Form {
  readonly textArguments: boolean;
  readonly nullContent: boolean;
}

const FORMS: readonly Form[] = [
  { textArguments: false, nullContent: true },
  { textArguments: true, nullContent: true },
  { textArguments: false, nullContent: false },
  { textArguments: true, nullContent: false },
];

function toTemplate(
  message: ChatMessage,
  marks: Placeholders,
  form: Form,
): Record<string, unknown> {
  const content =
    message.role === "assistant" ? withoutReasoning(message.content) : message.content;
  const marked = marks.mark(content, message.role);
  if (message.toolCalls === undefined)
    return {
      role: message.role,
      content: marked,
      ...(message.toolCallId === undefined ? {} : { tool_call_id: message.toolCallId }),
    };
  const tool_calls = message.toolCalls.map((call) => ({
    id: call.id,
    type: "function",
    function: {
      name: call.name,
      arguments: form.textArguments
        ? marks.mark(JSON.stringify(call.arguments), "assistant")
        : marks.markData(call.arguments, "assistant"),
    },
  }));
  return {
    role: "assistant",
    content: content === "" && form.nullContent ? null : marked,
    tool_calls,
  };
}

function render(messages: readonly ChatMessage[], init: ForeignInit, form: Form): OwnedText[] {
  const marks = new Placeholders();
  const thinking = init.thinking ?? true;
  const { answerSoFar } = init;
  const all: readonly ChatMessage[] =
    answerSoFar === undefined
      ? messages
      : [...messages, { role: "assistant", content: answerSoFar }];
  const rendered = renderJinja(init.chatTemplate, {
    messages: all.map((message) => toTemplate(message, marks, form)),
    ...(init.tools === undefined ? {} : { tools: marks.markData(init.tools, "template") }),
    add_generation_prompt: answerSoFar === undefined && (init.generationPrompt ?? true),
    enable_thinking: thinking,
    thinking,
    bos_token: init.bosText,
    eos_token: init.eosText,
  });
  const pieces = marks.split(rendered);
  return answerSoFar === undefined ? pieces : upToAnswer(pieces, answerSoFar);
}

/**
 * Removes what a template writes after the text of the last turn, which is to be continued. White
 * space at the end of that text is outside its mark, and is restored.
 */
function upToAnswer(pieces: readonly OwnedText[], answer: string): OwnedText[] {
  const end = pieces.findLastIndex(({ owner }) => owner === "assistant");
  if (end < 0 || pieces[end]?.text !== answer.trim())
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      "The file's own chat template does not write the assistant's last message unchanged, " +
        'so it cannot be continued. Use `template: "r1"` if the model uses R1\'s format, or ' +
        "`complete()` with a prompt of your own.",
    );
  return [
    ...pieces.slice(0, end + 1),
    { text: answer.slice(answer.trimEnd().length), owner: "assistant" },
  ];
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/**
 * Splits the template's own text at its special tokens, the longest first, as the tokeniser does;
 * text of other owners stays in one piece.
 */
export function splitSpecial(
  pieces: readonly OwnedText[],
  specialTokens: ForeignInit["specialTokens"],
): ForeignPiece[] {
  const byText = new Map(
    specialTokens.filter((token) => token.text !== "").map((token) => [token.text, token.id]),
  );
  if (byText.size === 0) return [...pieces];
  const longestFirst = [...byText.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${longestFirst.map(escapeRegExp).join("|")})`, "u");
  return pieces.flatMap((piece): ForeignPiece[] =>
    piece.owner !== "template"
      ? [piece]
      : piece.text
          .split(pattern)
          .filter((text) => text !== "")
          .map((text) => {
            const token = byText.get(text);
            return token === undefined ? { text, owner: "template" } : { token, text };
          }),
  );
}

/**
 * Renders a conversation with an arbitrary template. Each text of a message is rendered as an
 * unguessable mark and inserted afterwards, so special tokens come only from the template's own
 * text. Reasoning is removed from assistant turns first, as in R1's template. A template that
 * rewrites texts (other than by trimming or JSON) is refused.
 *
 * @throws {R1Error} `TEMPLATE_UNSUPPORTED` when the template cannot be rendered or rewrites texts.
 */
export function renderForeign(messages: readonly ChatMessage[], init: ForeignInit): ForeignPiece[] {
  // The forms differ only in calls; without any, the error of the first form is final.
  const forms = messages.some((message) => message.toolCalls !== undefined)
    ? FORMS
    : FORMS.slice(0, 1);
  let failure: Error | undefined;
  for (const form of forms) {
    try {
      const pieces = render(messages, init, form);
      // The Jinja library writes this for data that a template treats as text: this template
      // expects JSON text.
      if (
        !form.textArguments &&
        pieces.some((piece) => piece.owner === "template" && piece.text.includes("[object Map]"))
      )
        continue;
      return splitSpecial(pieces, init.specialTokens);
    } catch (error) {
      failure ??= error as Error;
    }
  }
  throw (
    failure ??
    new R1Error(
      "TEMPLATE_UNSUPPORTED",
      "The file's own chat template cannot write the tool calls of this conversation.",
    )
  );
}

/**
 * Converts a foreign prompt to the arguments of `NativeModel.tokenizeSegments`, its text, and the
 * owner of each part. Neighbouring texts are joined first, so that the tokeniser's merges are those
 * of the whole text, as in the reference.
 */
export function foreignToNative(pieces: readonly ForeignPiece[]): {
  texts: string[];
  ids: Int32Array;
  text: string;
  spans: OwnerSpan[];
} {
  const texts: string[] = [];
  const ids: number[] = [];
  const spans: { start: number; end: number; owner: SegmentOwner }[] = [];
  let at = 0;
  for (const piece of pieces) {
    if (piece.text === "") continue;
    const owner = "token" in piece ? "template" : piece.owner;
    const last = spans.at(-1);
    if (last?.owner === owner) last.end += piece.text.length;
    else spans.push({ start: at, end: at + piece.text.length, owner });
    at += piece.text.length;
    if ("token" in piece) {
      texts.push("");
      ids.push(piece.token);
    } else if (ids.at(-1) === -1) texts.push((texts.pop() ?? "") + piece.text);
    else {
      texts.push(piece.text);
      ids.push(-1);
    }
  }
  return {
    texts,
    ids: Int32Array.from(ids),
    text: pieces.map((piece) => piece.text).join(""),
    spans,
  };
}
