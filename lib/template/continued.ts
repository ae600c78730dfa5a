// The last message of a conversation when it is the assistant's and is to be continued: its
// reasoning and its answer so far.
import { boolean, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { ChatMessage } from "../base/types.js";
import { checkMessages, wholeText } from "./messages.js";
import { refuseMessage } from "./refuse-message.js";

/** The part of its turn that the assistant has written. */
export interface TurnSoFar {
  /** Its reasoning; empty: none. */
  readonly reasoning: string;
  /** Whether the reasoning has ended. */
  readonly isReasoned: boolean;
  /** Its answer; empty if it has not begun. */
  readonly answer: string;
}

/** A checked conversation. */
export interface Conversation {
  /** The messages before the turn that the model generates. */
  readonly messages: readonly ChatMessage[];
  /** The beginning of that turn; undefined: none. */
  readonly soFar: TurnSoFar | undefined;
}

/**
 * Splits the text of a turn at its tags, in the same way as the history: a turn that begins with
 * `<think>` has reasoning up to `</think>`.
 */
function parted(content: string): TurnSoFar {
  const opening = /^\s*<think>[\r\n]*/.exec(content)?.[0];
  if (opening === undefined) return { reasoning: "", isReasoned: false, answer: content };
  const rest = content.slice(opening.length);
  const end = rest.indexOf("</think>");
  if (end < 0) return { reasoning: rest, isReasoned: false, answer: "" };
  return {
    reasoning: rest.slice(0, end).replace(/[\r\n]+$/, ""),
    isReasoned: true,
    answer: rest.slice(end + "</think>".length).replace(/^[\r\n]+/, ""),
  };
}

/**
 * Checks a conversation whose last message the model may have to continue.
 *
 * @param value - The messages argument of the caller.
 * @param continueLast - The option of this name.
 * @throws {R1Error} `INVALID_MESSAGE` as {@link checkMessages}, and when the last message is not
 * the assistant's; `INVALID_ARGUMENT` when the option is not a boolean.
 */
export function checkConversation(value: unknown, continueLast: unknown): Conversation {
  const messages = checkMessages(value);
  if (continueLast === undefined || !boolean(continueLast, "continueLast"))
    return { messages, soFar: undefined };
  const last = messages.length - 1;
  const message = messages[last];
  const path = `messages[${last}]`;
  if (message?.role !== "assistant")
    refuseMessage(
      `${path}.role`,
      'must be "assistant" with `continueLast`, which continues the assistant\'s last message.',
    );
  // The check drops the reasoning, as a history does.
  const given = (value as readonly Record<string, unknown>[])[last]?.["reasoning"];
  const reasoning =
    given === undefined || given === null ? "" : wholeText(given, `${path}.reasoning`);
  const { content } = message;
  const soFar =
    reasoning === "" ? parted(content) : { reasoning, isReasoned: content !== "", answer: content };
  const isEmpty = soFar.reasoning === "" && soFar.answer === "" && !soFar.isReasoned;
  return { messages: messages.slice(0, -1), soFar: isEmpty ? undefined : soFar };
}

/**
 * Returns the conversation of a session, whose turns are complete.
 *
 * @param continueLast - The option of this name, which a session does not accept.
 * @throws {R1Error} `INVALID_ARGUMENT`.
 */
export function wholeTurns(messages: readonly ChatMessage[], continueLast: unknown): Conversation {
  if (continueLast !== undefined && continueLast !== false)
    refuse(
      "continueLast",
      "no value in a session, whose turns are complete: use `model.chat`",
      continueLast,
    );
  return { messages, soFar: undefined };
}

/** @throws {R1Error} `INVALID_ARGUMENT` when a constrained answer would have begun already. */
export function assertNoForm(soFar: TurnSoFar | undefined, form: unknown): void {
  if (form === undefined || soFar === undefined || soFar.answer === "") return;
  throw new R1Error(
    "INVALID_ARGUMENT",
    "`continueLast` continues an answer that has begun, but a constrained answer " +
      "(`response`, a forced tool call) must follow its form from the first character. Leave " +
      "one of them out, or give the last message only reasoning.",
    { details: { option: "continueLast" } },
  );
}
