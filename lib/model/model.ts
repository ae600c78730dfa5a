// The model for its user: facts, tokenizer, and the calls that generate. Runs on the JavaScript
// thread that loaded it.
import { fileName, knownKeys, object, refuse } from "../base/check.js";
import { whenReady } from "../base/awaitable.js";
import { fromNative } from "../base/errors.js";
import { tokenArray } from "../base/token-array.js";
import type { ChatMessage, ChatMessageInput, GenerationResult } from "../base/types.js";
import type { EngineStats } from "../engine/engine.js";
import { normalizeClose } from "../engine/drain.js";
import type { CloseOptions } from "../engine/drain.js";
import { normalizeGenerate } from "../engine/engine-options.js";
import type { GenerateConfig, GenerateOptions } from "../engine/engine-options.js";
import type { Generation } from "../engine/generation.js";
import type { MakePrompt } from "../engine/preparation.js";
import type { ModelInfo } from "./info.js";
import type { ModelInit } from "./model-init.js";
import type { Tokenizer } from "../weights/tokenizer.js";
import type { Weights } from "../weights/weights.js";
import { normalizeReasoning } from "../reasoning/options.js";
import { assertNoForm, checkConversation, wholeTurns } from "../template/continued.js";
import type { Conversation } from "../template/continued.js";
import type { ChatModel } from "./chat-model.js";
import { CHAT_KEYS, PROMPT_KEYS, normalizePrompt, withForcedTools } from "./chat-options.js";
import type { ChatOptions, FormatOptions, PromptConfig } from "./chat-options.js";
import { checkChoices, choiceConfigs } from "./choices.js";
import type { ChoicesOptions } from "./choices.js";
import {
  assertTemplate,
  chatText,
  chatTextSoon,
  promptNow,
  promptSoon,
  rawPrompt,
} from "./prompt.js";
import type { ChatForm, FormattedChat } from "./prompt.js";
import { sessionMaker } from "./saved-session.js";
import type { SessionMaker } from "./saved-session.js";
import { ChatSession } from "./session.js";
import type { SessionHost, SessionOptions } from "./session.js";
import { forgetWhenDropped, restoreSession, saveSession } from "./session-store.js";
import type { SessionModel } from "./session-store.js";
import type { TurnIds } from "./turn-ids.js";

const NO_TURNS = { id: 0, messages: [], startLength: 0, held: new Int32Array(0) } as const;

/** A checked call that generates. */
interface Call {
  readonly makePrompt: MakePrompt;
  readonly config: GenerateConfig;
}

/**
 * A loaded model with its engine. Created by `loadModel`; `close()` it, or use `await using`. After
 * `close()` every method except `close` throws R1Error `DISPOSED`; `info` stays readable.
 */
export class Model implements ChatModel, AsyncDisposable {
  readonly #init: ModelInit;
  #closing: Promise<void> | undefined;
  /** Facts about the file and its context. */
  readonly info: ModelInfo;
  /** Converts text to ids and back. */
  readonly tokenizer: Tokenizer;

  /** @internal Created by `loadModel` only. */
  constructor(init: ModelInit) {
    this.#init = init;
    this.info = init.info;
    this.tokenizer = init.weights.tokenizer;
  }

  /** Whether `close()` was called. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Continues a raw prompt (llama.cpp's `-no-cnv`). Special strings such as `<｜User｜>` become their
   * tokens. There is always exactly one BOS at the beginning, whatever the file's `add_bos_token`
   * says and whether or not the prompt contains its own. An empty prompt is BOS alone.
   *
   * @throws {R1Error} at the call: `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `DISPOSED`. The generation
   * rejects with errors that depend on tokens or the queue: `PROMPT_TOO_LONG`, `TEXT_TOO_LONG`,
   * `QUEUE_FULL`.
   * @example
   * ```ts
   * const { answer } = await model.complete("<｜User｜>What is 1+1?<｜Assistant｜>", { seed: 3407 }).result();
   * ```
   */
  complete(
    prompt: string | Int32Array | readonly number[],
    options: GenerateOptions = {},
  ): Generation {
    this.#assertOpen();
    const { makePrompt, config } = this.#checkRaw(prompt, object(options, "options"));
    return this.#start(makePrompt, config);
  }

