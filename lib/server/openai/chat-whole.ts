// A chat completion as one JSON body.
import type { ApiError } from "../core/api-error.js";
import { totalUsage } from "../core/events.js";
import type { ChoiceOutcome } from "../core/events.js";
import { nowSeconds, randomId } from "../core/ids.js";
import { TaggedText } from "../core/reasoning.js";
import type { WholeEncoder } from "../core/respond.js";
import type { ChatForm } from "./chat-request.js";
import { openaiError } from "../core/error-form.js";
import { timingsBody } from "../core/timings.js";
import { endNote, finishReason, logprobContent, thinkingFields, usageBody } from "./parts.js";

/** Encodes a chat completion. */
export class ChatWhole implements WholeEncoder {
  readonly id = randomId("chatcmpl-");
  readonly #form: ChatForm;
  readonly #fingerprint: string;
  readonly #created = nowSeconds();

  constructor(form: ChatForm, fingerprint: string) {
    this.#form = form;
    this.#fingerprint = fingerprint;
  }

  body(outcomes: readonly ChoiceOutcome[]): unknown {
    const finishes = outcomes.map(({ finish }) => finish);
    const [first] = finishes;
    return {
      id: this.id,
      object: "chat.completion",
      created: this.#created,
      model: this.#form.model,
      system_fingerprint: this.#fingerprint,
      choices: outcomes.map((outcome, index) => this.#choice(outcome, index)),
      usage: usageBody(totalUsage(finishes)),
      ...(first === undefined ? {} : { timings: timingsBody(first) }),
    };
  }

  error(error: ApiError): unknown {
    return openaiError(error);
  }

  #choice(outcome: ChoiceOutcome, index: number): unknown {
    const { reason } = outcome.finish;
    const { hasLogprobs } = this.#form;
    return {
      index,
      message: this.#message(outcome),
      logprobs: hasLogprobs ? { content: logprobContent(outcome.logprobs), refusal: null } : null,
      finish_reason: finishReason(reason),
      ...endNote(reason),
    };
  }

  #message(outcome: ChoiceOutcome): unknown {
    const { reasoning, answer } = outcome;
    const calls = this.#form.isOneCall ? outcome.toolCalls.slice(0, 1) : outcome.toolCalls;
    const content = this.#form.reasoning === "tags" ? tagged(reasoning, answer) : answer;
    return {
      role: "assistant",
      content: calls.length > 0 && content === "" ? null : content,
      refusal: null,
      ...(reasoning === "" ? {} : thinkingFields(this.#form.reasoning, reasoning)),
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map(({ id, name, arguments: given }) => ({
              id,
              type: "function",
              function: { name, arguments: given },
            })),
          }),
    };
  }
}

/** Thinking and answer as one content, with both tags. */
function tagged(reasoning: string, answer: string): string {
  const text = new TaggedText();
  const thinking = reasoning === "" ? "" : text.reasoning(reasoning);
  return thinking + text.end() + answer;
}
