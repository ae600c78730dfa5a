// Anthropic's Messages API: its routes and their two forms of an answer.
import { ApiError, toApiError } from "../core/api-error.js";
import { assertAtMost } from "../core/bounds.js";
import type { ChoiceOutcome, RunEvent } from "../core/events.js";
import { randomId } from "../core/ids.js";
import type { Exchange, Protocol } from "../core/protocol.js";
import type { StreamEncoder, WholeEncoder } from "../core/respond.js";
import { MessageBuilder } from "./builder.js";
import type { MessageEvent } from "./builder.js";
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

const frame = (event: MessageEvent | object, type: string): string =>
  `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;

function streamEncoder(builder: MessageBuilder): StreamEncoder {
  return {
    ping: () => frame({ type: "ping" }, "ping"),
    encode: (event) =>
      event.type === "error"
        ? frame(errorBody(event.error), "error")
        : builder
            .take(event)
            .map((one) => frame(one, one.type))
            .join(""),
  };
}

/** The events that an outcome amounts to. */
function* eventsOf({
  reasoning,
  answer,
  ...outcome
}: ChoiceOutcome): Generator<Exclude<RunEvent, { type: "error" }>> {
  yield { type: "reasoning", choice: 0, text: reasoning };
  yield { type: "answer", choice: 0, text: answer };
  for (const [call, one] of outcome.toolCalls.entries())
    yield { type: "tool-call", choice: 0, call, wasStreamed: false, ...one };
  yield outcome.finish;
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
  const { conversation, lastUserText } = readMessages(request);
  const isAuxiliary = exchange.isAuxiliary({
    metadata: request.metadata,
    model: request.model,
    isStreamed: request.stream,
    lastUserText,
  });
  const run = exchange.generate({
    model: request.model,
    modelFallback: CLAUDE,
    messages: conversation.messages,
    options: {
      ...chatOptions(request, base.isFast || isAuxiliary),
      continueLast: conversation.continuesLast,
      ...(isAuxiliary ? { cachePrompt: false } : {}),
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

/** What counting needs beside a `ChatModel`. */
interface Formatter {
  formatChatAsync(
    messages: readonly object[],
    options: object,
  ): Promise<{ readonly tokens: Int32Array }>;
}

const canFormat = (model: object): model is Formatter =>
  typeof (model as Partial<Formatter>).formatChatAsync === "function";

/** `POST /messages/count_tokens`. */
async function countTokens(exchange: Exchange): Promise<Response> {
  const { models, config } = exchange.core;
  nameRequest(exchange);
  const request = await exchange.fields(countFields);
  assertBounds(request, config.limits);
  const { conversation } = readMessages(request);
  const lease = await models.lease(models.find(request.model, CLAUDE));
  try {
    const { model } = lease;
    if (!canFormat(model))
      throw new ApiError("This model cannot count tokens.", {
        status: 501,
        type: "not_supported_error",
        code: "not_supported",
      });
    const options = {
      ...promptOptions(request, exchange.base.isFast),
      continueLast: conversation.continuesLast,
    };
    const { tokens } = await model.formatChatAsync(conversation.messages, options);
    return exchange.json({ input_tokens: tokens.length });
  } catch (error) {
    throw toApiError(error, { ...MESSAGES_WORDS, messagePath: conversation.pathOf });
  } finally {
    lease.release();
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
