// What tests of the server share: an app on the tiny model, requests, and server-sent events taken
// apart.
import type OpenAI from "openai";
import { loadModel } from "../../lib/index.js";
import type { LoadOptions, Model } from "../../lib/index.js";
import { createApp } from "../../lib/server.js";
import type { R1App, ServerOptions } from "../../lib/server.js";

export interface TestApp extends AsyncDisposable {
  readonly app: R1App;
  readonly model: Model;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
}

const ORIGIN = "http://localhost";

/** An app on the embedded model; closes the model at the end. */
export async function testApp(
  options: ServerOptions = {},
  load: LoadOptions = {},
): Promise<TestApp> {
  const model = await loadModel({ sequences: 4, ...load });
  const app = createApp({ "tiny-r1": model }, options);
  return {
    app,
    model,
    post: async (path, body, headers = {}) =>
      app.fetch(
        new Request(ORIGIN + path, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: typeof body === "string" ? body : JSON.stringify(body),
        }),
      ),
    get: async (path, headers = {}) => app.fetch(new Request(ORIGIN + path, { headers })),
    [Symbol.asyncDispose]: () => model.close(),
  };
}

/** A message, with the fields for thinking that OpenAI's types do not have. */
export type Message = OpenAI.ChatCompletionMessage & {
  readonly reasoning_content?: string;
  readonly reasoning?: string;
};
export type Completion = Omit<OpenAI.ChatCompletion, "choices"> & {
  readonly choices: (Omit<OpenAI.ChatCompletion.Choice, "message"> & {
    readonly message: Message;
  })[];
};
export type Delta = OpenAI.ChatCompletionChunk.Choice.Delta &
  Pick<Message, "reasoning_content" | "reasoning">;
export type Chunk = Omit<OpenAI.ChatCompletionChunk, "choices"> & {
  readonly choices: (Omit<OpenAI.ChatCompletionChunk.Choice, "delta"> & {
    readonly delta: Delta;
  })[];
};
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** The JSON of a response with this status; the caller says what it should be. */

export async function jsonOf<T>(response: Response | Promise<Response>, status = 200): Promise<T> {
  const answered = await response;
  const text = await answered.text();
  if (answered.status !== status)
    throw new Error(`status ${answered.status} in place of ${status}: ${text}`);
  return JSON.parse(text) as T;
}

/** The error of a response with this status. */
export const errorOf = async (
  response: Response | Promise<Response>,
  status: number,
): Promise<ErrorBody["error"]> => (await jsonOf<ErrorBody>(response, status)).error;

/** The data of each server-sent event, comments left out. */
export async function eventsOf(response: Response | Promise<Response>): Promise<string[]> {
  const answered = await response;
  const text = await answered.text();
  if (answered.status !== 200) throw new Error(`status ${answered.status}: ${text}`);
  return text
    .split("\n\n")
    .map((frame) => frame.split("\n").filter((line) => line.startsWith("data: ")))
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => line.slice("data: ".length)).join("\n"));
}

/** Chunks of an OpenAI stream; it must end in `[DONE]`. */
export async function chunksOf(response: Response | Promise<Response>): Promise<Chunk[]> {
  const events = await eventsOf(response);
  if (events.at(-1) !== "[DONE]") throw new Error(`the stream ends in ${events.at(-1)}`);
  return events.slice(0, -1).map((event) => JSON.parse(event) as Chunk);
}

/** The only choice of something with choices. */
export function only<T>({ choices }: { readonly choices: readonly T[] }): T {
  const [first] = choices;
  if (first === undefined || choices.length > 1) throw new Error(`${choices.length} choices`);
  return first;
}

/** Texts of a stream with one choice, by field. */
export function textOf(
  chunks: readonly Chunk[],
  field: "content" | "reasoning_content" | "reasoning",
): string {
  return chunks
    .flatMap(({ choices }) => choices)
    .map(({ delta }) => delta[field] ?? "")
    .join("");
}
