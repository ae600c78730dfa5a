// A request under way: it waits for its turn, its generations run, and their parts become events.
// However it ends (finished, client gone, time over), its generations are stopped and its turn is
// given back.
import { isR1Error } from "../../base/errors.js";
import type { ChatMessageInput, ChatModel, ChatOptions, Generation, Part } from "../../index.js";
import { clientGone, toApiError, unavailable } from "./api-error.js";
import type { ApiError, ErrorWords } from "./api-error.js";
import type { RunEvent } from "./events.js";
import { interleave } from "./interleave.js";

/** What to generate: a conversation or a raw prompt, in the library's own words. */
export interface RunInput {
  readonly messages?: readonly ChatMessageInput[];
  /** A raw prompt as text or ids, in place of messages. */
  readonly prompt?: string | readonly number[];
  /** Options of the generations, without `signal`, `priority` and `timeoutMs`. */
  readonly options: Omit<ChatOptions, "signal" | "priority" | "timeoutMs">;
  /** Choices; their seeds count up. */
  readonly n: number;
}

/** How a run is to be treated. */
export interface RunSettings {
  readonly words: ErrorWords;
  readonly priority: number;
  /** From the turn to the last token; 0: no limit. Unit: milliseconds. */
  readonly timeoutMs: number;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** Events `queued` are wanted. */
  readonly wantsQueue: boolean;
}

/** What a run needs of the server: the model, when its turn has come. */
export interface Turn {
  readonly model: ChatModel;
  /** Gives the turn back. */
  readonly release: () => void;
}

/** Asks for a turn; `onMove` hears how many requests are ahead. */
export type TakeTurn = (signal: AbortSignal, onMove?: (ahead: number) => void) => Promise<Turn>;

/** Hears of a run for logs and metrics. */
export interface RunObserver {
  readonly onTurn?: (model: ChatModel) => void;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onEnd?: () => void;
}

function isRaw(input: RunInput): input is RunInput & { prompt: string | readonly number[] } {
  return input.prompt !== undefined;
}

function generate(model: ChatModel, input: RunInput, options: ChatOptions): Generation[] {
  const { n } = input;
  if (isRaw(input)) {
    const prompt = typeof input.prompt === "string" ? input.prompt : Int32Array.from(input.prompt);
    return n === 1 ? [model.complete(prompt, options)] : model.choices(prompt, { ...options, n });
  }
  const messages = input.messages ?? [];
  return n === 1 ? [model.chat(messages, options)] : model.choices(messages, { ...options, n });
}

/** Turns the parts of one generation into events of a choice. */
class PartTranslator {
  readonly #choice: number;
  #calls = 0;
  /** Numbers of the calls that began with deltas, by their ids. */
  readonly #begun = new Map<string, number>();

  constructor(choice: number) {
    this.#choice = choice;
  }

  event(part: Part): RunEvent | undefined {
    const choice = this.#choice;
    switch (part.type) {
      case "reasoning-delta":
        return { type: "reasoning", choice, text: part.text, logprobs: part.logprobs };
      case "answer-delta":
        return { type: "answer", choice, text: part.text, logprobs: part.logprobs };
      case "tool-call-start": {
        const call = this.#calls++;
        this.#begun.set(part.id, call);
        return { type: "tool-start", choice, call, id: part.id, name: part.name };
      }
      case "tool-call-delta":
        return {
          type: "tool-delta",
          choice,
          call: this.#begun.get(part.id) ?? 0,
          text: part.text,
        };
      case "tool-call": {
        const begun = this.#begun.get(part.call.id);
        const { id, name } = part.call;
        return {
          type: "tool-call",
          choice,
          call: begun ?? this.#calls++,
          id,
          name,
          arguments: JSON.stringify(part.call.arguments),
          wasStreamed: begun !== undefined,
        };
      }
      case "tool-call-error": {
        const call = part.id === undefined ? undefined : this.#begun.get(part.id);
        return { type: "tool-error", choice, call, text: part.text, message: part.message };
      }
      case "prompt-progress": {
        const { total, cached, processed, timeMs } = part;
        return { type: "progress", choice, total, cached, processed, timeMs };
      }
      case "finish": {
        const { finishReason: reason, stopString, seed, usage, timings } = part;
        return { type: "finish", choice, reason, stopString, seed, usage, timings };
      }
      case "reasoning-start":
      case "reasoning-end":
      case "answer-start":
      case "answer-end":
        return undefined;
    }
  }
}

async function* choiceEvents(generation: Generation, choice: number): AsyncGenerator<RunEvent> {
  const translator = new PartTranslator(choice);
  for await (const part of generation) {
    const event = translator.event(part);
    if (event !== undefined) yield event;
  }
}

