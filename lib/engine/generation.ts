// A generation as the user sees it: an async iterator of parts, and a promise of the whole result.
// Runs on the JavaScript thread that requested it.
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

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The parts of a generation. */
export interface GenerationInit {
  readonly seed: number;
  readonly wantsLogprobs: boolean;
  /** Texts that end it. */
  readonly stop: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** Asks the engine to end the request. Before the request is admitted, it ends synchronously. */
  readonly cancel: () => void;
  /**
   * Asks the engine to close the reasoning. Before the request is admitted, this is only recorded.
   */
  readonly endReasoning: () => void;
  /** Returns the bytes of a token, for log probabilities. */
  readonly bytesOf: (token: number) => Uint8Array;
  /**
   * Called at the end, before anyone else sees it, with the result, or with undefined after a
   * failure.
   */
  readonly onEnd?: ((result: GenerationResult | undefined) => void) | undefined;
}

/** The position of one token's log probabilities in the columns of its batch. */
export interface LogprobPlace {
  readonly columns: NativeLogprobs;
  readonly index: number;
  /** The alternatives are those from `first` up to, but not including, `last`. */
  readonly first: number;
  readonly last: number;
}

/** A part that nobody has read yet, so that it may be changed. */
type Unread<T> = {
  -readonly [K in keyof T]: T[K] extends readonly (infer Element)[] | undefined
    ? Element[] | Extract<T[K], undefined>
    : T[K];
};

/** Merges a part into an unread one of the same kind. */
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

/** Returns the reason why a generation that ended before it was queued was never admitted. */
function notAdmitted(reason: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (reason === "timeout")
    return new R1Error(
      "TIMEOUT",
      "The generation's `timeoutMs` ended before its prompt was ready.",
    );
  return new R1Error("ABORTED", "The generation was cancelled before its prompt was ready.");
}

