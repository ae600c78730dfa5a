// Builds one response out of a run's events, and the protocol's own event for each step. The
// streamed and the whole form both come from here.
import type { TokenLogprob } from "../../index.js";
import type {
  FinishEvent,
  ProgressEvent,
  RunEvent,
  TextEvent,
  ToolCallEvent,
} from "../core/events.js";
import { nowSeconds, randomId } from "../core/ids.js";
import { timingsBody } from "../core/timings.js";
import type { FunctionCallItem, ItemStatus, OutputItem, OutputLogprob } from "./items.js";
import { responseObject } from "./response-object.js";
import type { ResponseHead, ResponseObject } from "./response-object.js";

/** An event of the protocol; `sequence_number` counts from 0 without a gap. */
export interface ResponseEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly [field: string]: unknown;
}

/** Where the thinking goes: `text` in `reasoning_text`, `summary` in summaries. */
export type ReasoningForm = "text" | "summary" | "hidden";

/** What a builder needs beside its events. */
export interface BuilderInit {
  readonly head: ResponseHead;
  readonly reasoning: ReasoningForm;
  readonly wantsLogprobs: boolean;
  /** Only the first call is sent. */
  readonly isOneCall: boolean;
}

function outputLogprob(logprob: TokenLogprob): OutputLogprob {
  const entry = (one: Omit<TokenLogprob, "top">): Omit<OutputLogprob, "top_logprobs"> => ({
    token: one.text,
    // JSON has no infinity.
    logprob: Math.max(one.logprob, -9999),
    bytes: one.bytes,
  });
  return { ...entry(logprob), top_logprobs: logprob.top.map(entry) };
}

/** The item that is being written. */
interface OpenItem {
  readonly kind: "reasoning" | "message" | "call";
  readonly id: string;
  readonly index: number;
  text: string;
  logprobs: OutputLogprob[];
  /** Of a call. */
  readonly callId: string;
  readonly name: string;
}

/** One response as it grows. Takes the events of one choice, in order. */
export class ResponseBuilder {
  readonly #init: BuilderInit;
  readonly #output: OutputItem[] = [];
  #open: OpenItem | undefined;
  #events: ResponseEvent[] = [];
  #sequence = 0;
  #isBegun = false;
  #response: ResponseObject | undefined;

  constructor(init: BuilderInit) {
    this.#init = init;
  }

  /** The response once it has ended. */
  get response(): ResponseObject | undefined {
    return this.#response;
  }

