// The response object of the Responses API: what it echoes of the request, and what it says of its
// end. Plain JSON.
import { presets } from "../../index.js";
import type { FinishReason, Usage } from "../../index.js";
import type { ApiError } from "../core/api-error.js";
import type { ResponsesRequest } from "./fields.js";
import type { OutputItem } from "./items.js";

/** A response as it is sent and kept. */
export type ResponseObject = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly status: ResponseStatus;
  readonly output: readonly OutputItem[];
};

/** How a response stands. */
export type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed";

/** What is known of a response from its beginning. */
export interface ResponseHead {
  readonly id: string;
  /** Unit: seconds since 1970. */
  readonly createdAt: number;
  /** The name by which the client asked. */
  readonly model: string;
  readonly request: ResponsesRequest;
}

/** What is known at its end. */
export interface ResponseEnd {
  readonly status: Exclude<ResponseStatus, "in_progress">;
  /** Unit: seconds since 1970. */
  readonly completedAt: number;
  readonly usage?: Usage | undefined;
  readonly finishReason?: FinishReason | undefined;
  readonly error?: ApiError | undefined;
}

function usageObject(usage: Usage): object {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = usage;
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: promptTokens + completionTokens,
  };
}

/** OpenAI's words for what made a response fail. */
function errorObject({ status, type, message }: ApiError): object {
  const code =
    status === 429 ? "rate_limit_exceeded" : status < 500 ? "invalid_prompt" : "server_error";
  return { code, message, type };
}

/** The fields that a response repeats of its request. */
function echo(request: ResponsesRequest): Record<string, unknown> {
  const { reasoning, text, tool_choice: choice } = request;
  const optional: Record<string, unknown> = {};
  for (const key of ["user", "safety_identifier", "prompt_cache_key"] as const)
    if (request[key] !== undefined) optional[key] = request[key];
  return {
    background: false,
    instructions: request.instructions ?? null,
    max_output_tokens: (request.max_output_tokens ?? -1) < 1 ? null : request.max_output_tokens,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: { effort: reasoning?.effort ?? null, summary: reasoning?.summary ?? null },
    service_tier: "default",
    store: request.store,
    temperature: request.temperature ?? presets.r1.temperature,
    text: { ...text, format: text?.format ?? { type: "text" } },
    tool_choice: choice,
    tools: request.tools,
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? presets.r1.topP,
    truncation: "disabled",
    ...optional,
  };
}

/** A response with what there is of its output; without an end it is in progress. */
export function responseObject(
  { id, createdAt, model, request }: ResponseHead,
  output: readonly OutputItem[],
  end?: ResponseEnd,
): ResponseObject {
  const { error, usage, finishReason } = end ?? {};
  return {
    id,
    object: "response",
    created_at: createdAt,
    status: end?.status ?? "in_progress",
    completed_at: end?.status === "completed" ? end.completedAt : null,
    error: error === undefined ? null : errorObject(error),
    incomplete_details: end?.status === "incomplete" ? { reason: "max_output_tokens" } : null,
    model,
    output,
    ...echo(request),
    ...(usage === undefined ? {} : { usage: usageObject(usage) }),
    // OpenAI has one reason for everything that cuts an answer short.
    ...(end?.status === "incomplete" ? { r1: { finish_reason: finishReason } } : {}),
  };
}
