// A generation as its user sees it: an async iterator of parts, and a promise of the whole. Runs on
// the JavaScript thread that asked for it.
import { AsyncQueue } from "../base/async-queue.js";
import { R1Error } from "../base/errors.js";
import { tokenArray } from "../base/token-array.js";
import type {
  ContentPart,
  GenerationResult,
  Part,
  PromptProgressPart,
  Timings,
  TokenLogprob,
  ToolCall,
  Usage,
} from "../base/types.js";
import type { NativeEndEvent, NativeLogprobs } from "../binding/native-request.js";
import type { Segmenter } from "../reasoning/segmenter.js";
import { NO_RUN, timingsOf } from "./timings.js";

/** What a generation is made of. */
export interface GenerationInit {
  readonly seed: number;
  readonly wantsLogprobs: boolean;
  /** Texts that end it. */
  readonly stop: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** Asks the engine to end the request; before it is admitted, the engine ends it in the call. */
  readonly cancel: () => void;
  /** Asks the engine to close the reasoning; before it is admitted, this is noted. */
  readonly endReasoning: () => void;
  /** Text of a token, for log probabilities. */
  readonly piece: (token: number) => string;
  /** Told of the end before anybody else is: the result, or undefined when it failed. */
  readonly onEnd?: ((result: GenerationResult | undefined) => void) | undefined;
}

/** Where one token's log probabilities stand in the columns of its delivery. */
export interface LogprobPlace {
  readonly columns: NativeLogprobs;
  readonly index: number;
  /** Its alternatives are those from `first` up to, not including, `last`. */
  readonly first: number;
  readonly last: number;
}

/** A part that nobody has seen yet, so that it may be changed. */
type Unread<T> = {
  -readonly [K in keyof T]: T[K] extends readonly (infer Element)[] | undefined
    ? Element[] | Extract<T[K], undefined>
    : T[K];
};

/** Folds a part into an unread one of its kind. */
function mergeParts(last: Part, next: Part): boolean {
  switch (next.type) {
    case "reasoning-delta":
    case "answer-delta": {
      if (last.type !== next.type) return false;
      const target = last as Unread<typeof next>;
      target.text += next.text;
      for (const token of next.tokens) target.tokens.push(token);
      for (const logprob of next.logprobs ?? []) target.logprobs?.push(logprob);
      return true;
    }
    case "tool-call-delta":
      if (last.type !== next.type || last.id !== next.id) return false;
      (last as Unread<typeof next>).text += next.text;
      return true;
    case "prompt-progress":
      if (last.type !== next.type) return false;
      Object.assign(last, next);
      return true;
    default:
      return false;
  }
}

/** Why a generation that ended before it stood in the queue was never admitted. */
function notAdmitted(reason: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (reason === "timeout")
    return new R1Error(
      "TIMEOUT",
      "The generation's `timeoutMs` ended before its prompt was ready.",
    );
  return new R1Error("ABORTED", "The generation was cancelled before its prompt was ready.");
}

/** Node's key of the method that `console.log` asks. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * What `complete`, `chat` and `send` hand out at once, while the model works: iterate over it for
 * parts as they come, call {@link Generation.result} for the whole, or both.
 *
 * - First its prompt is prepared: a long text is tokenised, a form is compiled, both off the event
 *   loop. Then it stands in the engine's queue: {@link Generation.admitted}.
 * - It runs whether or not anybody looks, and nobody who does not look gets an unhandled rejection.
 * - It can be iterated once; parts that nobody has read yet are put together, so a slow reader gets
 *   fewer and longer deltas.
 * - Leaving the loop, {@link Generation.cancel} and the signal all stop the native work; after
 *   `break` the engine has let go of the request.
 */
export class Generation implements AsyncIterable<Part> {
  readonly #queue = new AsyncQueue<Part>(mergeParts);
  readonly #init: GenerationInit;
  readonly #result: Promise<GenerationResult>;
  readonly #admitted: Promise<number>;
  #admission!: { resolve: (promptTokens: number) => void; reject: (error: unknown) => void };
  #segmenter: Segmenter | undefined;
  #settle!: { resolve: (result: GenerationResult) => void; reject: (error: unknown) => void };
  #isEnded = false;
  #isCancelled = false;
  #isIterated = false;
  #endsReasoning = false;
  /** Tokens have come since the reader was last woken. */
  #hasUnreported = false;
  #text: string[] = [];
  #tokens: number[] = [];
  #logprobs: TokenLogprob[] = [];
  #toolCalls: ToolCall[] = [];

