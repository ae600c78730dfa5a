// POST /apply-template: the prompt that a conversation becomes.
import { toApiError } from "../core/api-error.js";
import type { Exchange } from "../core/protocol.js";
import { withTextModel } from "../core/text-model.js";
import { chatFields } from "./chat-fields.js";
import { chatCall } from "./chat-request.js";

/** Answers with the prompt's text, whose each part of it is, and its length in tokens. */
export async function applyTemplate(exchange: Exchange): Promise<Response> {
  const { call } = chatCall(await exchange.fields(chatFields), exchange);
  const { tools, toolChoice, reasoning, continueLast } = call.options;
  const options = { tools, toolChoice, reasoning, continueLast };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  try {
    const entry = exchange.core.models.find(call.model);
    const { text, spans, tokens } = await withTextModel(exchange, entry, (model) =>
      model.formatChatAsync(call.messages ?? [], Object.fromEntries(given)),
    );
    return exchange.json({ prompt: text, spans, n_tokens: tokens.length });
  } catch (error) {
    throw toApiError(error, call.words);
  }
}
