// Anthropic's Messages API: its routes and their two forms of an answer.
import { toApiError } from "../core/api-error.js";
import { assertAtMost } from "../core/bounds.js";
import { eventsOf } from "../core/events.js";
import { randomId } from "../core/ids.js";
import type { Exchange, Protocol } from "../core/protocol.js";
import { namedEvent } from "../core/respond.js";
import type { StreamEncoder, WholeEncoder } from "../core/respond.js";
import { withTextModel } from "../core/text-model.js";
import { MessageBuilder } from "./builder.js";
import { errorBody } from "./errors.js";
import { countFields, messagesFields } from "./fields.js";
import { readMessages } from "./input.js";
import {
  MESSAGES_WORDS,
  assertBounds,
  chatOptions,
  promptOptions,
  thinkingForm,
} from "./options.js";

/** Names that Anthropic's clients have built in, some of them for side tasks. */
const CLAUDE = /^(?:anthropic[/.])?claude-/;

function streamEncoder(builder: MessageBuilder): StreamEncoder {
  return {
    ping: () => namedEvent({ type: "ping" }),
    encode: (event) =>
      event.type === "error"
        ? namedEvent(errorBody(event.error))
        : builder.take(event).map(namedEvent).join(""),
  };
}

function wholeEncoder(builder: MessageBuilder): WholeEncoder {
  return {
    body: (outcomes) => {
      for (const outcome of outcomes) for (const event of eventsOf(outcome)) builder.take(event);
      return builder.message;
    },
    error: (error) => errorBody(error),
  };
}

/** Anthropic's clients read the id of a request from this header. */
const nameRequest = (exchange: Exchange): void => exchange.header("request-id", exchange.id);

/** `POST /messages`. */
async function create(exchange: Exchange): Promise<Response> {
  const { core, base } = exchange;
  nameRequest(exchange);
  const request = await exchange.fields(messagesFields);
  assertBounds(request, core.config.limits);
  assertAtMost(request.stop_sequences.length, core.config.limits.maxStop, "stop_sequences");
  const conversation = readMessages(request);
  const isAuxiliary = exchange.isAuxiliary({
    metadata: request.metadata,
    model: request.model,
    isStreamed: request.stream,
    lastUserText: conversation.lastUserText,
  });
  const run = exchange.generate({
    model: request.model,
    modelFallback: CLAUDE,
    messages: conversation.messages,
    options: {
      ...chatOptions(request, base.isFast || isAuxiliary),
      continueLast: conversation.continuesLast,
    },
    n: 1,
    words: { ...MESSAGES_WORDS, messagePath: conversation.pathOf },
    isAuxiliary,
  });
  const id = randomId("msg_");
  core.register(id, run, exchange.key);
  const builder = new MessageBuilder({
    id,
    model: request.model ?? core.models.first.name,
    thinking: thinkingForm(request),
  });
  return exchange.respond(
    run,
    request.stream ? { stream: streamEncoder(builder) } : { whole: wholeEncoder(builder) },
  );
}

/** `POST /messages/count_tokens`. */
async function countTokens(exchange: Exchange): Promise<Response> {
  nameRequest(exchange);
  const request = await exchange.fields(countFields);
  assertBounds(request, exchange.core.config.limits);
  const conversation = readMessages(request);
  const options = {
    ...promptOptions(request, exchange.base.isFast),
    continueLast: conversation.continuesLast,
  };
  const entry = exchange.core.models.find(request.model, CLAUDE);
  try {
    const { tokens } = await withTextModel(exchange, entry, (model) =>
      model.formatChatAsync(conversation.messages, options),
    );
    return exchange.json({ input_tokens: tokens.length });
  } catch (error) {
    throw toApiError(error, { ...MESSAGES_WORDS, messagePath: conversation.pathOf });
  }
}

/** The Messages API. */
export const anthropicProtocol: Protocol = {
  name: "anthropic",
  errorBody,
  routes: [
    {
      method: "POST",
      path: "/messages",
      summary: "Answers in Anthropic's Messages form",
      body: messagesFields,
      bases: "all",
      handle: create,
    },
    {
      method: "POST",
      path: "/messages/count_tokens",
      summary: "Counts the tokens of a prompt",
      body: countFields,
      bases: "all",
      handle: countTokens,
    },
  ],
};
