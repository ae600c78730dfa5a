// Builds one message out of a run's events, and the protocol's own event for each step. The
// streamed and the whole form both come from here.
import type { FinishReason, Usage } from "../../index.js";
import type { FinishEvent, RunEvent } from "../core/events.js";

/** An event of the protocol. */
export type MessageEvent = Readonly<Record<string, unknown>> & { readonly type: string };

/** A block of the reply. */
export type ReplyBlock =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "text"; readonly text: string; readonly citations: readonly [] }
  | {
      readonly type: "tool_use";
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
      readonly caller: { readonly type: "direct" };
    };

/** What a builder needs beside its events. */
export interface BuilderInit {
  readonly id: string;
  /** The name by which the client asked. */
  readonly model: string;
  readonly thinking: "shown" | "omitted" | "hidden";
}

/**
 * Clients keep a thought only with a signature, and send both back. This server drops earlier
 * thoughts, as R1's template does, so that nothing has to be proved by it.
 */
const SIGNATURE = Buffer.from("r1-native").toString("base64");

const STOP_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: "end_turn",
  "stop-string": "stop_sequence",
  "tool-calls": "tool_use",
  length: "max_tokens",
  timeout: "max_tokens",
  loop: "max_tokens",
  aborted: "max_tokens",
};

/** Tokens as Anthropic counts them: what came from the cache is no input. */
function usageObject({
  promptTokens,
  cachedTokens,
  completionTokens,
  reasoningTokens,
}: Usage): object {
  return {
    input_tokens: promptTokens - cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    output_tokens: completionTokens,
    output_tokens_details: { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  };
}

/** A call's id with the prefix that Anthropic's have. */
const toolUseId = (id: string): string => id.replace(/^call_/, "toolu_");

/** One message as it grows. Takes the events of one choice, in order. */
export class MessageBuilder {
  readonly #init: BuilderInit;
  readonly #content: ReplyBlock[] = [];
  #open:
    | { readonly type: "thinking" | "text" | "tool_use"; text: string; id: string; name: string }
    | undefined;
  #events: MessageEvent[] = [];
  #isBegun = false;
  #message: MessageEvent | undefined;

  constructor(init: BuilderInit) {
    this.#init = init;
  }

  /** The message once it has ended. */
  get message(): MessageEvent | undefined {
    return this.#message;
  }

  /** Takes an event of the run; returns those of the protocol that it brings about. */
  take(event: Exclude<RunEvent, { type: "error" }>): MessageEvent[] {
    switch (event.type) {
      case "start":
        this.#begin(event.promptTokens);
        break;
      case "reasoning":
        if (this.#init.thinking !== "hidden") this.#text("thinking", event.text);
        break;
      case "answer":
        this.#text("text", event.text);
        break;
      case "tool-start":
        this.#enter("tool_use", event.id, event.name);
        break;
      case "tool-delta":
        this.#input(event.text);
        break;
      case "tool-call":
        if (!event.wasStreamed) {
          this.#enter("tool_use", event.id, event.name);
          this.#input(event.arguments);
        }
        this.#leave();
        break;
      case "tool-error":
        if (event.call === undefined) this.#text("text", event.text);
        else this.#leave();
        break;
      case "finish":
        this.#finish(event);
        break;
      case "queued":
      case "progress":
    }
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #object(
    ends: { stop_reason: string | null; stop_sequence: string | null },
    usage: object,
  ): MessageEvent {
    return {
      id: this.#init.id,
      type: "message",
      role: "assistant",
      model: this.#init.model,
      content: [...this.#content],
      ...ends,
      stop_details: null,
      container: null,
      diagnostics: null,
      usage: {
        ...usage,
        cache_creation: null,
        inference_geo: null,
        service_tier: "standard",
        speed: null,
      },
    };
  }

  #begin(promptTokens: number): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const usage = { promptTokens, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
    const message = this.#object({ stop_reason: null, stop_sequence: null }, usageObject(usage));
    this.#events.push({ type: "message_start", message }, { type: "ping" });
  }

  #tell(type: string, fields: Record<string, unknown>): void {
    this.#events.push({ type, index: this.#content.length, ...fields });
  }

  /** Opens a block of a kind, unless it is open already. */
  #enter(type: "thinking" | "text" | "tool_use", id = "", name = ""): void {
    if (this.#open?.type === type && type !== "tool_use") return;
    this.#leave();
    this.#open = { type, text: "", id: toolUseId(id), name };
    const block: ReplyBlock =
      type === "thinking"
        ? { type, thinking: "", signature: "" }
        : type === "text"
          ? { type, text: "", citations: [] }
          : { type, id: this.#open.id, name, input: {}, caller: { type: "direct" } };
    this.#tell("content_block_start", { content_block: block });
  }

  #text(type: "thinking" | "text", text: string): void {
    if (text === "") return;
    this.#enter(type);
    if (type === "thinking" && this.#init.thinking === "omitted") return;
    if (this.#open !== undefined) this.#open.text += text;
    const delta =
      type === "text" ? { type: "text_delta", text } : { type: "thinking_delta", thinking: text };
    this.#tell("content_block_delta", { delta });
  }

  #input(text: string): void {
    if (this.#open?.type !== "tool_use") return;
    this.#open.text += text;
    this.#tell("content_block_delta", { delta: { type: "input_json_delta", partial_json: text } });
  }

  /** Closes the open block. */
  #leave(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { type, text, id, name } = open;
    if (type === "thinking")
      this.#tell("content_block_delta", {
        delta: { type: "signature_delta", signature: SIGNATURE },
      });
    this.#tell("content_block_stop", {});
    this.#content.push(
      type === "thinking"
        ? { type, thinking: text, signature: SIGNATURE }
        : type === "text"
          ? { type, text, citations: [] }
          : { type, id, name, input: inputOf(text), caller: { type: "direct" } },
    );
  }

  #finish({ reason, stopString, usage }: FinishEvent): void {
    // Clients look for a text, be it empty.
    if (this.#open?.type !== "text" && !this.#content.some(({ type }) => type !== "thinking"))
      this.#enter("text");
    this.#leave();
    const ends = { stop_reason: STOP_REASONS[reason], stop_sequence: stopString ?? null };
    const counted = usageObject(usage);
    this.#message = this.#object(ends, counted);
    this.#events.push(
      {
        type: "message_delta",
        delta: { ...ends, stop_details: null, container: null },
        usage: counted,
      },
      { type: "message_stop" },
    );
  }
}

/** The input of a call; text that is no JSON comes from one that was cut off. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
