// The one error that routes throw: an HTTP status with what each protocol's error form shows.
import { isR1Error } from "../../base/errors.js";
import type { R1Error } from "../../base/errors.js";

/** Kinds of errors, in OpenAI's words; each protocol has its own word for them. */
export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "rate_limit_error"
  | "server_error"
  | "unavailable_error"
  | "not_supported_error";

/** What an {@link ApiError} carries beside its message. */
export interface ApiErrorInit {
  readonly status: number;
  readonly type: ErrorType;
  /** A stable word for programs, such as `context_length_exceeded`. */
  readonly code?: string | null | undefined;
  /** The place in the request that is wrong, such as `messages[0].content`. */
  readonly param?: string | null | undefined;
  /** When another try may succeed. Unit: milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Further facts; the OpenAI form shows them beside the message. */
  readonly extra?: Readonly<Record<string, string | number>> | undefined;
  /** Further response headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What happened, for the log alone. */
  readonly cause?: unknown;
}

/** A request that ends without an answer. Its message holds no path and no text of a prompt. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly type: ErrorType;
  readonly code: string | null;
  readonly param: string | null;
  readonly retryAfterMs: number | undefined;
  readonly extra: Readonly<Record<string, string | number>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(message: string, init: ApiErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.status = init.status;
    this.type = init.type;
    this.code = init.code ?? null;
    this.param = init.param ?? null;
    this.retryAfterMs = init.retryAfterMs;
    this.extra = init.extra ?? {};
    this.headers = init.headers ?? {};
  }
}

/** A request that is wrong. @param param - The place, or null where it is no single one. */
export function badRequest(message: string, param: string | null, code?: string): ApiError {
  return new ApiError(message, { status: 400, type: "invalid_request_error", param, code });
}

/** Thrown when the client has gone; nobody reads it. */
export function clientGone(): ApiError {
  return new ApiError("The client closed the connection.", {
    status: 499,
    type: "server_error",
    code: "client_closed_request",
  });
}

/** A server that takes no requests at present. */
export function unavailable(
  message: string,
  code: string,
  retryAfterMs = 1000,
  cause?: unknown,
): ApiError {
  const type = "unavailable_error";
  return new ApiError(message, { status: 503, type, code, retryAfterMs, cause });
}

/** How a protocol calls the library's options and places, for `param` and messages. */
export interface ErrorWords {
  /** Names of the request's fields by the library's option, such as `maxTokens: "max_tokens"`. */
  readonly options: Readonly<Record<string, string>>;
  /** The request's place of a message, by its index in the list that the model got. */
  readonly messagePath?: ((index: number) => string | undefined) | undefined;
  /** Where the request has the schema of the answer. */
  readonly schemaParam?: string | undefined;
}

const NO_WORDS: ErrorWords = { options: {} };

/** The request's name of an option of the library, such as `dry.base` or `stop[2]`. */
function paramOf(option: unknown, words: ErrorWords): string | null {
  if (typeof option !== "string") return null;
  const known = words.options[option];
  if (known !== undefined) return known;
  const [, head = "", rest = ""] = /^(\w+)(.*)$/s.exec(option) ?? [];
  return `${words.options[head] ?? head}${rest}`;
}

/** `messages[1].toolCallId` of the library as the request has it. */
function messageParam(path: unknown, words: ErrorWords): string | null {
  if (typeof path !== "string") return "messages";
  const [, index, rest = ""] = /^messages\[(\d+)\](.*)$/s.exec(path) ?? [];
  const place = index === undefined ? undefined : words.messagePath?.(Number(index));
  if (place === undefined) return "messages";
  return `${place}${rest.replace(".toolCallId", ".tool_call_id").replace(".toolCalls", ".tool_calls")}`;
}

