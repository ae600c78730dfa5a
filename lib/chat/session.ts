// A conversation over one model: keeps the turns and sends each new one with what went before. Runs on the JavaScript thread that loaded the model.
import { object, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { ChatMessage, GenerationResult } from "../base/types.js";
import type { Generation } from "../engine/generation.js";
import { checkMessages } from "../template/messages.js";
import { answerMessage } from "./history.js";
import type { ChatOptions } from "./model.js";
import { checkOpenThink } from "./prompt.js";

/** Options of a session; those of {@link ChatOptions} are the defaults of its turns. */
export interface SessionOptions extends Omit<ChatOptions, "signal"> {
  /** System prompt. @defaultValue none */
  readonly system?: string;
  /** Turns that came before. @defaultValue none */
  readonly messages?: readonly ChatMessage[];
}

/** How a session asks its model. */
export type Ask = (messages: readonly ChatMessage[], options: ChatOptions, onEnd: (result: GenerationResult | undefined) => void) => Generation;

/**
 * A conversation that remembers its turns, without their reasoning, as R1's template wants it. Comes from `model.session()`.
 *
 * - One turn at a time: a `send` while another runs throws `SESSION_BUSY`; after `cancel()`, `break` or an abort the next one may follow at once.
 * - A turn counts once its answer is there: the user's message and the answer join {@link ChatSession.messages} together. A turn that was given up, timed out, failed, or ended
 *   inside its reasoning leaves the history as it was, as if it had not been sent.
 */
export class ChatSession {
  readonly #ask: Ask;
  readonly #defaults: Record<string, unknown>;
  readonly #start: readonly ChatMessage[];
  #messages: readonly ChatMessage[];
  #current: Generation | undefined;

  /** @internal Made by the model. */
  constructor(ask: Ask, options: SessionOptions, check: (given: Record<string, unknown>) => void) {
    const { system, messages, openThink, ...defaults } = object(options, "options");
    if ("signal" in defaults)
      throw new R1Error("UNKNOWN_OPTION", "`signal` is not an option of session: give it to `send`, turn by turn.", { details: { option: "signal" } });
    const mode = checkOpenThink(openThink);
    check(defaults);
    if (system !== undefined && typeof system !== "string") refuse("system", "a string", system);
    const start = [
      ...(system === undefined || system === "" ? [] : [{ role: "system", content: system }]),
      ...(messages === undefined ? [] : checkMessages(messages)),
    ];
    this.#ask = ask;
    this.#defaults = { ...defaults, openThink: mode };
    this.#start = start.length === 0 ? [] : checkMessages(start);
    this.#messages = this.#start;
  }

  /** The conversation so far: the system message if there is one, then completed turns. A frozen snapshot. */
  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** Whether a turn is running. */
  get isBusy(): boolean {
    return this.#current !== undefined && !this.#current.isEnded && !this.#current.isCancelled;
  }

  /**
   * Says something and returns the answer as it comes.
   *
   * @param text - The user's words, or several messages at once, e.g. the results of tool calls.
   * @param options - For this turn, over the session's.
   * @throws {R1Error} at the call: `SESSION_BUSY`, and the codes of `model.chat`.
   */
  send(text: string | readonly ChatMessage[], options: ChatOptions = {}): Generation {
    if (this.isBusy) {
      throw new R1Error(
        "SESSION_BUSY",
        "This session is still answering. Wait for the generation's `result()`, or `cancel()` it, before the next `send`; two turns at once need two sessions.",
      );
    }
    const history = this.#messages;
    if (typeof text !== "string" && !Array.isArray(text)) refuse("text", "a string or an array of messages", text);
    const said: readonly ChatMessage[] = typeof text === "string" ? [{ role: "user", content: text }] : text;
    const asked = checkMessages([...history, ...said]);
    const given = Object.fromEntries(Object.entries(object(options, "options")).filter(([, value]) => value !== undefined));
    const generation = this.#ask(asked, { ...this.#defaults, ...given }, (result) => {
      const answer = answerMessage(result);
      // reset() in between: the turn belongs to a conversation that is gone.
      if (answer !== undefined && this.#messages === history) this.#messages = Object.freeze([...asked, answer]);
    });
    this.#current = generation;
    return generation;
  }

  /** Forgets all turns but those the session began with, and gives up a running one. */
  reset(): void {
    this.#current?.cancel();
    this.#current = undefined;
    this.#messages = Object.freeze([...this.#start]);
  }
}
