// The conversation of `r1-native chat`: its session, its options, and how slash commands change
// both. Main thread; the model runs on its own thread.
import type {
  ChatMessage,
  ChatSession,
  Generation,
  GenerateOptions,
  GenerationResult,
  Model,
} from "../../index.js";
import type { Flag } from "../flags.js";
import type { Settings } from "../settings.js";
import { plainName, settingTexts, withFlag } from "./reply-options.js";

/** The library accepts seeds below this value. */
const SEEDS = 2 ** 32 - 1;

/** The text of the last turn, and the history before it. */
interface Turn {
  readonly text: string;
  readonly before: readonly ChatMessage[];
}

/** Finds the last turn of a history that another run left; undefined if there is none. */
function lastTurn(messages: readonly ChatMessage[]): Turn | undefined {
  const at = messages.findLastIndex(({ role }) => role === "user");
  const text = messages[at]?.content;
  return text === undefined ? undefined : { text, before: messages.slice(0, at) };
}

/** Returns the history up to and including its system prompt. */
const systemOf = (messages: readonly ChatMessage[]): readonly ChatMessage[] =>
  messages.slice(0, messages[0]?.role === "system" ? 1 : 0);

/** A conversation with a loaded model. */
export class Conversation {
  #session: ChatSession;
  #last: Turn | undefined;
  #result: GenerationResult | undefined;
  /** How many times the last turn was regenerated. */
  #again = 0;
  #model: Model;
  readonly #settings: Settings;
  readonly #flags: readonly Flag[];
  readonly #given: Readonly<Record<string, unknown>>;
  #options: Readonly<Record<string, unknown>>;

  /**
   * @param options - Options of a generation, from the command line.
   * @param flags - The flags that `set` accepts.
   */
  constructor(
    model: Model,
    settings: Settings,
    options: Readonly<Record<string, unknown>>,
    flags: readonly Flag[],
  ) {
    this.#model = model;
    this.#settings = settings;
    this.#given = { ...options };
    this.#options = this.#given;
    this.#flags = flags.filter(({ target, hidden }) => target === "generate" && hidden !== true);
    const { system } = settings;
    this.#session = model.session(system === undefined ? {} : { system });
  }

  /** The result of the last finished reply; undefined before the first one. */
  get lastResult(): GenerationResult | undefined {
    return this.#result;
  }

  /** Number of context tokens that the conversation uses. */
  get usedTokens(): number {
    if (this.#session.messages.length === 0) return 0;
    const template = this.#settings.template;
    return this.#model.formatChat(
      [...this.#session.messages],
      template === undefined ? {} : { template },
    ).tokens.length;
  }

  /** The options that are set, each as {@link set} takes it. */
  get settings(): readonly string[] {
    return settingTexts(this.#options, this.#flags);
  }

  /** All turns, the system prompt included. */
  get messages(): readonly ChatMessage[] {
    return this.#session.messages;
  }

  /** The system prompt; undefined if there is none. */
  get system(): string | undefined {
    return systemOf(this.#session.messages)[0]?.content;
  }

  /** What the user sent last; undefined if there is no turn. */
  get lastText(): string | undefined {
    return lastTurn(this.#session.messages)?.text;
  }

  /** The flags that {@link set} takes, without dashes. */
  get settableFlags(): readonly string[] {
    return this.#flags.map(plainName);
  }

  /**
   * Continues with another model: its context is computed again from the messages.
   *
   * @throws {R1Error} what `Model.session` throws; nothing is changed then.
   */
  moveTo(model: Model): void {
    const messages = [...this.#session.messages];
    model.session(this.#options);
    this.#adopt(model.session(messages.length === 0 ? {} : { messages }));
    this.#model = model;
  }

  /** Forgets all turns; keeps the system prompt. */
  reset(): void {
    this.#beginWith(systemOf(this.#session.messages));
  }

  /** Starts again with another system prompt, or with none. */
  setSystem(text: string): void {
    this.#beginWith(text === "" ? [] : [{ role: "system", content: text }]);
  }

  /**
   * Removes the last turn. Returns the text that the user sent in it; undefined if there is no
   * turn.
   */
  undo(): string | undefined {
    const turn = lastTurn(this.#session.messages);
    if (turn !== undefined) this.#beginWith(turn.before);
    return turn?.text;
  }

  /** Answers the last turn again; undefined if there is none. A given seed is incremented. */
  regenerate(): Generation | undefined {
    const turn = this.#last ?? lastTurn(this.#session.messages);
    if (turn === undefined) return undefined;
    const again = this.#again + 1;
    this.#beginWith(turn.before);
    this.#again = again;
    return this.#ask(turn);
  }

  /** Sends a message. */
  send(text: string): Generation {
    this.#again = 0;
    return this.#ask({ text, before: this.#session.messages });
  }

  /**
   * Sets an option of the following replies by the name of its flag. "default" restores the value
   * from the command line, or else the library's default.
   *
   * @throws {R1Error} `UNKNOWN_OPTION`, `INVALID_ARGUMENT`; nothing is changed then.
   */
  set(name: string, value: string): void {
    this.setAll([[name, value]]);
  }

  /** Sets several options: all or none. @throws {R1Error} like {@link set}. */
  setAll(changes: readonly (readonly [name: string, value: string])[]): void {
    let options = this.#options;
    for (const change of changes) options = withFlag(options, this.#given, this.#flags, change);
    // Throws for values that would be invalid for every turn.
    this.#model.session(options);
    this.#options = options;
  }

  /** Writes the conversation to a file. @throws {R1Error} like `ChatSession.save`. */
  save(path: string): Promise<void> {
    return this.#session.save(path);
  }

  /** Continues the conversation saved in a file. @throws {R1Error} like `Model.restoreSession`. */
  async load(path: string): Promise<void> {
    this.#adopt(await this.#model.restoreSession(path));
  }

  /** The number of messages, without the system prompt. */
  get length(): number {
    const { messages } = this.#session;
    return messages.length - systemOf(messages).length;
  }

  #beginWith(messages: readonly ChatMessage[]): void {
    this.#adopt(this.#model.session(messages.length === 0 ? {} : { messages }));
  }

  #adopt(session: ChatSession): void {
    this.#session = session;
    this.#last = undefined;
    this.#again = 0;
  }

  #ask(turn: Turn): Generation {
    const options: GenerateOptions = { ...this.#options };
    const seed = options.seed === undefined ? {} : { seed: (options.seed + this.#again) % SEEDS };
    const { openThink, template } = this.#settings;
    const generation = this.#session.send(turn.text, {
      ...options,
      ...seed,
      openThink,
      ...(template === undefined ? {} : { template }),
    });
    this.#last = turn;
    generation.result().then(
      (result) => (this.#result = result),
      () => undefined,
    );
    return generation;
  }
}
