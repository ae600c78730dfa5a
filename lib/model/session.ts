// A conversation with one model: keeps the turns and sends each new one together with the earlier
// ones. Runs on the JavaScript thread that loaded the model.
import { fileName, object, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { ChatMessage, ChatMessageInput, GenerationResult } from "../base/types.js";
import type { Generation } from "../engine/generation.js";
import { checkMessages } from "../template/messages.js";
import { answerMessage } from "./history.js";
import type { ChatOptions } from "./chat-options.js";
import type { Awaitable } from "../base/awaitable.js";
import { TurnIds, joined } from "./turn-ids.js";

/** Options of a session. The options of {@link ChatOptions} are the defaults of its turns. */
export interface SessionOptions extends Omit<ChatOptions, "signal"> {
  /** System prompt. @defaultValue none */
  readonly system?: string | undefined;
  /**
   * Earlier turns. They may end in tool calls, whose results are then passed to `send`.
   * @defaultValue none
   */
  readonly messages?: readonly ChatMessageInput[] | undefined;
}

/** A session's turns, and what the engine holds for it. */
export interface SessionState {
  /** Id of a restored session, which owns its cells; otherwise 0. */
  readonly id: number;
  readonly messages: readonly ChatMessage[];
  /** Number of messages that it began with. */
  readonly startLength: number;
  /** Prompt and reply of the last completed turn, as ids; empty before the first. */
  readonly held: Int32Array;
}

/** The functions of a model that a session needs. */
export interface SessionHost {
  /** Starts a turn; `onEnd` receives the result (undefined: it failed) and the prompt's ids. */
  readonly ask: (
    messages: readonly ChatMessage[],
    options: ChatOptions,
    ids: TurnIds,
    onEnd: (result: GenerationResult | undefined, prompt: Int32Array) => void,
    session: number,
    /** The turn waits for this before its prompt is built. */
    after: Awaitable<void>,
  ) => Generation;
  /** Refuses options that are invalid for any turn. */
  readonly check: (options: Record<string, unknown>) => void;
  /**
   * Saves to a file, or resolves with the bytes; `defaults` are the options of its turns. `onHeld`
   * is called when the cells are held, or are known to be gone: synchronously if the session is
   * short.
   */
  readonly save: (
    state: SessionState,
    ids: TurnIds,
    defaults: Record<string, unknown>,
    path: string | undefined,
    onHeld: () => void,
  ) => Promise<Uint8Array | undefined>;
  /** Frees the cells of a restored session. */
  readonly forget: (session: number) => void;
}

/** The key of the method that `console.log` calls. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * A conversation that remembers its turns, without their reasoning, as R1's template requires.
 * Created by `model.session()`.
 *
 * - One turn at a time: a `send` during another turn throws `SESSION_BUSY`; after `cancel()`,
 *   `break` or an abort the next one may follow at once.
 * - A turn is recorded when its answer is complete: the user's message and the answer are added to
 *   {@link ChatSession.messages} together. A turn that was cancelled, timed out, failed, or ended
 *   inside its reasoning leaves the history unchanged, as if it had not been sent.
 */
export class ChatSession {
  readonly #host: SessionHost;
  readonly #defaults: Record<string, unknown>;
  readonly #start: readonly ChatMessage[];
  #messages: readonly ChatMessage[];
  #held: Int32Array;
  /** Ids of the turns so far, so that each is tokenised once. */
  readonly #ids = new TurnIds();
  /** Resolves when the cells of the sessions being saved are held; undefined: none are pending. */
  #holding: Promise<void> | undefined;
  #current: Generation | undefined;
  readonly #id: number;

  /** The text that `console.log` prints. @internal */
  [INSPECT](): string {
    return `ChatSession { messages: ${this.#messages.length}, isBusy: ${this.isBusy} }`;
  }

  /** @internal Created by the model; `saved` is the initial state of a restored session. */
  constructor(host: SessionHost, options: SessionOptions, saved?: SessionState) {
    const { system, messages, ...defaults } = object(options, "options");
    const foreign =
      "signal" in defaults
        ? "signal"
        : saved !== undefined && system !== undefined
          ? "system"
          : saved !== undefined && messages !== undefined
            ? "messages"
            : undefined;
    if (foreign !== undefined) {
      const instead =
        foreign === "signal"
          ? "Pass it to `send` for each turn."
          : "A restored session has its own.";
      throw new R1Error("UNKNOWN_OPTION", `\`${foreign}\` is not an option here. ${instead}`, {
        details: { option: foreign },
      });
    }
    host.check(defaults);
    if (system !== undefined && typeof system !== "string") refuse("system", "a string", system);
    const start = [
      ...(system === undefined || system === "" ? [] : [{ role: "system", content: system }]),
      ...(messages === undefined ? [] : checkMessages(messages, { mayEndInCalls: true })),
    ];
    this.#host = host;
    this.#defaults = defaults;
    this.#messages =
      saved?.messages ??
      (start.length === 0 ? Object.freeze([]) : checkMessages(start, { mayEndInCalls: true }));
    this.#start = Object.freeze(this.#messages.slice(0, saved?.startLength));
    this.#held = saved?.held ?? new Int32Array(0);
    this.#id = saved?.id ?? 0;
  }

  /**
   * The conversation so far: the system message, if any, and the completed turns. A frozen
   * snapshot.
   */
  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** Whether a turn is running. */
  get isBusy(): boolean {
    return this.#current !== undefined && !this.#current.isEnded && !this.#current.isCancelled;
  }

  /**
   * Sends a message and returns the answer as it is generated.
   *
   * @param text - The user's text, or several messages at once, e.g. the results of tool calls.
   * @param options - Options of this turn, which override those of the session.
   * @throws {R1Error} at the call: `SESSION_BUSY`, and the codes of `model.chat`.
   */
  send(text: string | readonly ChatMessageInput[], options: ChatOptions = {}): Generation {
    this.#assertIdle("`send`");
    if (typeof text !== "string" && !Array.isArray(text))
      refuse("text", "a string or an array of messages", text);
    const history = this.#messages;
    const said: readonly ChatMessageInput[] =
      typeof text === "string" ? [{ role: "user", content: text }] : text;
    const asked = checkMessages([...history, ...said]);
    const given = Object.fromEntries(
      Object.entries(object(options, "options")).filter(([, value]) => value !== undefined),
    );
    const turn = { ...this.#defaults, ...given };
    const onEnd: Parameters<SessionHost["ask"]>[3] = (result, prompt) => {
      const answer = answerMessage(result);
      // After reset() the turn belongs to a discarded conversation.
      if (result === undefined || answer === undefined || this.#messages !== history) return;
      this.#messages = Object.freeze([...asked, answer]);
      this.#held = joined(prompt, result.tokens);
    };
    this.#current = this.#host.ask(asked, turn, this.#ids, onEnd, this.#id, this.#holding);
    return this.#current;
  }

  /** Drops all turns except those the session began with, and cancels a running one. */
  reset(): void {
    this.#current?.cancel();
    this.#current = undefined;
    this.#messages = Object.freeze([...this.#start]);
    this.#held = new Int32Array(0);
    if (this.#id > 0) this.#host.forget(this.#id);
  }

  /**
   * Returns the session as bytes: its turns, and their KV cells as far as the engine still holds
   * them. `model.restoreSession` continues from there. Options of the session are not included.
   * About 70 KB per token on the 671B model with an f16 cache, 20 KB with q4_0.
   *
   * The state at the call is saved: a turn may be sent at once, without waiting for the promise,
   * and is not included. After `cancel()` it waits until the engine has released that turn.
   *
   * @throws {R1Error} rejects with `SESSION_BUSY` while a turn runs, `DISPOSED`, `IO_FAILED`.
   */
  async save(): Promise<Uint8Array>;
  /**
   * Writes the session to a file, under a temporary name that is then renamed: readers see either
   * the old file or the complete new one.
   *
   * @throws {R1Error} rejects as above, and with `FILE_NOT_FOUND` (the folder does not exist),
   * `FILE_IS_DIRECTORY`, `FILE_UNWRITABLE`, `NO_SPACE`.
   */
  async save(file: string | URL): Promise<void>;
  async save(file?: string | URL): Promise<Uint8Array | void> {
    const path = file === undefined ? undefined : fileName(file, "file");
    this.#assertIdle("`save`");
    const state = {
      id: this.#id,
      messages: this.#messages,
      startLength: this.#start.length,
      held: this.#held,
    };
    // A cancelled turn keeps its sequence, and with it the cells, until the engine has processed
    // the cancellation.
    if (this.#current?.isEnded === false) await this.#current.result().catch(() => undefined);
    return this.#save(state, path);
  }

  /**
   * Turns sent in the meantime wait until the cells are held, so that they do not change what is
   * saved.
   */
  async #save(state: SessionState, path: string | undefined): Promise<Uint8Array | undefined> {
    let isHeld = false;
    let onHeld = (): void => void (isHeld = true);
    const saved = this.#host.save(state, this.#ids, this.#defaults, path, () => onHeld());
    if (isHeld) return saved;
    const before = this.#holding;
    const holding = new Promise<void>((resolve) => {
      onHeld = resolve;
      // Also if it fails before that.
      saved.then(
        () => resolve(),
        () => resolve(),
      );
    }).then(() => before);
    this.#holding = holding;
    void holding.then(() => {
      if (this.#holding === holding) this.#holding = undefined;
    });
    return saved;
  }

  #assertIdle(doing: string): void {
    if (!this.isBusy) return;
    throw new R1Error(
      "SESSION_BUSY",
      "This session is still answering. Wait for the generation's `result()`, or `cancel()` " +
        `it, before ${doing}. Two turns at once need two sessions.`,
    );
  }
}