  /**
   * Answers a conversation, using R1's template. Texts of messages can never become special tokens;
   * reasoning of earlier assistant turns is left out.
   *
   * @throws {R1Error} at the call: `INVALID_MESSAGE`, `INVALID_ARGUMENT`, `UNKNOWN_OPTION`,
   * `TEMPLATE_UNSUPPORTED`, `DISPOSED`. The generation rejects with the codes of `complete`, and
   * with `SCHEMA_UNSUPPORTED` and `GRAMMAR_INVALID`.
   */
  chat(messages: readonly ChatMessageInput[], options: ChatOptions = {}): Generation {
    this.#assertOpen();
    const given = object(options, "options");
    const call = this.#checkChatCall(checkConversation(messages, given["continueLast"]), given);
    return this.#start(call.makePrompt, call.config);
  }

  /**
   * Starts `n` generations from one prompt, as `chat` does for messages and `complete` for text or
   * ids. Their seeds are consecutive from `seed` (0 follows 4294967294), so that each can be
   * repeated alone; they share all other options. All run in parallel if the model was loaded with
   * that many `sequences`, otherwise as sequences become free. A prompt of more than about 32
   * tokens is computed once, and the others reuse its cells (unless `cachePrompt` is false or the
   * model is `deterministic`).
   *
   * @returns The generations, in the order of their seeds.
   * @throws {R1Error} as `chat` and `complete`; `INVALID_ARGUMENT` for `n` outside 1 .. 64. All
   * reject with `QUEUE_FULL` if there is not room for all of them.
   * @example
   * ```ts
   * const results = await Promise.all(model.choices([{ role: "user", content: "What is 1+1?" }], { n: 4, seed: 1 }).map((run) => run.result()));
   * ```
   */
  choices(
    messages: readonly ChatMessageInput[],
    options: ChatOptions & ChoicesOptions,
  ): Generation[];
  /** The same for a raw prompt. */
  choices(prompt: string | Int32Array, options: GenerateOptions & ChoicesOptions): Generation[];
  choices(
    prompt: readonly ChatMessageInput[] | string | Int32Array,
    options: ChatOptions & ChoicesOptions,
  ): Generation[] {
    this.#assertOpen();
    const { n, ...given } = object(options, "options");
    const count = checkChoices(n);
    const isRaw = typeof prompt === "string" || prompt instanceof Int32Array;
    const { makePrompt, config } = isRaw
      ? this.#checkRaw(prompt, given)
      : this.#checkChatCall(checkConversation(prompt, given["continueLast"]), given);
    return this.#init.engine.start(makePrompt, choiceConfigs(config, count));
  }

