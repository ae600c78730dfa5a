// Chunks of a streamed chat completion, ended by `[DONE]`.
import type { FinishEvent, RunEvent, TextEvent } from "../core/events.js";
import { firstOpen, totalUsage } from "../core/events.js";
import { nowSeconds, randomId } from "../core/ids.js";
import { TaggedText } from "../core/reasoning.js";
import { COMMENT } from "../core/respond.js";
import type { KeepAlive, StreamEncoder } from "../core/respond.js";
import type { ChatForm } from "./chat-request.js";
import { openaiError } from "../core/error-form.js";
import { timingsBody } from "../core/timings.js";
import { endNote, finishReason, logprobContent, thinkingFields, usageBody } from "./parts.js";

type Delta = Readonly<Record<string, unknown>>;

/** What one choice has sent. */
class ChoiceState {
  readonly tagged = new TaggedText();
  hasRole = false;
  /** Calls whose number is below this may be sent. */
  calls = 0;
}

/** Most characters of a call's arguments in one chunk: some clients read lines into small buffers. */
const MAX_ARGUMENTS = 65_536;

/** Encodes a stream of chat completion chunks. */
export class ChatStream implements StreamEncoder {
  readonly id = randomId("chatcmpl-");
  readonly #form: ChatForm;
  /** The beginning of every chunk, up to its choices. */
  readonly #head: string;
  /** The end of every chunk but the last: OpenAI sends `usage: null` in those. */
  readonly #tail: string;
  readonly #choices: ChoiceState[] = [];
  readonly #finishes: FinishEvent[] = [];
  readonly #n: number;

  constructor(form: ChatForm, n: number, fingerprint: string) {
    this.#form = form;
    this.#n = n;
    const facts = {
      id: this.id,
      object: "chat.completion.chunk",
      created: nowSeconds(),
      model: form.model,
      system_fingerprint: fingerprint,
    };
    this.#head = `data: ${JSON.stringify(facts).slice(0, -1)},"choices":[`;
    this.#tail = form.wantsUsage ? `,"usage":null}\n\n` : `}\n\n`;
  }

  encode(event: RunEvent): string {
    switch (event.type) {
      case "queued":
        return this.#note(0, { queue_position: event.ahead });
      case "start":
        return "";
      case "progress": {
        const { total, cached, processed, timeMs } = event;
        const progress = { total, cache: cached, processed, time_ms: Math.round(timeMs) };
        return this.#note(event.choice, { prompt_progress: progress });
      }
      case "reasoning":
        return this.#reasoning(event);
      case "answer":
        return this.#answer(event);
      case "tool-start":
        return this.#mayCall(event.call)
          ? this.#chunk(event.choice, this.#callDelta(event.call, "", event))
          : "";
      case "tool-delta":
        return this.#mayCall(event.call)
          ? this.#chunk(event.choice, this.#callDelta(event.call, event.text))
          : "";
      case "tool-call":
        if (event.wasStreamed || !this.#mayCall(event.call)) return "";
        return this.#wholeCall(event.choice, event.call, event);
      case "tool-error":
        // What of it has been sent cannot be taken back: the client finds arguments that are no JSON.
        return event.call === undefined
          ? this.#answer({ type: "answer", choice: event.choice, text: event.text })
          : "";
      case "finish":
        return this.#finish(event);
      case "error":
        return `data: ${JSON.stringify(openaiError(event.error))}\n\n`;
    }
  }

  ping(form: KeepAlive["form"]): string {
    return form === "comment" ? COMMENT : this.#chunk(firstOpen(this.#finishes), {});
  }

  #mayCall(call: number): boolean {
    return call === 0 || !this.#form.isOneCall;
  }

  #reasoning({ choice, text }: TextEvent): string {
    const { reasoning: form } = this.#form;
    if (form === "hidden") return "";
    return this.#chunk(
      choice,
      form === "tags"
        ? { content: this.#state(choice).tagged.reasoning(text) }
        : thinkingFields(form, text),
    );
  }

  #answer({ choice, text, logprobs }: TextEvent): string {
    const content =
      this.#form.reasoning === "tags" ? this.#state(choice).tagged.answer(text) : text;
    return this.#chunk(
      choice,
      { content },
      logprobs === undefined ? undefined : logprobContent(logprobs),
    );
  }

  #callDelta(
    index: number,
    text: string,
    start?: { readonly id: string; readonly name: string },
  ): Delta {
    const given = { arguments: text };
    const call =
      start === undefined
        ? { index, function: given }
        : { index, id: start.id, type: "function", function: { name: start.name, ...given } };
    return { tool_calls: [call] };
  }

  #wholeCall(
    choice: number,
    index: number,
    call: { readonly id: string; readonly name: string; readonly arguments: string },
  ): string {
    let text = this.#chunk(
      choice,
      this.#callDelta(index, call.arguments.slice(0, MAX_ARGUMENTS), call),
    );
    for (let at = MAX_ARGUMENTS; at < call.arguments.length; at += MAX_ARGUMENTS)
      text += this.#chunk(
        choice,
        this.#callDelta(index, call.arguments.slice(at, at + MAX_ARGUMENTS)),
      );
    return text;
  }

  #finish(event: FinishEvent): string {
    const { choice, reason } = event;
    this.#finishes.push(event);
    const close = this.#form.reasoning === "tags" ? this.#state(choice).tagged.end() : "";
    const last = close === "" ? "" : this.#chunk(choice, { content: close });
    const end = {
      index: choice,
      delta: {},
      logprobs: null,
      finish_reason: finishReason(reason),
      ...endNote(reason),
    };
    const chunk = this.#frame(JSON.stringify(end), { timings: timingsBody(event) });
    const text = `${this.#role(choice)}${last}${chunk}`;
    return this.#finishes.length < this.#n ? text : text + this.#done();
  }

  #done(): string {
    const usage = JSON.stringify(usageBody(totalUsage(this.#finishes)));
    const last = this.#form.wantsUsage ? `${this.#head}],"usage":${usage}}\n\n` : "";
    return `${last}data: [DONE]\n\n`;
  }

  /** A chunk with one choice; its role goes first, once. */
  #chunk(choice: number, delta: Delta, logprobs?: unknown[]): string {
    const inner =
      this.#form.hasLogprobs && logprobs !== undefined
        ? { content: logprobs, refusal: null }
        : null;
    const body = { index: choice, delta, logprobs: inner, finish_reason: null };
    return this.#role(choice) + this.#frame(JSON.stringify(body));
  }

  #role(choice: number): string {
    const state = this.#state(choice);
    if (state.hasRole) return "";
    state.hasRole = true;
    return this.#chunk(choice, { role: "assistant", content: "" });
  }

  /** A chunk of a choice that carries a fact beside the choices. */
  #note(choice: number, fact: Readonly<Record<string, unknown>>): string {
    const body = { index: choice, delta: {}, logprobs: null, finish_reason: null };
    return this.#role(choice) + this.#frame(JSON.stringify(body), fact);
  }

  /** @param facts - What stands beside the choices. */
  #frame(choice: string, facts?: Readonly<Record<string, unknown>>): string {
    const more = facts === undefined ? "" : `,${JSON.stringify(facts).slice(1, -1)}`;
    return `${this.#head}${choice}]${more}${this.#tail}`;
  }

  #state(choice: number): ChoiceState {
    return (this.#choices[choice] ??= new ChoiceState());
  }
}
