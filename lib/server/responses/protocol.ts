// OpenAI's Responses API: its routes, and what they keep of responses for later requests.
import { ApiError, badRequest } from "../core/api-error.js";
import { openaiError } from "../core/error-form.js";
import { nowSeconds, randomId } from "../core/ids.js";
import type { Exchange, Protocol } from "../core/protocol.js";
import { readReasoning } from "../core/reasoning.js";
import type { ServerCore } from "../core/server-core.js";
import { ResponseBuilder } from "./builder.js";
import type { ReasoningForm } from "./builder.js";
import { streamEncoder, wholeEncoder } from "./encoders.js";
import { responsesFields } from "./fields.js";
import type { ResponsesRequest } from "./fields.js";
import { readInput } from "./input.js";
import type { InputItem } from "./items.js";
import { RESPONSES_WORDS, assertBounds, chatOptions, wantsLogprobs } from "./options.js";
import type { ResponseObject } from "./response-object.js";
import { ResponseStore } from "./store.js";
import type { StoredResponse } from "./store.js";

/** The responses of each app; they go with it. */
const stores = new WeakMap<ServerCore, ResponseStore>();

function storeOf({ core }: Exchange): ResponseStore {
  const found = stores.get(core);
  if (found !== undefined) return found;
  const { maxStored, maxStoredPerKey, maxStoredBytes, maxStoredAge } = core.config.limits;
  const made = new ResponseStore({
    maxResponses: maxStored,
    maxResponsesPerKey: maxStoredPerKey,
    maxBytes: maxStoredBytes,
    maxAgeMs: maxStoredAge * 1000,
  });
  stores.set(core, made);
  return made;
}

function refuseUnsupported({ conversation, prompt }: ResponsesRequest): void {
  if (conversation !== undefined)
    throw badRequest(
      "`conversation`: this server has no conversations; use `previous_response_id`.",
      "conversation",
      "unsupported_parameter",
    );
  if (prompt !== undefined)
    throw badRequest(
      "`prompt`: this server has no stored prompts; send `instructions` and `input`.",
      "prompt",
      "unsupported_parameter",
    );
}

function reasoningForm({ core }: Exchange, { reasoning }: ResponsesRequest): ReasoningForm {
  if (core.config.reasoningForm === "hidden") return "hidden";
  return reasoning?.summary === undefined || reasoning.summary === null ? "text" : "summary";
}

/** `POST /responses`. */
async function create(exchange: Exchange): Promise<Response> {
  const { core, key } = exchange;
  const request = await exchange.fields(responsesFields);
  refuseUnsupported(request);
  assertBounds(request, core.config.limits);
  const store = storeOf(exchange);
  const { input, items, conversation } = readInput(request, store, key);
  const isAuxiliary = exchange.isAuxiliary({
    metadata: request.metadata,
    model: request.model,
    isStreamed: request.stream,
    lastUserText: conversation.lastUserText,
  });
  const { options: reasoning } = readReasoning(
    { reasoning_effort: request.reasoning?.effort ?? undefined },
    exchange.base.isFast || isAuxiliary,
  );
  const id = randomId("resp_");
  const run = exchange.generate({
    model: request.model,
    messages: conversation.messages,
    options: chatOptions(request, reasoning),
    n: 1,
    words: { ...RESPONSES_WORDS, messagePath: conversation.pathOf },
    isAuxiliary,
  });
  core.register(id, run, key);
  const builder = new ResponseBuilder({
    head: {
      id,
      createdAt: nowSeconds(),
      model: request.model ?? core.models.first.name,
      request,
    },
    reasoning: reasoningForm(exchange, request),
    wantsLogprobs: wantsLogprobs(request),
    isOneCall: !request.parallel_tool_calls,
  });
  const keep = (response: ResponseObject): void => {
    if (!request.store) return;
    const output = response.output as readonly object[] as readonly InputItem[];
    store.put(key, { response, input, items: [...items, ...output] });
  };
  return exchange.respond(
    run,
    request.stream
      ? { stream: streamEncoder(builder, keep) }
      : { whole: wholeEncoder(builder, keep) },
  );
}

/** The stored response that a path names. @throws {ApiError} 404 */
function stored(exchange: Exchange): StoredResponse {
  const id = exchange.params["id"] ?? "";
  const found = storeOf(exchange).get(exchange.key, id);
  if (found !== undefined) return found;
  throw new ApiError(
    `Response with id '${id.slice(0, 64)}' not found. Responses are kept for a limited time ` +
      "and only with `store`.",
    { status: 404, type: "not_found_error", code: "response_not_found", param: "id" },
  );
}

/** `GET /responses/{id}/input_items`. */
function inputItems(exchange: Exchange): Response {
  const { input } = stored(exchange);
  const data = input.map((item, i) => ({ id: `item_${i}`, type: "message", ...item }));
  const list = exchange.query.get("order") === "asc" ? data : data.reverse();
  return exchange.json({
    object: "list",
    data: list,
    first_id: list[0]?.id ?? null,
    last_id: list.at(-1)?.id ?? null,
    has_more: false,
  });
}

/** `DELETE /responses/{id}`. */
function remove(exchange: Exchange): Response {
  const { id } = stored(exchange).response;
  storeOf(exchange).delete(exchange.key, id);
  return exchange.json({ id, object: "response", deleted: true });
}

/** The Responses API. */
export const responsesProtocol: Protocol = {
  name: "responses",
  errorBody: openaiError,
  routes: [
    {
      method: "POST",
      path: "/responses",
      summary: "Answers in OpenAI's Responses form",
      body: responsesFields,
      bases: "all",
      handle: create,
    },
    {
      method: "GET",
      path: "/responses/:id",
      summary: "A stored response",
      bases: "all",
      handle: (exchange) => exchange.json(stored(exchange).response),
    },
    {
      method: "GET",
      path: "/responses/:id/input_items",
      summary: "The input of a stored response",
      bases: "all",
      handle: inputItems,
    },
    {
      method: "DELETE",
      path: "/responses/:id",
      summary: "Forgets a stored response",
      bases: "all",
      handle: remove,
    },
  ],
};
