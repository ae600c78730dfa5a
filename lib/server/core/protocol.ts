// What a protocol brings into the server, and what each of its routes gets for a request.
//
// A protocol lives in a folder of its own (openai/, responses/, anthropic/, native/) and consists of
//  - a table of routes with the Zod schema of each body: from it come the routing, the validation,
//    the OpenAPI document and the table in docs/guide/server.md;
//  - the form of its errors;
//  - for each route that generates: a function from its fields to a `GenerateCall`, a
//    `StreamEncoder` and a `WholeEncoder`. `exchange.generate(call)` begins the run, and
//    `exchange.respond(run, encoders, isStreamed)` answers with it.
// No protocol imports another's folder, and none is made out of another. What they share lies here
// in core/: events.ts (the one stream of events), run.ts, conversation.ts (any history into the
// model's messages), reasoning.ts (effort and budgets in all spellings), api-error.ts.
import type { z } from "zod";
import type { ApiError } from "./api-error.js";
import type { AuxiliaryFacts } from "./auxiliary.js";
import type { GenerateCall } from "./call.js";
import type { FieldSchema } from "./fields.js";
import type { ReasoningForm } from "./reasoning.js";
import type { StreamEncoder, WholeEncoder } from "./respond.js";
import type { Run } from "./run.js";
import type { ReadableRun } from "./run-group.js";
import type { ServerCore } from "./server-core.js";

/** What a base path sets for the requests below it. */
export interface BaseDefaults {
  /** Where the thinking stands unless the request says otherwise; undefined: the server's option. */
  readonly reasoningForm?: ReasoningForm | undefined;
  /** No thinking, whatever the request says. */
  readonly isFast: boolean;
}

/** One request while it is answered. */
export interface Exchange {
  readonly core: ServerCore;
  readonly request: Request;
  /** The id of the request: the header `x-request-id`, in the log and in errors. */
  readonly id: string;
  /** Name of the key it came with; `anonymous` without keys. Keys themselves are not kept. */
  readonly key: string;
  readonly base: BaseDefaults;
  /** Named parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;

  /**
   * The checked fields of the body. Unknown ones are named in the header `x-r1-ignored`.
   * @throws {ApiError} 400, 413, 415
   */
  fields<Schema extends FieldSchema>(schema: Schema): Promise<z.output<Schema>>;
  /** Sets a header of the response. */
  header(name: string, value: string): void;
  /** Whether the rules of the server take the request for an auxiliary one. */
  isAuxiliary(facts: Omit<AuxiliaryFacts, "headers">): boolean;
  /**
   * Begins to generate. The run ends by itself when the client goes away.
   * @throws {ApiError} 404 for an unknown model, 503 while draining.
   */
  generate(call: GenerateCall): Run;
  /** Answers with a run. @param pingMs - The client's own wish for the keep-alive; 0: off. */
  respond(
    run: ReadableRun,
    encoders: { readonly stream: StreamEncoder } | { readonly whole: WholeEncoder },
    settings?: { readonly pingMs?: number | undefined; readonly isEager?: boolean | undefined },
  ): Promise<Response>;
  /** A JSON response. */
  json(value: unknown, status?: number): Response;
}

/** One route of a protocol. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the base path, such as `/chat/completions` or `/responses/:id`. */
  readonly path: string;
  /** One line for the OpenAPI document and docs/guide/server.md. */
  readonly summary: string;
  /** The body's fields. */
  readonly body?: FieldSchema | undefined;
  /** Needs no key. */
  readonly isPublic?: boolean | undefined;
  /** Where it lies: below every base path (`/v1`, `/think/v1`, `/fast/v1` and without), or once. */
  readonly bases: "all" | "root";
  readonly handle: (exchange: Exchange) => Promise<Response> | Response;
}

/** A protocol. */
export interface Protocol {
  readonly name: string;
  readonly routes: readonly Route[];
  /** The JSON body of an error. */
  readonly errorBody: (error: ApiError, requestId: string) => unknown;
}
