// The one stream of events that every protocol's encoder reads, and what it amounts to at the end.
import type { FinishReason, Timings, TokenLogprob, Usage } from "../../index.js";
import type { ApiError } from "./api-error.js";

/**
 * An event of a run. `choice` counts the generations of one request from 0; events of different
 * choices come interleaved, those of one choice in this order: `queued`, `start`, `progress`,
 * `reasoning`, `answer` and tool events as the model writes them, `finish`. An `error` ends the
 * whole run: nothing follows it, and choices that have not finished do not.
 */
export type RunEvent =
  | QueuedEvent
  | StartEvent
  | ProgressEvent
  | TextEvent
  | ToolStartEvent
  | ToolDeltaEvent
  | ToolCallEvent
  | ToolErrorEvent
  | FinishEvent
  | { readonly type: "error"; readonly error: ApiError };

/** An event of one choice. */
export type ChoiceEvent = Exclude<RunEvent, { readonly type: "error" | "queued" }>;

/** The request waits in the server's queue; comes again when its position has changed. */
export interface QueuedEvent {
  readonly type: "queued";
  /** Requests that will start before it. */
  readonly ahead: number;
}

/** The request stands in the engine's queue: its prompt is accepted. */
export interface StartEvent {
  readonly type: "start";
  readonly choice: number;
  readonly promptTokens: number;
}

/** How far the prompt is; only when the request asked for it. */
export interface ProgressEvent {
  readonly type: "progress";
  readonly choice: number;
  /** Tokens of the prompt, those taken from the cache, and those done by now. */
  readonly total: number;
  readonly cached: number;
  readonly processed: number;
  readonly timeMs: number;
}

/** A piece of the thinking or of the answer: whole characters. */
export interface TextEvent {
  readonly type: "reasoning" | "answer";
  readonly choice: number;
  readonly text: string;
  /** Of the tokens whose text begins in it; only when the request asked for them. */
  readonly logprobs?: readonly TokenLogprob[] | undefined;
}

/** A call begins whose arguments come as deltas; only when the request asked for them. */
export interface ToolStartEvent {
  readonly type: "tool-start";
  readonly choice: number;
  /** Counts the calls of the choice from 0. */
  readonly call: number;
  readonly id: string;
  readonly name: string;
}

/** A piece of the JSON text of a call's arguments. */
export interface ToolDeltaEvent {
  readonly type: "tool-delta";
  readonly choice: number;
  readonly call: number;
  readonly text: string;
}

/** A whole call that fits its schema. */
export interface ToolCallEvent {
  readonly type: "tool-call";
  readonly choice: number;
  readonly call: number;
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
  /** Start and deltas of it have come before. */
  readonly wasStreamed: boolean;
}

/**
 * A call that cannot be made: malformed, of an unknown tool, or cut off. Without `call` nothing of
 * it has come before, and an encoder shows `text` as a part of the answer.
 */
export interface ToolErrorEvent {
  readonly type: "tool-error";
  readonly choice: number;
  readonly call: number | undefined;
  /** The call as the model wrote it. */
  readonly text: string;
  readonly message: string;
}

/** The end of a choice. */
export interface FinishEvent {
  readonly type: "finish";
  readonly choice: number;
  readonly reason: FinishReason;
  /** The text of `stop` that ended it, if one did. */
  readonly stopString?: string | undefined;
  readonly seed: number;
  readonly usage: Usage;
  readonly timings: Timings;
}

/** A call of an outcome. */
export interface OutcomeCall {
  readonly id: string;
  readonly name: string;
  /** JSON text; the beginning of one if the call was cut off. */
  readonly arguments: string;
  /** False for a call that was cut off, or whose arguments do not fit its schema. */
  readonly isWhole: boolean;
}

/** One choice of a run that has ended. */
export interface ChoiceOutcome {
  readonly reasoning: string;
  readonly answer: string;
  readonly toolCalls: readonly OutcomeCall[];
  /** Of the answer's tokens; empty unless asked for. */
  readonly logprobs: readonly TokenLogprob[];
  /** Of the reasoning's tokens; empty unless asked for. */
  readonly reasoningLogprobs: readonly TokenLogprob[];
  readonly finish: FinishEvent;
}

