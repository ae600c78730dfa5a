// The form of errors of OpenAI's protocols and of our own routes.
import type { ApiError } from "./api-error.js";

/** The body of an error; facts such as `n_ctx` stand beside the message, as llama-server has them. */
export function openaiError(error: ApiError): { readonly error: Record<string, unknown> } {
  const { message, type, param, code, extra } = error;
  return { error: { message, type, param, code, ...extra } };
}