/** One request under way. Begins with its construction; nobody has to read it. */
export class Run {
  readonly #input: RunInput;
  readonly #settings: RunSettings;
  readonly #observer: RunObserver;
  readonly #controller = new AbortController();
  readonly #started: Promise<Generation[]>;
  readonly #admitted: Promise<number>;
  #generations: readonly Generation[] = [];
  #ahead: number | undefined;
  #wake: (() => void) | undefined;
  #endsReasoning = false;
  #cut: ApiError | undefined;
  #isOver = false;
  #hasFailed = false;

  constructor(takeTurn: TakeTurn, input: RunInput, settings: RunSettings, observer: RunObserver) {
    this.#input = input;
    this.#settings = settings;
    this.#observer = observer;
    this.#started = this.#start(takeTurn);
    this.#admitted = this.#started.then(async (generations) => {
      const counts = await Promise.all(generations.map((generation) => generation.admitted));
      return counts[0] ?? 0;
    });
    this.#admitted.catch((error: unknown) => {
      this.#failed(error);
      this.#end();
    });
    const { signal } = settings;
    if (signal.aborted) this.abort();
    else signal.addEventListener("abort", this.#onGone, { once: true });
  }

  /**
   * Resolves with the number of prompt tokens once the engine has accepted the prompt.
   * @throws {ApiError} rejects with what refused it.
   */
  async admitted(): Promise<number> {
    try {
      return await this.#admitted;
    } catch (error) {
      throw this.#error(error);
    }
  }

  /** Whether everything of it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Stops it: the client has gone. May be called at any time. */
  abort(): void {
    this.#controller.abort(new DOMException("The request was given up.", "AbortError"));
  }

  /** Stops it with an error that its client still gets. */
  cut(error: ApiError): void {
    this.#cut ??= error;
    this.abort();
  }

  /** Ends the thinking of every choice; the answers follow. */
  endReasoning(): void {
    this.#endsReasoning = true;
    for (const generation of this.#generations) generation.endReasoning();
  }

  /** The events; ends with the last `finish` or with `error`, and never throws. Read it once. */
  async *events(): AsyncGenerator<RunEvent> {
    try {
      for await (const event of this.#raw()) {
        this.#observer.onEvent?.(event);
        yield event;
      }
    } catch (thrown) {
      yield this.#failed(thrown);
    } finally {
      this.abort();
    }
  }

  async *#raw(): AsyncGenerator<RunEvent> {
    if (this.#settings.wantsQueue) yield* this.#queueEvents();
    const promptTokens = await this.#admitted;
    const generations = this.#generations;
    for (let choice = 0; choice < generations.length; choice++)
      yield { type: "start", choice, promptTokens };
    yield* interleave(generations.map(choiceEvents));
    if (this.#cut !== undefined) throw this.#cut;
  }

  async *#queueEvents(): AsyncGenerator<RunEvent> {
    let isStarted = false;
    const start = (): void => {
      isStarted = true;
      this.#wake?.();
    };
    this.#started.then(start, start);
    let told: number | undefined;
    while (!isStarted) {
      if (this.#ahead !== undefined && this.#ahead !== told) {
        told = this.#ahead;
        yield { type: "queued", ahead: told };
        continue;
      }
      // No race with #started: it would keep something of each turn for as long as the run waits.
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #start(takeTurn: TakeTurn): Promise<Generation[]> {
    const { signal } = this.#controller;
    const turn = await takeTurn(
      signal,
      this.#settings.wantsQueue
        ? (ahead) => {
            this.#ahead = ahead;
            this.#wake?.();
          }
        : undefined,
    );
    try {
      this.#observer.onTurn?.(turn.model);
      if (signal.aborted) throw clientGone();
      const { priority, timeoutMs } = this.#settings;
      const generations = generate(turn.model, this.#input, {
        ...this.#input.options,
        signal,
        priority,
        timeoutMs,
      });
      this.#generations = generations;
      if (this.#endsReasoning) this.endReasoning();
      void Promise.allSettled(generations.map((generation) => generation.result())).then(() => {
        turn.release();
        this.#end();
      });
      return generations;
    } catch (error) {
      turn.release();
      throw error;
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settings.signal.removeEventListener("abort", this.#onGone);
    this.#observer.onEnd?.();
  }

  /** The event of an error; the observer hears of the first alone. */
  #failed(thrown: unknown): RunEvent {
    const event: RunEvent = { type: "error", error: this.#error(thrown) };
    if (!this.#hasFailed) this.#observer.onEvent?.(event);
    this.#hasFailed = true;
    return event;
  }

  #error(thrown: unknown): ApiError {
    if (this.#cut !== undefined) return this.#cut;
    if (this.#settings.signal.aborted) return clientGone();
    if (this.#controller.signal.aborted && thrown === this.#controller.signal.reason)
      return clientGone();
    if (isR1Error(thrown, "ABORTED")) return clientGone();
    if (isR1Error(thrown, "DISPOSED"))
      return unavailable("The model was closed while the request ran.", "model_stopped");
    return toApiError(thrown, this.#settings.words);
  }

  // An arrow, so that the listener can be removed again.
  readonly #onGone = (): void => this.abort();
}
