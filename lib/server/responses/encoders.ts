// The two forms of a response on the wire: a stream of events, and one JSON body.
import { openaiError } from "../core/error-form.js";
import type { ChoiceOutcome, RunEvent } from "../core/events.js";
import type { StreamEncoder, WholeEncoder } from "../core/respond.js";
import type { ResponseBuilder } from "./builder.js";
import type { ResponseObject } from "./response-object.js";

/** Hears of a response that has ended. */
export type OnResponse = (response: ResponseObject) => void;

const COMMENT = ": keep-alive\n\n";

/** Server-sent events, each with its name; there is no `[DONE]`. */
export function streamEncoder(builder: ResponseBuilder, onEnd: OnResponse): StreamEncoder {
  return {
    ping: () => COMMENT,
    encode: (event) => {
      const frames = builder
        .take(event)
        .map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`);
      if (builder.response !== undefined) onEnd(builder.response);
      return frames.join("");
    },
  };
}

/** The events that an outcome amounts to. */
function* eventsOf({ reasoning, answer, ...outcome }: ChoiceOutcome): Generator<RunEvent> {
  const { logprobs } = outcome;
  yield { type: "reasoning", choice: 0, text: reasoning };
  yield { type: "answer", choice: 0, text: answer, logprobs };
  for (const [call, one] of outcome.toolCalls.entries())
    yield { type: "tool-call", choice: 0, call, wasStreamed: false, ...one };
  yield outcome.finish;
}

/** One JSON body. */
export function wholeEncoder(builder: ResponseBuilder, onEnd: OnResponse): WholeEncoder {
  return {
    body: (outcomes) => {
      for (const outcome of outcomes) for (const event of eventsOf(outcome)) builder.take(event);
      if (builder.response !== undefined) onEnd(builder.response);
      return builder.response;
    },
    error: openaiError,
  };
}