/** Tokens of all choices: the prompt counts once. */
export function totalUsage(finishes: readonly FinishEvent[]): Usage {
  const first = finishes[0]?.usage;
  const sum = (key: "completionTokens" | "reasoningTokens"): number =>
    finishes.reduce((total, { usage }) => total + usage[key], 0);
  return {
    promptTokens: first?.promptTokens ?? 0,
    cachedTokens: first?.cachedTokens ?? 0,
    completionTokens: sum("completionTokens"),
    reasoningTokens: sum("reasoningTokens"),
  };
}

/** The first choice that has not finished: a sign of life must not follow the end of one. */
export function firstOpen(finishes: readonly FinishEvent[]): number {
  const finished = new Set(finishes.map(({ choice }) => choice));
  let choice = 0;
  while (finished.has(choice)) choice++;
  return choice;
}

/** Collects the events of one choice. */
class ChoiceParts {
  #reasoning = "";
  #answer = "";
  /** By their numbers. */
  readonly #calls: OutcomeCall[] = [];
  readonly #logprobs: TokenLogprob[] = [];
  readonly #reasoningLogprobs: TokenLogprob[] = [];
  finish: FinishEvent | undefined;

  add(event: ChoiceEvent): void {
    switch (event.type) {
      case "reasoning":
        this.#reasoning += event.text;
        this.#reasoningLogprobs.push(...(event.logprobs ?? []));
        break;
      case "answer":
        this.#answer += event.text;
        this.#logprobs.push(...(event.logprobs ?? []));
        break;
      case "tool-start":
      case "tool-delta":
      case "tool-call":
        this.#addCall(event);
        break;
      case "tool-error":
        // What began as a call stays one, as in a stream, where it cannot be taken back.
        if (event.call === undefined) this.#answer += event.text;
        break;
      case "finish":
        this.finish = event;
        break;
      case "start":
      case "progress":
    }
  }

  #addCall(event: ToolStartEvent | ToolDeltaEvent | ToolCallEvent): void {
    const begun = this.#calls[event.call];
    if (event.type === "tool-start") {
      const { id, name } = event;
      this.#calls[event.call] = { id, name, arguments: "", isWhole: false };
    } else if (event.type === "tool-call") {
      const { id, name, arguments: given } = event;
      this.#calls[event.call] = begun
        ? { ...begun, isWhole: true }
        : { id, name, arguments: given, isWhole: true };
    } else if (begun)
      this.#calls[event.call] = { ...begun, arguments: begun.arguments + event.text };
  }

  outcome(finish: FinishEvent): ChoiceOutcome {
    return {
      reasoning: this.#reasoning,
      answer: this.#answer,
      toolCalls: this.#calls,
      logprobs: this.#logprobs,
      reasoningLogprobs: this.#reasoningLogprobs,
      finish,
    };
  }
}

/** The events that an outcome amounts to, for encoders whose two forms come from events. */
export function* eventsOf(outcome: ChoiceOutcome): Generator<ChoiceEvent> {
  const { reasoning, answer, toolCalls, logprobs, finish } = outcome;
  yield { type: "reasoning", choice: 0, text: reasoning };
  yield { type: "answer", choice: 0, text: answer, logprobs };
  for (const [call, { isWhole, ...one }] of toolCalls.entries())
    if (isWhole) yield { type: "tool-call", choice: 0, call, wasStreamed: false, ...one };
    else {
      const { id, name, arguments: text } = one;
      yield { type: "tool-start", choice: 0, call, id, name };
      yield { type: "tool-delta", choice: 0, call, text };
      yield { type: "tool-error", choice: 0, call, text, message: "The call was cut off." };
    }
  yield finish;
}

/** Reads a run to its end. @throws {ApiError} the error that ended it. */
export async function collectOutcomes(events: AsyncIterable<RunEvent>): Promise<ChoiceOutcome[]> {
  const choices: ChoiceParts[] = [];
  for await (const event of events) {
    if (event.type === "error") throw event.error;
    if (event.type === "queued") continue;
    (choices[event.choice] ??= new ChoiceParts()).add(event);
  }
  return choices.map((parts) => {
    if (parts.finish === undefined) throw new TypeError("A choice ended without a finish event.");
    return parts.outcome(parts.finish);
  });
}
