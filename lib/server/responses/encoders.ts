// The two forms of a response on the wire: a stream of events, and one JSON body.
import { openaiError } from "../core/error-form.js";
import { eventsOf } from "../core/events.js";
import { COMMENT, namedEvent } from "../core/respond.js";
import type { StreamEncoder, WholeEncoder } from "../core/respond.js";
import type { ResponseBuilder } from "./builder.js";
import type { ResponseObject } from "./response-object.js";

/** Hears of a response that has ended. */
export type OnResponse = (response: ResponseObject) => void;

/** Server-sent events, each with its name; there is no `[DONE]`. */
export function streamEncoder(builder: ResponseBuilder, onEnd: OnResponse): StreamEncoder {
  return {
    ping: () => COMMENT,
    encode: (event) => {
      const frames = builder.take(event).map(namedEvent);
      if (builder.response !== undefined) onEnd(builder.response);
      return frames.join("");
    },
  };
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