  /**
   * Starts a conversation that keeps its turns. @throws {R1Error} `INVALID_MESSAGE`,
   * `UNKNOWN_OPTION`, `INVALID_ARGUMENT`, `DISPOSED`.
   */
  session(options: SessionOptions = {}): ChatSession {
    this.#assertOpen();
    return new ChatSession(this.#sessionHost, options);
  }

  /**
   * Restores a session saved by `session.save`, including its KV cells. Under greedy sampling it
   * continues exactly as if it had not been interrupted.
   *
   * @param from - The file, or its bytes.
   * @param options - Defaults for its turns, as in `session`; they are not saved. The system prompt
   * and the turns are those of the saved session.
   * @throws {R1Error} rejects with `STATE_INVALID` if the data is cut off, altered or not a saved
   * session; `STATE_MISMATCH` if it was saved with a different model file, cache type or llama.cpp
   * version; `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `IO_FAILED`; `QUEUE_FULL` when all sequences are
   * busy, `CONTEXT_FULL` when running ones leave too few cells, or a sequence holds fewer than it
   * needs; `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `DISPOSED`.
   */
  async restoreSession(
    from: string | URL | Uint8Array,
    options: Omit<SessionOptions, "system" | "messages"> = {},
  ): Promise<ChatSession> {
    this.#assertOpen();
    // Refuses invalid options before the file is read.
    new ChatSession(this.#sessionHost, options, NO_TURNS);
    const { prompting } = this.#checkChat(object(options, "options"), "session");
    const file = typeof from === "string" || from instanceof URL ? fileName(from, "from") : from;
    const state = await restoreSession(this.#sessionModel, file, prompting).catch(
      (error: unknown) => {
        throw this.#init.engine.withCounts(error);
      },
    );
    const session = new ChatSession(this.#sessionHost, options, state);
    if (state.id > 0) forgetWhenDropped(session, this.#init.engine, state.id);
    return session;
  }

  /**
   * Returns the ids and the text that `chat` would send. @throws {R1Error} `INVALID_MESSAGE`,
   * `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `TEMPLATE_UNSUPPORTED`, `DISPOSED`.
   */
  formatChat(messages: readonly ChatMessageInput[], options: FormatOptions = {}): FormattedChat {
    const text = this.#formatted(messages, options, "formatChat", chatText);
    const { tokens } = promptNow(text, this.#init.weights);
    return { tokens: tokenArray(tokens), ...text.layout() };
  }

  /**
   * Like {@link Model.formatChat}, but tokenises long texts off the event loop.
   *
   * @throws {R1Error} rejects with the codes of `formatChat`.
   */
  async formatChatAsync(
    messages: readonly ChatMessageInput[],
    options: FormatOptions = {},
  ): Promise<FormattedChat> {
    const site = new Error();
    const coming = this.#formatted(messages, options, "formatChatAsync", chatTextSoon);
    try {
      const text = await coming;
      const { tokens } = await promptSoon(text, this.#init.weights);
      return { tokens: tokenArray(tokens), ...text.layout() };
    } catch (error) {
      throw fromNative(error, site);
    }
  }

  /** Returns a SHA-256 that identifies the model's files. @throws {R1Error} rejects: `IO_FAILED` */
  fingerprint(): Promise<string> {
    return this.#init.fingerprint();
  }

  /** Returns the state of the engine without stopping it. @throws {R1Error} `DISPOSED` */
  stats(): EngineStats {
    this.#assertOpen();
    return this.#init.engine.stats();
  }

  /**
   * Refuses new requests with `DISPOSED`, ends running and waiting generations, and frees context
   * and weights on another thread. With `drainMs` the generations may continue for that long; those
   * still running after that end with `DISPOSED`.
   *
   * Can be called in any state, any number of times. A later call can shorten the wait, not
   * lengthen it.
   *
   * @throws {R1Error} rejects with `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; the model then stays open.
   */
  close(options: CloseOptions = {}): Promise<void> {
    try {
      const drainMs = normalizeClose(options);
      if (this.#closing === undefined) this.#closing = this.#close(drainMs);
      else void this.#init.engine.close(drainMs).catch(() => undefined);
      return this.#closing;
    } catch (error) {
      return Promise.reject(fromNative(error));
    }
  }

  /** {@link Model.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #sessionHost(): SessionHost {
    return {
      ask: (messages, options, ids, onEnd, session, after) => {
        this.#assertOpen();
        const given = { ...options };
        const conversation = wholeTurns(messages, given["continueLast"]);
        const { makePrompt, config } = this.#checkChatCall(conversation, given, ids);
        let prompt: Int32Array = new Int32Array(0);
        const noting: MakePrompt = (isNeeded) =>
          whenReady(after, () =>
            whenReady(makePrompt(isNeeded), (made) => {
              prompt = made.tokens;
              return { ...made, session };
            }),
          );
        return this.#start(noting, config, (result) => onEnd(result, prompt));
      },
      forget: (session) => {
        if (!this.isClosed) this.#init.engine.sessions.forget(session);
      },
      check: (given) => {
        this.#checkChat(given, "session", ["system", "messages"]);
        wholeTurns([], given["continueLast"]);
      },
      save: async (state, ids, defaults, path, onHeld) => {
        this.#assertOpen();
        const { prompting } = this.#checkChat(defaults, "session");
        return saveSession(this.#sessionModel, { ...state, ids, onHeld }, prompting, path);
      },
    };
  }

  get #sessionModel(): SessionModel {
    const { weights, engine, sessionKey } = this.#init;
    return { weights, engine, maker: () => this.#maker(), key: sessionKey };
  }

  async #maker(): Promise<SessionMaker> {
    return sessionMaker(this.info, await this.fingerprint(), this.#init.cellOptions);
  }

  async #close(drainMs: number): Promise<void> {
    const { engine, weights, draft, onClosed } = this.#init;
    weights.markClosed();
    try {
      await engine.close(drainMs);
    } finally {
      await Promise.all([weights.close(), draft?.close()]);
      onClosed();
    }
  }

  #assertOpen(): void {
    this.#init.weights.assertOpen();
  }

  #formatted<Text>(
    messages: readonly ChatMessageInput[],
    options: FormatOptions,
    where: string,
    render: (messages: readonly ChatMessage[], form: ChatForm, weights: Weights) => Text,
  ): Text {
    this.#assertOpen();
    knownKeys(object(options, "options"), where, [...PROMPT_KEYS, "reasoning"]);
    const config = normalizePrompt(options, normalizeReasoning(options.reasoning).mode);
    const conversation = checkConversation(messages, options.continueLast);
    return render(conversation.messages, this.#form(config, conversation), this.#init.weights);
  }

  #form(config: PromptConfig, { soFar }: Conversation): ChatForm {
    return { config, opensThink: this.info.templateOpensThink, soFar };
  }

  #start(
    makePrompt: MakePrompt,
    config: GenerateConfig,
    onEnd?: (result: GenerationResult | undefined) => void,
  ): Generation {
    const [generation] = this.#init.engine.start(makePrompt, [config], onEnd);
    return generation as Generation;
  }

  #checkRaw(prompt: unknown, given: Record<string, unknown>): Call {
    const config = this.#check(given, "complete");
    if (config.reasoning.mode !== "auto")
      refuse(
        "reasoning.mode",
        '"auto" (a raw prompt itself determines whether it opens the reasoning)',
        config.reasoning.mode,
      );
    const { weights, engine } = this.#init;
    return { makePrompt: rawPrompt(prompt, weights, engine.info.sequenceContextSize), config };
  }

  /** @param ids - The known ids of a session's earlier turns. */
  #checkChatCall(conversation: Conversation, given: Record<string, unknown>, ids?: TurnIds): Call {
    const { weights, engine } = this.#init;
    const { config, prompting } = this.#checkChat(given, "chat");
    const room = engine.info.sequenceContextSize;
    assertTemplate(prompting, weights);
    assertNoForm(conversation.soFar, config.form ?? prompting.tools.forced[0]);
    const form = this.#form(prompting, conversation);
    // An R1 chat ends where the model would speak for the user.
    const stopTokens =
      this.tokenizer.user >= 0 && prompting.template === "r1"
        ? [...config.stopTokens, this.tokenizer.user]
        : config.stopTokens;
    return {
      makePrompt: (isNeeded) =>
        whenReady(prompting.tools.checks.compileSoon(isNeeded), () =>
          whenReady(chatTextSoon(conversation.messages, form, weights), (text) =>
            promptSoon(text, weights, { room, isNeeded, ids }),
          ),
        ),
      config: { ...withForcedTools(config, prompting, weights), stopTokens },
    };
  }

  /** Checks the options of a chat, or of a session's turns. */
  #checkChat(
    given: Record<string, unknown>,
    where: string,
    alsoKnown: readonly string[] = [],
  ): { config: GenerateConfig; prompting: PromptConfig } {
    const config = this.#check(given, where, [...CHAT_KEYS, ...alsoKnown]);
    return { config, prompting: normalizePrompt(given, config.reasoning.mode) };
  }

  #check(
    given: Record<string, unknown>,
    where: string,
    alsoKnown: readonly string[] = [],
  ): GenerateConfig {
    const { maxDraft, draft } = this.#init;
    const facts = { vocabSize: this.tokenizer.size, maxDraft, hasDraftModel: draft !== undefined };
    return normalizeGenerate(given, where, facts, alsoKnown);
  }
}
