// The last message of a conversation when it is the assistant's and is to be gone on with: its
// reasoning and its answer so far. Pure; runs on any JavaScript thread.
import { boolean, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { ChatMessage } from "../base/types.js";
import { checkMessages, wholeText } from "./messages.js";
import { refuseMessage } from "./refuse-message.js";

/** What the assistant has written of its turn. */
export interface TurnSoFar {
  /** Its reasoning; empty: none. */
  readonly reasoning: string;
  /** The reasoning has ended. */
  readonly isReasoned: boolean;
  /** Its answer; empty: it has not begun. */
  readonly answer: string;
}

/** A conversation, checked. */
export interface Conversation {
  /** The messages before the turn that the model writes. */
  readonly messages: readonly ChatMessage[];
  /** What there is of that turn; undefined: nothing. */
  readonly soFar: TurnSoFar | undefined;
}

/**
 * Parts the text of a turn at its tags, as the history reads them: a turn that begins with
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
 * Checks a conversation whose last message the model may have to go on with.
 *
 * @param value - What the caller passed as messages.
 * @param continueLast - The option of this name.
 * @throws {R1Error} `INVALID_MESSAGE` as {@link checkMessages}, and when the last message is not the
 * assistant's; `INVALID_ARGUMENT` when the option is no boolean.
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
      'must be "assistant" with `continueLast`, which goes on with the assistant\'s last message.',
    );
  // The check leaves the reasoning out, as a history does.
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
 * The conversation of a session, whose turns are whole.
 *
 * @param continueLast - The option of this name, which a session does not take.
 * @throws {R1Error} `INVALID_ARGUMENT`.
 */
export function wholeTurns(messages: readonly ChatMessage[], continueLast: unknown): Conversation {
  if (continueLast !== undefined && continueLast !== false)
    refuse(
      "continueLast",
      "no value in a session, whose turns are whole: use `model.chat`",
      continueLast,
    );
  return { messages, soFar: undefined };
}

/** @throws {R1Error} `INVALID_ARGUMENT` when an answer in a form would have begun already. */
export function assertNoForm(soFar: TurnSoFar | undefined, form: unknown): void {
  if (form === undefined || soFar === undefined || soFar.answer === "") return;
  throw new R1Error(
    "INVALID_ARGUMENT",
    "`continueLast` goes on with an answer that has begun, but an answer in a form (`response`, a " +
      "forced tool call) is held to it from its first character: leave one of them out, or give " +
      "the last message reasoning only.",
    { details: { option: "continueLast" } },
  );
}
