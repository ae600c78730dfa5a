// Turns a run into an HTTP response: a stream of server-sent events or one JSON body, with signs of
// life while nothing comes, and an end to the run when nobody reads any more.
import type { ApiError } from "./api-error.js";
import { collectOutcomes } from "./events.js";
import type { ChoiceOutcome, RunEvent } from "./events.js";
import type { ReadableRun } from "./run-group.js";

/** Writes the events of one streamed response. Made anew for each response. */
export interface StreamEncoder {
  /** What goes on the wire for an event, whole SSE frames; empty for nothing. */
  encode(event: RunEvent): string;
  /** What is sent after a silence: {@link COMMENT}, or a frame of the protocol's own. */
  ping(form: KeepAlive["form"]): string;
}

/** Writes one response that does not stream. */
export interface WholeEncoder {
  /** The JSON body. */
  body(outcomes: readonly ChoiceOutcome[]): unknown;
  /** The JSON body of an error that comes when the status has been sent. */
  error(error: ApiError): unknown;
}

/** Signs of life. */
export interface KeepAlive {
  /** Longest silence; 0: no signs of life. Unit: milliseconds. */
  readonly intervalMs: number;
  /** Of a stream: an SSE comment, or an empty chunk for clients that choke on comments. */
  readonly form: "comment" | "chunk";
}

/** An SSE comment, which clients pass over. */
export const COMMENT = ": keep-alive\n\n";

/** A server-sent event with its name. */
export const namedEvent = (event: { readonly type: string }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

const SILENCE = Symbol("silence");

const SSE_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  // compression() and proxies leave such a response alone.
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

const JSON_TYPE = "application/json; charset=utf-8";

/** Calls back when a promise is silent for an interval, again and again, without one timer a call. */
class SilenceClock {
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;
  #ring: (() => void) | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  async wait<T>(promise: Promise<T>): Promise<T | typeof SILENCE> {
    if (this.#ms <= 0) return promise;
    const silence = new Promise<typeof SILENCE>((resolve) => {
      this.#ring = () => resolve(SILENCE);
    });
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#ring?.(), this.#ms);
    else this.#timer.refresh();
    return Promise.race([promise, silence]);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Resolves with {@link SILENCE} if a promise takes longer than that; 0: waits for ever. */
async function orSilence<T>(promise: Promise<T>, ms: number): Promise<T | typeof SILENCE> {
  const clock = new SilenceClock(ms);
  try {
    return await clock.wait(promise);
  } finally {
    clock.stop();
  }
}

function streamBody(
  run: ReadableRun,
  encoder: StreamEncoder,
  keepAlive: KeepAlive,
): ReadableStream {
  const events = run.events();
  const bytes = new TextEncoder();
  const clock = new SilenceClock(keepAlive.intervalMs);
  let next: Promise<IteratorResult<RunEvent>> | undefined;
  /** The next text for the wire; undefined at the end. */
  const read = async (): Promise<string | undefined> => {
    for (;;) {
      next ??= events.next();
      const arrived = await clock.wait(next);
      if (arrived === SILENCE) return encoder.ping(keepAlive.form);
      next = undefined;
      if (arrived.done === true) return undefined;
      const text = encoder.encode(arrived.value);
      if (text !== "") return text;
    }
  };
  return new ReadableStream(
    {
      pull: async (controller) => {
        const text = await read();
        if (text !== undefined) return controller.enqueue(bytes.encode(text));
        clock.stop();
        controller.close();
      },
      cancel: () => {
        clock.stop();
        run.abort();
      },
    },
    // Nothing is read ahead of the client, so that what it has not read is put together upstream.
    { highWaterMark: 0 },
  );
}

/** White space for as long as a promise is silent, then its text. */
function patientBody(text: Promise<string>, run: ReadableRun, intervalMs: number): ReadableStream {
  const bytes = new TextEncoder();
  return new ReadableStream(
    {
      pull: async (controller) => {
        const arrived = await orSilence(text, intervalMs);
        controller.enqueue(bytes.encode(arrived === SILENCE ? "\n" : arrived));
        if (arrived !== SILENCE) controller.close();
      },
      cancel: () => run.abort(),
    },
    { highWaterMark: 0 },
  );
}

/**
 * A streamed response. Its status waits until the engine has accepted the prompt, so that what is
 * wrong with the request is still an HTTP error, but no longer than the keep-alive interval.
 *
 * @throws {ApiError} what refused the request before that.
 */
export async function streamResponse(
  run: ReadableRun,
  encoder: StreamEncoder,
  keepAlive: KeepAlive,
  isEager: boolean,
): Promise<Response> {
  if (!isEager) await orSilence(run.admitted(), keepAlive.intervalMs);
  return new Response(streamBody(run, encoder, keepAlive), { headers: SSE_HEADERS });
}

/**
 * A response of one JSON body. After an interval of silence the status 200 and white space are sent
 * until the body is there, since Node's own `fetch` gives up after 300 s without a byte.
 *
 * @throws {ApiError} what ended the run within the first interval.
 */
export async function wholeResponse(
  run: ReadableRun,
  encoder: WholeEncoder,
  keepAlive: KeepAlive,
): Promise<Response> {
  const body = collectOutcomes(run.events()).then((outcomes) => encoder.body(outcomes));
  const first = await orSilence(body, keepAlive.intervalMs);
  const headers = { "content-type": JSON_TYPE };
  if (first !== SILENCE) return new Response(JSON.stringify(first), { headers });
  const text = body.then(
    (value) => JSON.stringify(value),
    (error: unknown) => JSON.stringify(encoder.error(error as ApiError)),
  );
  return new Response(patientBody(text, run, keepAlive.intervalMs), {
    headers: { ...headers, "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" },
  });
}
