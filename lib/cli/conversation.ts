// The conversation of `r1-native chat`: its session, its options, and what slash commands change of
// both. Main thread; the model works on its own.
import { R1Error } from "../base/errors.js";
import type {
  ChatMessage,
  ChatSession,
  Generation,
  GenerateOptions,
  GenerationResult,
  Model,
} from "../index.js";
import { setOption, type Flag } from "./flags.js";
import type { Settings } from "./settings.js";

/** The library takes seeds below this. */
const SEEDS = 2 ** 32 - 1;

/** The text of the last turn, and the history before it. */
interface Turn {
  readonly text: string;
  readonly before: readonly ChatMessage[];
}

/** The last turn of a history that another run has left; undefined without one. */
function lastTurn(messages: readonly ChatMessage[]): Turn | undefined {
  const at = messages.findLastIndex(({ role }) => role === "user");
  const text = messages[at]?.content;
  return text === undefined ? undefined : { text, before: messages.slice(0, at) };
}

/** The history up to its system prompt. */
const systemOf = (messages: readonly ChatMessage[]): readonly ChatMessage[] =>
  messages.slice(0, messages[0]?.role === "system" ? 1 : 0);

/** A conversation over a loaded model. */
export class Conversation {
  #session: ChatSession;
  #last: Turn | undefined;
  #result: GenerationResult | undefined;
  /** How often the last turn was answered anew. */
  #again = 0;
  readonly #model: Model;
  readonly #settings: Settings;
  readonly #flags: readonly Flag[];
  readonly #given: Readonly<Record<string, unknown>>;
  #options: Readonly<Record<string, unknown>>;

  /**
   * @param options - Those of a generation, as the command line gives them.
   * @param flags - The flags that `set` takes.
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

  /** The result of the last reply that ended; undefined before the first. */
  get lastResult(): GenerationResult | undefined {
    return this.#result;
  }

  /** Tokens of the context that the conversation takes. */
  get usedTokens(): number {
    if (this.#session.messages.length === 0) return 0;
    const template = this.#settings.template;
    return this.#model.formatChat(
      [...this.#session.messages],
      template === undefined ? {} : { template },
    ).tokens.length;
  }

  /** Options that were given, by the library's names. */
  get options(): Readonly<Record<string, unknown>> {
    return this.#options;
  }

  /** Forgets all turns; the system prompt stays. */
  reset(): void {
    this.#beginWith(systemOf(this.#session.messages));
  }

  /** Begins anew with another system prompt, or with none. */
  setSystem(text: string): void {
    this.#beginWith(text === "" ? [] : [{ role: "system", content: text }]);
  }

  /** Takes the last turn back. Returns what was said in it; undefined without one. */
  undo(): string | undefined {
    const turn = lastTurn(this.#session.messages);
    if (turn !== undefined) this.#beginWith(turn.before);
    return turn?.text;
  }

  /** Answers the last turn anew; undefined without one. A seed that was given is counted up. */
  regenerate(): Generation | undefined {
    const turn = this.#last ?? lastTurn(this.#session.messages);
    if (turn === undefined) return undefined;
    const again = this.#again + 1;
    this.#beginWith(turn.before);
    this.#again = again;
    return this.#ask(turn);
  }

  /** Says something. */
  send(text: string): Generation {
    this.#again = 0;
    return this.#ask({ text, before: this.#session.messages });
  }

  /**
   * Sets an option of the next replies by the name of its flag. "default" is what the command line
   * gives, else the library's own.
   *
   * @throws {R1Error} `UNKNOWN_OPTION`, `INVALID_ARGUMENT`; nothing is changed then.
   */
  set(name: string, value: string): void {
    const flag = this.#flags.find(({ names }) => names.some((one) => plain(one) === plain(name)));
    if (flag === undefined)
      throw new R1Error("UNKNOWN_OPTION", `/set knows no ${name}. It takes the flags of a reply.`, {
        details: { option: name },
      });
    const options = { ...this.#options };
    const { option, field } = flag;
    if (value === "default") {
      const given = this.#given[option] as Record<string, unknown> | undefined;
      const group = options[option] as Record<string, unknown> | undefined;
      options[option] =
        field === undefined || option === "response"
          ? given
          : { ...group, [field]: given?.[field] };
    } else {
      // The forms of an answer exclude each other.
      if (option === "response") Reflect.deleteProperty(options, option);
      setOption(options, flag, value === "" ? [] : [value]);
    }
    // Refuses values that no turn could have.
    this.#model.session(options);
    this.#options = options;
  }

  /** Writes the conversation to a file. @throws {R1Error} as `ChatSession.save`. */
  save(path: string): Promise<void> {
    return this.#session.save(path);
  }

  /** Goes on with the conversation of a file. @throws {R1Error} as `Model.restoreSession`. */
  async load(path: string): Promise<void> {
    this.#adopt(await this.#model.restoreSession(path));
  }

  /** How many messages there are, the system prompt not counted. */
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

/** A flag's name as people may write it. */
const plain = (name: string): string => name.replace(/^-+/, "").replaceAll("_", "-");
