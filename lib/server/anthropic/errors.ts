// Errors in the form of Anthropic's API.
import type { ApiError, ErrorType } from "../core/api-error.js";

const TYPES: Readonly<Record<ErrorType, string>> = {
  invalid_request_error: "invalid_request_error",
  authentication_error: "authentication_error",
  permission_error: "permission_error",
  not_found_error: "not_found_error",
  rate_limit_error: "rate_limit_error",
  server_error: "api_error",
  unavailable_error: "overloaded_error",
  not_supported_error: "invalid_request_error",
};

/** Clients look for these words to shorten a conversation by themselves. */
function message({ code, extra, message: text }: ApiError): string {
  const { n_prompt_tokens: have, n_ctx: most } = extra;
  return code === "context_length_exceeded" && have !== undefined
    ? `prompt is too long: ${have} tokens > ${most ?? 0} maximum`
    : text;
}

/** The JSON body of an error. */
export function errorBody(
  error: ApiError,
  requestId?: string,
): { readonly type: "error"; readonly [field: string]: unknown } {
  const { status, type } = error;
  const word =
    status === 413 ? "request_too_large" : status === 504 ? "timeout_error" : TYPES[type];
  return {
    type: "error",
    error: { type: word, message: message(error) },
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}