  /** Takes an event of the run; returns those of the protocol that it brings about. */
  take(event: RunEvent): ResponseEvent[] {
    if ("call" in event && (event.call ?? 0) > 0 && this.#init.isOneCall) return [];
    if (event.type !== "queued") this.#begin();
    switch (event.type) {
      case "reasoning":
        if (this.#init.reasoning !== "hidden") this.#text("reasoning", event);
        break;
      case "answer":
        this.#text("message", event);
        break;
      case "tool-start":
        this.#enter("call", event.id, event.name);
        break;
      case "tool-delta":
        this.#arguments(event.text);
        break;
      case "tool-call":
        this.#call(event);
        break;
      case "tool-error":
        // What has begun cannot be taken back: its item is incomplete. Else the text is answer.
        if (event.call !== undefined) this.#leave("incomplete");
        else this.#text("message", { type: "answer", choice: 0, text: event.text });
        break;
      case "finish":
        this.#finish(event);
        break;
      case "error":
        this.#leave("incomplete");
        this.#end("failed", { error: event.error });
        break;
      case "progress":
        this.#progress(event);
        break;
      case "queued":
      case "start":
    }
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #tell(type: string, fields: Record<string, unknown>): void {
    this.#events.push({ type, sequence_number: this.#sequence++, ...fields });
  }

  #begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const response = responseObject(this.#init.head, []);
    this.#tell("response.created", { response });
    this.#tell("response.in_progress", { response });
  }

  /** OpenAI has no event for it: the one that says "in progress" comes again, with llama-server's
   * field. */
  #progress({ total, cached, processed, timeMs }: ProgressEvent): void {
    this.#tell("response.in_progress", {
      response: responseObject(this.#init.head, []),
      prompt_progress: { total, cache: cached, processed, time_ms: timeMs },
    });
  }

  /** Where an event stands. */
  #place({ id, index }: OpenItem): { item_id: string; output_index: number } {
    return { item_id: id, output_index: index };
  }

  get #isSummary(): boolean {
    return this.#init.reasoning === "summary";
  }

  /** Opens an item of a kind, unless it is open already. */
  #enter(kind: OpenItem["kind"], callId = "", name = ""): OpenItem {
    if (this.#open?.kind === kind && kind !== "call") return this.#open;
    this.#leave("completed");
    const id = randomId({ reasoning: "rs_", message: "msg_", call: "fc_" }[kind]);
    const index = this.#output.length;
    const open: OpenItem = { kind, id, index, text: "", logprobs: [], callId, name };
    this.#open = open;
    this.#tell("response.output_item.added", {
      output_index: index,
      item: this.#item(open, "in_progress", false),
    });
    if (kind === "reasoning" && this.#isSummary)
      this.#tell("response.reasoning_summary_part.added", {
        ...this.#place(open),
        summary_index: 0,
        part: { type: "summary_text", text: "" },
      });
    else if (kind !== "call")
      this.#tell("response.content_part.added", {
        ...this.#place(open),
        content_index: 0,
        part: this.#part(open),
      });
    return open;
  }

  #text(kind: "reasoning" | "message", { text, logprobs }: TextEvent): void {
    if (text === "") return;
    const open = this.#enter(kind);
    open.text += text;
    const place = this.#place(open);
    if (kind === "message") {
      const told = this.#init.wantsLogprobs ? (logprobs ?? []).map(outputLogprob) : [];
      for (const one of told) open.logprobs.push(one);
      this.#tell("response.output_text.delta", {
        ...place,
        content_index: 0,
        delta: text,
        logprobs: told,
      });
    } else if (this.#isSummary)
      this.#tell("response.reasoning_summary_text.delta", {
        ...place,
        summary_index: 0,
        delta: text,
      });
    else this.#tell("response.reasoning_text.delta", { ...place, content_index: 0, delta: text });
  }

  #arguments(text: string): void {
    const open = this.#open;
    if (open?.kind !== "call") return;
    open.text += text;
    this.#tell("response.function_call_arguments.delta", { ...this.#place(open), delta: text });
  }

  #call(event: ToolCallEvent): void {
    if (!event.wasStreamed) {
      this.#enter("call", event.id, event.name);
      this.#arguments(event.arguments);
    }
    this.#leave("completed");
  }

  /** Closes the open item. */
  #leave(status: "completed" | "incomplete"): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const place = this.#place(open);
    if (open.kind === "call")
      this.#tell("response.function_call_arguments.done", {
        ...place,
        name: open.name,
        arguments: open.text,
      });
    else if (open.kind === "reasoning" && this.#isSummary) {
      this.#tell("response.reasoning_summary_text.done", {
        ...place,
        summary_index: 0,
        text: open.text,
      });
      this.#tell("response.reasoning_summary_part.done", {
        ...place,
        summary_index: 0,
        part: { type: "summary_text", text: open.text },
      });
    } else {
      const isMessage = open.kind === "message";
      this.#tell(isMessage ? "response.output_text.done" : "response.reasoning_text.done", {
        ...place,
        content_index: 0,
        text: open.text,
        ...(isMessage ? { logprobs: open.logprobs } : {}),
      });
      this.#tell("response.content_part.done", {
        ...place,
        content_index: 0,
        part: this.#part(open),
      });
    }
    const item = this.#item(open, status, true);
    this.#output.push(item);
    this.#tell("response.output_item.done", { output_index: open.index, item });
  }

  #part(open: OpenItem): object {
    return open.kind === "reasoning"
      ? { type: "reasoning_text", text: open.text }
      : { type: "output_text", text: open.text, annotations: [], logprobs: open.logprobs };
  }

  /** @param isWhole - With its text. */
  #item(
    { kind, id, text, logprobs, callId, name }: OpenItem,
    status: ItemStatus,
    isWhole: boolean,
  ): OutputItem {
    if (kind === "call") {
      const call: FunctionCallItem = {
        type: "function_call",
        id,
        call_id: callId,
        name,
        arguments: text,
        status,
      };
      return call;
    }
    if (kind === "message") {
      const content = isWhole
        ? [{ type: "output_text", text, annotations: [], logprobs } as const]
        : [];
      return { type: "message", id, role: "assistant", status, content };
    }
    const base = { type: "reasoning", id, status, encrypted_content: null } as const;
    if (this.#isSummary)
      return { ...base, summary: isWhole ? [{ type: "summary_text", text }] : [] };
    return { ...base, summary: [], content: isWhole ? [{ type: "reasoning_text", text }] : [] };
  }

  #finish(event: FinishEvent): void {
    const { reason, usage } = event;
    const isWhole = reason === "stop" || reason === "stop-string" || reason === "tool-calls";
    const hasAnswer =
      this.#open?.kind === "message" || this.#output.some(({ type }) => type !== "reasoning");
    // Clients look for a message, be it empty.
    if (isWhole && !hasAnswer) this.#enter("message");
    this.#leave(isWhole ? "completed" : "incomplete");
    const facts = { usage, finishReason: reason };
    this.#end(isWhole ? "completed" : "incomplete", facts, { timings: timingsBody(event) });
  }

  #end(
    status: "completed" | "incomplete" | "failed",
    facts: Pick<Parameters<typeof responseObject>[2] & object, "usage" | "finishReason" | "error">,
    more: Readonly<Record<string, unknown>> = {},
  ): void {
    const end = { status, completedAt: nowSeconds(), ...facts };
    const response = responseObject(this.#init.head, this.#output, end);
    this.#response = response;
    this.#tell(`response.${status}`, { response, ...more });
  }
}
