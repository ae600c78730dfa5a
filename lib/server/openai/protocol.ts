// OpenAI's protocol: chat completions, completions, models.
import { z } from "zod";
import { ApiError } from "../core/api-error.js";
import type { Exchange, Protocol } from "../core/protocol.js";
import { chatFields } from "./chat-fields.js";
import { chatCall } from "./chat-request.js";
import { ChatStream } from "./chat-stream.js";
import { ChatWhole } from "./chat-whole.js";
import { pingMs } from "./common-fields.js";
import { openaiError } from "../core/error-form.js";
import { applyTemplate, countTokens } from "./apply-template.js";
import { complete } from "./completions.js";
import { completionFields } from "./completion-fields.js";
import { fingerprint } from "./fingerprint.js";
import { llamaComplete, llamaCompletionFields } from "./llama-completion.js";
import { getModel, listModels } from "./models.js";

async function chat(exchange: Exchange): Promise<Response> {
  const fields = await exchange.fields(chatFields);
  const { call, form } = chatCall(fields, exchange);
  const run = exchange.generate(call);
  const print = fingerprint(exchange, call.model);
  if (fields.stream === true) {
    const stream = new ChatStream(form, call.n, print);
    exchange.core.register(stream.id, run, exchange.key);
    const isEager = call.wantsQueue === true;
    return exchange.respond(run, { stream }, { pingMs: pingMs(fields), isEager });
  }
  const whole = new ChatWhole(form, print);
  exchange.core.register(whole.id, run, exchange.key);
  return exchange.respond(run, { whole });
}

const controlFields = z.object({
  id: z.string().describe("The id of a response that is being written"),
  action: z.literal("reasoning_end").describe("Ends the thinking; the answer follows"),
});

/** Ends the thinking of a reply that is being written. */
async function control(exchange: Exchange): Promise<Response> {
  const { id, action } = await exchange.fields(controlFields);
  const run = exchange.core.runOf(id, exchange.key);
  if (run === undefined)
    throw new ApiError("There is no running reply with this id.", {
      status: 404,
      type: "not_found_error",
      code: "not_found",
      param: "id",
    });
  run.endReasoning();
  return exchange.json({ id, action, success: true });
}

/** OpenAI's protocol. */
export const openaiProtocol: Protocol = Object.freeze({
  name: "OpenAI",
  errorBody: openaiError,
  routes: [
    {
      method: "POST",
      path: "/chat/completions",
      summary: "Answers a conversation",
      body: chatFields,
      bases: "all",
      handle: chat,
    },
    {
      method: "POST",
      path: "/chat/completions/control",
      summary: "Ends the thinking of a reply that is being written",
      body: controlFields,
      bases: "all",
      handle: control,
    },
    {
      method: "POST",
      path: "/completions",
      summary: "Continues a raw prompt",
      body: completionFields,
      bases: "all",
      handle: complete,
    },
    {
      method: "POST",
      path: "/completion",
      summary: "Continues a raw prompt, in llama-server's own form",
      body: llamaCompletionFields,
      bases: "root",
      handle: llamaComplete,
    },
    {
      method: "POST",
      path: "/chat/completions/input_tokens",
      summary: "Counts the tokens of a conversation's prompt",
      body: chatFields,
      bases: "all",
      handle: countTokens,
    },
    {
      method: "POST",
      path: "/apply-template",
      summary: "Returns the prompt that a conversation becomes, with whose each part of it is",
      body: chatFields,
      bases: "root",
      handle: applyTemplate,
    },
    {
      method: "GET",
      path: "/models",
      summary: "Lists the models",
      bases: "all",
      handle: listModels,
    },
    {
      method: "GET",
      path: "/models/:model",
      summary: "Returns one model",
      bases: "all",
      handle: getModel,
    },
  ],
} satisfies Protocol);