  /** What `console.log` shows. @internal */
  [INSPECT](): string {
    const state = this.#isEnded ? "ended" : "running";
    return `Generation { ${state}; read it with \`for await\`, or \`await generation.result()\` }`;
  }

  /** @internal Made by the engine only. */
  constructor(init: GenerationInit) {
    this.#init = init;
    this.#result = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // A generation whose failure nobody asked for must not end the process.
    this.#result.catch(() => undefined);
    this.#admitted = new Promise((resolve, reject) => (this.#admission = { resolve, reject }));
    this.#admitted.catch(() => undefined);
    if (init.signal?.aborted === true) {
      this.#onAbort();
      this.end(NO_RUN);
    } else init.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Whether the engine is done with it, however it ended. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Resolves with the number of prompt tokens once the request stands in the engine's queue.
   * Nobody has to look at it.
   *
   * @throws {R1Error} rejects with what made the preparation fail: `PROMPT_TOO_LONG`,
   * `TEXT_TOO_LONG`, `QUEUE_FULL`, `SCHEMA_UNSUPPORTED`, `GRAMMAR_INVALID`, `TEMPLATE_UNSUPPORTED`,
   * `DISPOSED`; of one that ended before, with `signal.reason` as it is after an abort, `ABORTED`
   * after `cancel()`, `TIMEOUT` after `timeoutMs`.
   */
  get admitted(): Promise<number> {
    return this.#admitted;
  }

  /** @internal Whether any token has come. */
  get hasBegun(): boolean {
    return this.#tokens.length > 0;
  }

  /** Whether it was given up by `cancel()`, `break` or its signal. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /**
   * The whole: waits for the end. Works before, during, after and without iterating, any number of
   * times. A generation that was given up resolves with finishReason `"aborted"` and what there was
   * by then.
   *
   * @throws {R1Error} what {@link Generation.admitted} rejects with, unless it was given up;
   * `DISPOSED` when the model was closed meanwhile; `DECODE_FAILED`, `CONTEXT_FULL` or `INTERNAL`
   * when the engine failed.
   */
  result(): Promise<GenerationResult> {
    return this.#result;
  }

  /**
   * Gives it up: what was generated stays, the last part is `finish` with reason `"aborted"`. Does
   * nothing once it has ended.
   */
  cancel(): void {
    if (this.#isEnded || this.#isCancelled) return;
    this.#isCancelled = true;
    this.#init.cancel();
  }

  /**
   * Ends the thinking now: the line `reasoning.closing` and `</think>` follow at the next token, as
   * at the end of a budget, and then the answer. A reasoning that has not begun yet (the generation
   * waits, or its prompt is still computed) is closed as soon as it opens. Does nothing in the
   * answer, and once the generation has ended.
   *
   * @throws {R1Error} `TEMPLATE_UNSUPPORTED` when the vocabulary has no `</think>`.
   */
  endReasoning(): void {
    if (this.#isEnded || this.#isCancelled) return;
    this.#init.endReasoning();
    this.#endsReasoning = true;
  }

  /** @internal Whether `endReasoning` was called. */
  get endsReasoning(): boolean {
    return this.#endsReasoning;
  }

  /**
   * The parts as they come; `finish` is the last.
   *
   * @throws {R1Error} `INVALID_ARGUMENT` when it is iterated a second time; in the loop, the codes
   * of {@link Generation.result}. An abort throws `signal.reason` as it is.
   */
  [Symbol.asyncIterator](): AsyncIterator<Part, undefined> {
    if (this.#isIterated) {
      throw new R1Error(
        "INVALID_ARGUMENT",
        "This generation is already being iterated, and its parts are handed out once: use `result()` for the whole, or pass the parts on yourself.",
      );
    }
    this.#isIterated = true;
    const leave = async (): Promise<IteratorReturnResult<undefined>> => {
      this.cancel();
      this.#queue.clear();
      this.#queue.end();
      // After `break` the engine is free for what comes next; how this request ended is told by
      // result().
      await this.#result.catch(() => undefined);
      return { value: undefined, done: true };
    };
    return { next: () => this.#queue.next(), return: leave };
  }

  /** @internal Its prompt is known: tokens may come. */
  begin(segmenter: Segmenter): void {
    this.#segmenter = segmenter;
  }

  /** @internal The request stands in the queue. */
  admit(promptTokens: number): void {
    this.#admission.resolve(promptTokens);
  }

  /** @internal The prompt has come so far. */
  progress(facts: Omit<PromptProgressPart, "type">): void {
    if (!this.#isEnded) this.#queue.push({ type: "prompt-progress", ...facts });
  }

  /**
   * @internal A token came. Its reader hears of it at `tell`; says true when that is still to be
   * called.
   */
  token(token: number, text: string, logprobs?: LogprobPlace): boolean {
    if (this.#isEnded) return false;
    this.#tokens.push(token);
    if (text !== "") this.#text.push(text);
    const logprob = this.#init.wantsLogprobs ? this.#logprobOf(token, logprobs) : undefined;
    if (logprob !== undefined) this.#logprobs.push(logprob);
    this.#emit(this.#segmenter?.push(token, text, logprob) ?? []);
    const isFirst = !this.#hasUnreported;
    this.#hasUnreported = true;
    return isFirst;
  }

  /** @internal All of a delivery is taken: wakes the reader. */
  wakeReader(): void {
    this.#hasUnreported = false;
    this.#queue.wake();
  }

  /** @internal The request ended. */
  end(event: Omit<NativeEndEvent, "kind" | "id">): void {
    if (!this.#close()) return;
    const { seed, wantsLogprobs, stop, signal } = this.#init;
    const segmenter = this.#segmenter;
    this.#emit(segmenter?.end() ?? []);
    const ended = this.#isCancelled ? "aborted" : event.reason;
    const finishReason = ended === "stop" && this.#toolCalls.length > 0 ? "tool-calls" : ended;
    const stopString = finishReason === "stop-string" ? stop[event.stop] : undefined;
    const stopped = stopString === undefined ? {} : { stopString };
    const usage: Usage = Object.freeze({
      promptTokens: event.promptTokens,
      cachedTokens: event.cachedTokens,
      completionTokens: event.completionTokens,
      reasoningTokens: segmenter?.reasoningTokens ?? 0,
    });
    const timings: Timings = timingsOf(event);
    const result: GenerationResult = Object.freeze({
      reasoning: segmenter?.reasoning ?? "",
      answer: segmenter?.answer ?? "",
      text: this.#text.join(""),
      tokens: tokenArray(Int32Array.from(this.#tokens)),
      finishReason,
      ...stopped,
      seed,
      usage,
      timings,
      ...(wantsLogprobs ? { logprobs: Object.freeze(this.#logprobs) } : {}),
      toolCalls: Object.freeze(this.#toolCalls),
    });
    this.#init.onEnd?.(result);
    this.#queue.push({ type: "finish", finishReason, ...stopped, seed, usage, timings });
    this.#queue.end();
    this.#settle.resolve(result);
    this.#admission.reject(notAdmitted(finishReason, signal));
  }

  /** @internal The request failed, or the engine was closed. */
  fail(error: R1Error): void {
    if (!this.#close()) return;
    this.#init.onEnd?.(undefined);
    this.#queue.fail(error);
    this.#settle.reject(error);
    this.#admission.reject(error);
  }

  /** Says true the first time. */
  #close(): boolean {
    if (this.#isEnded) return false;
    this.#isEnded = true;
    this.#init.signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }

  // An arrow, so that the listener can be removed again.
  readonly #onAbort = (): void => {
    this.#queue.fail(this.#init.signal?.reason);
    this.cancel();
  };

  #emit(parts: readonly ContentPart[]): void {
    for (const part of parts) {
      if (part.type === "tool-call") this.#toolCalls.push(part.call);
      this.#queue.stage(part);
    }
  }

  #logprobOf(id: number, place: LogprobPlace | undefined): TokenLogprob {
    const { piece } = this.#init;
    const entry = (
      token: number,
      logprob: number | undefined,
    ): { token: number; text: string; logprob: number } => ({
      token,
      text: piece(token),
      logprob: logprob ?? -Infinity,
    });
    const { columns, index = 0, first = 0, last = 0 } = place ?? {};
    const top = Array.from(columns?.topTokens.subarray(first, last) ?? [], (token, i) =>
      Object.freeze(entry(token, columns?.topLogprobs[first + i])),
    );
    return Object.freeze({ ...entry(id, columns?.own[index]), top: Object.freeze(top) });
  }
}
