// A conversation over one model: keeps the turns and sends each new one with what went before. Runs
// on the JavaScript thread that loaded the model.
import { fileName, object, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { ChatMessage, ChatMessageInput, GenerationResult } from "../base/types.js";
import type { Generation } from "../engine/generation.js";
import { checkMessages } from "../template/messages.js";
import { answerMessage } from "./history.js";
import type { ChatOptions } from "./chat-options.js";
import type { Awaitable } from "../base/awaitable.js";
import { TurnIds, joined } from "./turn-ids.js";

/** Options of a session; those of {@link ChatOptions} are the defaults of its turns. */
export interface SessionOptions extends Omit<ChatOptions, "signal"> {
  /** System prompt. @defaultValue none */
  readonly system?: string | undefined;
  /**
   * Turns that came before. They may end in calls of tools, whose results `send` brings.
   * @defaultValue none
   */
  readonly messages?: readonly ChatMessageInput[] | undefined;
}

/** A session's turns, and what the engine holds of them. */
export interface SessionState {
  /** Of a restored one, whose cells are its own; else 0. */
  readonly id: number;
  readonly messages: readonly ChatMessage[];
  /** How many of the messages it began with. */
  readonly startLength: number;
  /** Prompt and reply of the last completed turn, as ids; empty before the first. */
  readonly held: Int32Array;
}

/** What a session needs of its model. */
export interface SessionHost {
  /** Starts a turn; `onEnd` gets the result (undefined: it failed) and the prompt's ids. */
  readonly ask: (
    messages: readonly ChatMessage[],
    options: ChatOptions,
    ids: TurnIds,
    onEnd: (result: GenerationResult | undefined, prompt: Int32Array) => void,
    session: number,
    /** What the turn waits for before its prompt is made. */
    after: Awaitable<void>,
  ) => Generation;
  /** Refuses options that no turn could have. */
  readonly check: (options: Record<string, unknown>) => void;
  /**
   * Saves to a file, or resolves with the bytes; `defaults` are the options of its turns. `onHeld`
   * is called once the cells are held, or are known to be gone: in this call where the session is
   * short.
   */
  readonly save: (
    state: SessionState,
    ids: TurnIds,
    defaults: Record<string, unknown>,
    path: string | undefined,
    onHeld: () => void,
  ) => Promise<Uint8Array | undefined>;
  /** The cells of a restored session are not needed any more. */
  readonly forget: (session: number) => void;
}

/** Node's key of the method that `console.log` asks. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * A conversation that remembers its turns, without their reasoning, as R1's template wants it.
 * Comes from `model.session()`.
 *
 * - One turn at a time: a `send` while another runs throws `SESSION_BUSY`; after `cancel()`,
 *   `break` or an abort the next one may follow at once.
 * - A turn counts once its answer is there: the user's message and the answer join {@link
 *   ChatSession.messages} together. A turn that was given up, timed out, failed, or ended inside
 *   its reasoning leaves the history as it was, as if it had not been sent.
 */
export class ChatSession {
  readonly #host: SessionHost;
  readonly #defaults: Record<string, unknown>;
  readonly #start: readonly ChatMessage[];
  #messages: readonly ChatMessage[];
  #held: Int32Array;
  /** Ids of the turns so far, so that each is tokenised once. */
  readonly #ids = new TurnIds();
  /** Ends when the cells of the sessions being saved are held; undefined: they are. */
  #holding: Promise<void> | undefined;
  #current: Generation | undefined;
  readonly #id: number;

  /** What `console.log` shows. @internal */
  [INSPECT](): string {
    return `ChatSession { messages: ${this.#messages.length}, isBusy: ${this.isBusy} }`;
  }

  /** @internal Made by the model; `saved` is what a restored one begins with. */
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
          ? "Give it to `send`, turn by turn."
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
   * The conversation so far: the system message if there is one, then completed turns. A frozen
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
   * Says something and returns the answer as it comes.
   *
   * @param text - The user's words, or several messages at once, e.g. the results of tool calls.
   * @param options - For this turn, over the session's.
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
      // After reset() the turn belongs to a conversation that is gone.
      if (result === undefined || answer === undefined || this.#messages !== history) return;
      this.#messages = Object.freeze([...asked, answer]);
      this.#held = joined(prompt, result.tokens);
    };
    this.#current = this.#host.ask(asked, turn, this.#ids, onEnd, this.#id, this.#holding);
    return this.#current;
  }

  /** Forgets all turns but those the session began with, and gives up a running one. */
  reset(): void {
    this.#current?.cancel();
    this.#current = undefined;
    this.#messages = Object.freeze([...this.#start]);
    this.#held = new Int32Array(0);
    if (this.#id > 0) this.#host.forget(this.#id);
  }

  /**
   * The session as bytes: its turns, and the KV cells behind them as far as the engine still holds
   * them. `model.restoreSession` goes on from there. Options of the session are not in it. About 70
   * KB a token on the 671B model with an f16 cache, 20 KB with q4_0.
   *
   * What is saved is the session at the call: a turn may be sent at once, without waiting for the
   * promise, and is not in it. After `cancel()` it waits for the engine to let go of that turn.
   *
   * @throws {R1Error} rejects with `SESSION_BUSY` while a turn runs, `DISPOSED`, `IO_FAILED`.
   */
  async save(): Promise<Uint8Array>;
  /**
   * Writes the session to a file, under a temporary name that is then renamed: whoever looks sees
   * the old file or the whole new one.
   *
   * @throws {R1Error} rejects as above, and with `FILE_NOT_FOUND` (no such folder),
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
    // A turn that was given up keeps its sequence, and with it the cells, until the engine has seen
    // that.
    if (this.#current?.isEnded === false) await this.#current.result().catch(() => undefined);
    return this.#save(state, path);
  }

  /**
   * Turns that are sent meanwhile wait until the cells are held, so that they do not change what is
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
      // Also where it fails before.
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
      `This session is still answering. Wait for the generation's \`result()\`, or \`cancel()\` it, before ${doing}; two turns at once need two sessions.`,
    );
  }
}
