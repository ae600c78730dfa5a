// Delivers events from native code to their generations, by request id. Runs on the JavaScript
// thread that made the engine.
import { R1Error, fromNative, isErrorCode } from "../base/errors.js";
import type { NativeEventSink, NativeLastEvent } from "../binding/native-request.js";
import type { Generation } from "./generation.js";

/** Ends a generation with the outcome of its request. */
function finish(generation: Generation, event: NativeLastEvent): void {
  if (event.kind === "end") generation.end(event);
  else
    generation.fail(
      new R1Error(
        isErrorCode(event.code) ? event.code : "INTERNAL",
        event.message,
        event.details === undefined ? {} : { details: event.details },
      ),
    );
}

/**
 * Delivers events from native code. It holds only the live generations, so that native code, which
 * holds this function, never keeps an engine alive by itself.
 */
export function dispatcher(live: Map<number, Generation>): NativeEventSink {
  // An internal error in one request must neither reach native code nor affect the other requests.
  const failRequest = (id: number, generation: Generation, error: unknown): void => {
    live.delete(id);
    generation.cancel();
    generation.fail(fromNative(error));
  };
  return (requests, tokens, texts, logprobs, ends, progress) => {
    for (const { id, ...facts } of progress) live.get(id)?.progress(facts);
    // Wakes each generation's reader once per batch.
    const withTokens: Generation[] = [];
    let top = 0;
    for (let i = 0; i < requests.length; i++) {
      const first = top;
      if (logprobs !== null) top += logprobs.counts[i] as number;
      const id = requests[i] as number;
      const generation = live.get(id);
      if (generation === undefined) continue;
      try {
        const isFirst = generation.token(
          tokens[i] as number,
          texts[i] as string,
          logprobs === null ? undefined : { columns: logprobs, index: i, first, last: top },
        );
        if (isFirst) withTokens.push(generation);
      } catch (error) {
        failRequest(id, generation, error);
      }
    }
    for (const generation of withTokens) generation.wakeReader();
    for (const event of ends) {
      const { id } = event;
      const generation = live.get(id);
      if (generation === undefined) continue;
      live.delete(id);
      try {
        finish(generation, event);
      } catch (error) {
        failRequest(id, generation, error);
      }
    }
  };
}