/** The key of the method that `console.log` calls. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * The object that `complete`, `chat` and `send` return at once, while the model works: iterate over
 * it for the parts as they arrive, call {@link Generation.result} for the whole result, or do both.
 *
 * - Its prompt is prepared first: a long text is tokenised and a grammar is compiled, both off the
 *   event loop. Then it is in the engine's queue: {@link Generation.admitted}.
 * - It runs whether or not it is read. If it fails and nobody reads it, there is no unhandled
 *   rejection.
 * - It can be iterated once. Unread parts are merged, so a slow reader gets fewer and longer
 *   deltas.
 * - Leaving the loop, {@link Generation.cancel} and the signal all stop the native work. After
 *   `break` the engine has released the request.
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
  /** There are tokens that the reader has not been woken for. */
  #hasUnreported = false;
  #text: string[] = [];
  #tokens: number[] = [];
  #logprobs: TokenLogprob[] = [];
  #toolCalls: ToolCall[] = [];

  /** The text that `console.log` prints. @internal */
  [INSPECT](): string {
    const state = this.#isEnded ? "ended" : "running";
    return `Generation { ${state}; read it with \`for await\`, or \`await generation.result()\` }`;
  }

  /** @internal Created by the engine only. */
  constructor(init: GenerationInit) {
    this.#init = init;
    this.#result = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // A failed generation that nobody awaits must not end the process.
    this.#result.catch(() => undefined);
    this.#admitted = new Promise((resolve, reject) => (this.#admission = { resolve, reject }));
    this.#admitted.catch(() => undefined);
    if (init.signal?.aborted === true) {
      this.#onAbort();
      this.end(NO_RUN);
    } else init.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Whether the engine has finished with it, in any way. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Resolves with the number of prompt tokens when the request is in the engine's queue. It may be
   * left unread.
   *
   * @throws {R1Error} rejects with the error of the preparation: `PROMPT_TOO_LONG`,
   * `TEXT_TOO_LONG`, `QUEUE_FULL`, `SCHEMA_UNSUPPORTED`, `GRAMMAR_INVALID`, `TEMPLATE_UNSUPPORTED`,
   * `DISPOSED`. If the generation ended earlier, it rejects with `signal.reason` unchanged after an
   * abort, `ABORTED` after `cancel()`, `TIMEOUT` after `timeoutMs`.
   */
  get admitted(): Promise<number> {
    return this.#admitted;
  }

  /** @internal Whether any token has arrived. */
  get hasBegun(): boolean {
    return this.#tokens.length > 0;
  }

  /** Whether it was cancelled by `cancel()`, `break` or its signal. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /**
   * Waits for the end and returns the whole result. Works before, during, after and without
   * iterating, any number of times. A cancelled generation resolves with finishReason `"aborted"`
   * and the output so far.
   *
   * @throws {R1Error} the error that {@link Generation.admitted} rejects with, unless the
   * generation was cancelled; `DISPOSED` when the model was closed in the meantime;
   * `DECODE_FAILED`, `CONTEXT_FULL` or `INTERNAL` when the engine failed.
   */
  result(): Promise<GenerationResult> {
    return this.#result;
  }

  /**
   * Cancels the generation: the output so far is kept, and the last part is `finish` with reason
   * `"aborted"`. Does nothing after the end.
   */
  cancel(): void {
    if (this.#isEnded || this.#isCancelled) return;
    this.#isCancelled = true;
    this.#init.cancel();
  }

  /**
   * Ends the reasoning now: the line `reasoning.closing` and `</think>` follow at the next token,
   * as at the end of a budget, and then the answer. If the reasoning has not begun (the generation
   * waits, or its prompt is still being computed), it is closed as soon as it opens. Does nothing
   * during the answer or after the end.
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
   * The parts in order; `finish` is the last.
   *
   * @throws {R1Error} `INVALID_ARGUMENT` when it is iterated a second time; in the loop, the codes
   * of {@link Generation.result}. An abort throws `signal.reason` unchanged.
   */
  [Symbol.asyncIterator](): AsyncIterator<Part, undefined> {
    if (this.#isIterated) {
      throw new R1Error(
        "INVALID_ARGUMENT",
        "This generation is already being iterated, and it can be iterated only once. Use " +
          "`result()` for the whole result, or distribute the parts yourself.",
      );
    }
    this.#isIterated = true;
    const leave = async (): Promise<IteratorReturnResult<undefined>> => {
      this.cancel();
      this.#queue.clear();
      this.#queue.end();
      // After `break` the engine is ready for other work; result() reports how this request ended.
      await this.#result.catch(() => undefined);
      return { value: undefined, done: true };
    };
    return { next: () => this.#queue.next(), return: leave };
  }

  /** @internal The prompt is known: tokens may arrive. */
  begin(segmenter: Segmenter): void {
    this.#segmenter = segmenter;
  }

  /** @internal The request is in the queue. */
  admit(promptTokens: number): void {
    this.#admission.resolve(promptTokens);
  }

  /** @internal The prompt has been computed this far. */
  progress(facts: Omit<PromptProgressPart, "type">): void {
    if (!this.#isEnded) this.#queue.push({ type: "prompt-progress", ...facts });
  }

  /**
   * @internal A token arrived. Its reader is woken by {@link Generation.wakeReader}; returns true
   * if that call is still needed.
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

  /** @internal The batch is complete: wakes the reader. */
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

  /** Returns true the first time. */
  #close(): boolean {
    if (this.#isEnded) return false;
    this.#isEnded = true;
    this.#init.signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }

  // An arrow function, so that the listener can be removed.
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
    const entry = (
      token: number,
      logprob: number | undefined,
    ): { token: number; text: string; bytes: readonly number[]; logprob: number } => {
      const bytes = this.#init.bytesOf(token);
      return {
        token,
        text: decoder.decode(bytes),
        bytes: Object.freeze([...bytes]),
        logprob: logprob ?? -Infinity,
      };
    };
    const { columns, index = 0, first = 0, last = 0 } = place ?? {};
    const top = Array.from(columns?.topTokens.subarray(first, last) ?? [], (token, i) =>
      Object.freeze(entry(token, columns?.topLogprobs[first + i])),
    );
    return Object.freeze({ ...entry(id, columns?.own[index]), top: Object.freeze(top) });
  }
}