/** A schema that cannot be held to, of the answer or of a tool. */
function schemaError(error: R1Error, words: ErrorWords): ApiError {
  const path = typeof error.details["path"] === "string" ? error.details["path"] : "";
  const place = /^response\b/.test(path) ? words.schemaParam : undefined;
  const tool = /^tools\[\d+\]\.function\.parameters/.exec(path)?.[0];
  return badRequest(error.message, place ?? tool ?? words.schemaParam ?? null, "invalid_schema");
}

function tooLong(error: R1Error): ApiError {
  const { promptTokens, leastPromptTokens, contextSize } = error.details;
  const count = Number(promptTokens ?? leastPromptTokens);
  const most = Number(contextSize);
  const least = promptTokens === undefined ? "at least " : "";
  return new ApiError(
    `This model's maximum context length is ${most} tokens. However, your messages resulted in ` +
      `${least}${count} tokens, and at least one is needed for the reply. Please reduce the length of the messages.`,
    {
      status: 400,
      type: "invalid_request_error",
      code: "context_length_exceeded",
      param: "messages",
      extra: { n_prompt_tokens: count, n_ctx: most },
      cause: error,
    },
  );
}

/** Without the library's own advice about options of `loadModel`, which a client cannot set. */
function busyError(error: R1Error, message: string, code: string): ApiError {
  return unavailable(message, code, 1000, error);
}

/**
 * What went wrong as an {@link ApiError}: the library's errors by their code; anything unexpected
 * becomes a 500 whose details are for the log alone.
 */
export function toApiError(error: unknown, words: ErrorWords = NO_WORDS): ApiError {
  if (error instanceof ApiError) return error;
  if (isR1Error(error)) {
    switch (error.code) {
      case "INVALID_ARGUMENT":
      case "UNKNOWN_OPTION": {
        const param = paramOf(error.details["option"], words);
        return badRequest(inRequestWords(error.message, words), param, "invalid_value");
      }
      case "INVALID_MESSAGE": {
        const param = messageParam(error.details["path"], words);
        return badRequest(inRequestWords(error.message, words), param, "invalid_message");
      }
      case "SCHEMA_UNSUPPORTED":
        return schemaError(error, words);
      case "GRAMMAR_INVALID":
        return badRequest(error.message, words.options["grammar"] ?? null, "invalid_grammar");
      case "TEMPLATE_UNSUPPORTED":
        return badRequest(error.message, null, "unsupported_by_model");
      case "PROMPT_TOO_LONG":
        return tooLong(error);
      case "TEXT_TOO_LONG":
        return new ApiError(error.message, {
          status: 413,
          type: "invalid_request_error",
          code: "text_too_long",
        });
      case "QUEUE_FULL":
        return busyError(
          error,
          "All places in the queue are taken. Try again later.",
          "overloaded",
        );
      case "CONTEXT_FULL":
      case "OUT_OF_MEMORY":
      case "RESOURCE_EXHAUSTED":
        return busyError(error, "The model has no memory left for this request now.", "overloaded");
      case "ENGINE_CRASHED":
      case "DISPOSED":
        return busyError(error, "The model stopped while the request ran.", "model_stopped");
      case "TIMEOUT":
        return new ApiError("The request took longer than the server allows.", {
          status: 504,
          type: "server_error",
          code: "timeout",
          cause: error,
        });
      default:
    }
  }
  return new ApiError("Internal error. The server's log has the details by the request id.", {
    status: 500,
    type: "server_error",
    code: "internal_error",
    cause: error,
  });
}

/** A message of the library in the names that the request uses. */
function inRequestWords(message: string, words: ErrorWords): string {
  return message
    .replace(/`messages\[(\d+)\]([^`]*)`/g, (whole, index: string, rest: string) => {
      const place = words.messagePath?.(Number(index));
      return place === undefined ? whole : `\`${place}${rest}\``;
    })
    .replace(/`(\w+)((?:[.[][^`]*)?)`/g, (whole, head: string, rest: string) => {
      const name = words.options[head];
      return name === undefined ? whole : `\`${name}${rest}\``;
    })
    .replaceAll("toolCallId", "tool_call_id")
    .replaceAll("toolCalls", "tool_calls");
}
