// POST /apply-template and /chat/completions/input_tokens: the prompt that a conversation becomes, and
// its length.
import { toApiError } from "../core/api-error.js";
import type { Exchange } from "../core/protocol.js";
import { withTextModel } from "../core/text-model.js";
import { chatFields } from "./chat-fields.js";
import { chatCall } from "./chat-request.js";

/** The prompt of a request's conversation. @throws {ApiError} */
async function promptOf(
  exchange: Exchange,
): Promise<{ readonly text: string; readonly spans: unknown; readonly count: number }> {
  const { call } = chatCall(await exchange.fields(chatFields), exchange);
  const { tools, toolChoice, reasoning, continueLast } = call.options;
  const options = { tools, toolChoice, reasoning, continueLast };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  try {
    const entry = exchange.core.models.find(call.model);
    const { text, spans, tokens } = await withTextModel(exchange, entry, (model) =>
      model.formatChatAsync(call.messages ?? [], Object.fromEntries(given)),
    );
    return { text, spans, count: tokens.length };
  } catch (error) {
    throw toApiError(error, call.words);
  }
}

/** Answers with the prompt's text, whose each part of it is, and its length in tokens. */
export async function applyTemplate(exchange: Exchange): Promise<Response> {
  const { text, spans, count } = await promptOf(exchange);
  return exchange.json({ prompt: text, spans, n_tokens: count });
}

/** Answers with the prompt's length, in the form of OpenAI's route for responses. */
export async function countTokens(exchange: Exchange): Promise<Response> {
  const { count } = await promptOf(exchange);
  return exchange.json({ object: "response.input_tokens", input_tokens: count });
}
