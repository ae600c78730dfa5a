// A request of /chat/completions as a call of the core, and how its response is to look.
import type { ChatOptions, ResponseOptions } from "../../index.js";
import { badRequest } from "../core/api-error.js";
import { assertAtMost, assertNotAbove, assertSchemaFits } from "../core/bounds.js";
import { toConversation } from "../core/conversation.js";
import type { GenerateCall } from "../core/call.js";
import type { Exchange } from "../core/protocol.js";
import { readReasoning, reasoningForm } from "../core/reasoning.js";
import type { ReasoningForm } from "../core/reasoning.js";
import { functionTool, toolCallDeltas } from "../core/tools.js";
import type { ServerLimits } from "../limits.js";
import type { ChatFields } from "./chat-fields.js";
import { checkCommon, commonOptions } from "./common-fields.js";
import { turnsOf } from "./history.js";
import { openaiWords } from "./words.js";

/** How the response of a chat is to look. */
export interface ChatForm {
  /** The model's name as the client gave it, else the real one. */
  readonly model: string;
  readonly reasoning: ReasoningForm;
  readonly hasLogprobs: boolean;
  readonly wantsUsage: boolean;
  readonly wantsTimings: boolean;
  /** Only the first call is sent. */
  readonly isOneCall: boolean;
}

/** A chat, ready to run. */
export interface ChatCall {
  readonly call: GenerateCall;
  readonly form: ChatForm;
}

function toolsOf(
  fields: ChatFields,
  limits: ServerLimits,
): Pick<ChatOptions, "tools" | "toolChoice"> {
  const old = fields.functions?.map((one) => ({ type: "function" as const, function: one }));
  const given = fields.tools ?? old ?? [];
  const name = fields.tools === undefined && old !== undefined ? "functions" : "tools";
  assertAtMost(given.length, limits.maxTools, name);
  given.forEach((tool, i) =>
    assertSchemaFits(tool.function.parameters, `${name}[${i}].function.parameters`, limits),
  );
  const { function_call: oldChoice } = fields;
  const choice =
    fields.tool_choice ??
    (typeof oldChoice === "object"
      ? { type: "function" as const, function: { name: oldChoice.name } }
      : oldChoice);
  if (given.length === 0) {
    if (choice !== undefined && choice !== "none" && choice !== "auto")
      throw badRequest("`tool_choice` needs `tools`.", "tool_choice", "invalid_value");
    return {};
  }
  const tools = given.map(({ function: made }) => functionTool(made));
  return { tools, ...(choice === undefined ? {} : { toolChoice: choice }) };
}

function responseOf(fields: ChatFields, limits: ServerLimits): ResponseOptions | undefined {
  const { response_format: format, json_schema: short, grammar } = fields;
  if (grammar !== undefined && grammar !== "") {
    if (fields.tools !== undefined && fields.tools.length > 0)
      throw badRequest(
        "`grammar` and `tools` cannot be used together.",
        "grammar",
        "invalid_value",
      );
    return { grammar };
  }
  const schema =
    format?.type === "json_schema"
      ? format.json_schema.schema
      : format?.type === "json_object"
        ? (format.schema ?? short ?? { type: "object" })
        : short;
  if (schema === undefined) return undefined;
  const path =
    format?.type === "json_schema" ? "response_format.json_schema.schema" : "json_schema";
  assertSchemaFits(schema, path, limits);
  return { schema };
}

/** Whether a last message of the assistant is continued. */
function continues(fields: ChatFields): boolean {
  const { continue_final_message: wish, add_generation_prompt: prompt } = fields;
  if (wish === true && prompt === true)
    throw badRequest(
      "`continue_final_message` and `add_generation_prompt` cannot both be true.",
      "continue_final_message",
      "invalid_value",
    );
  return wish ?? true;
}

function logprobsOf(fields: ChatFields, limits: ServerLimits): Pick<ChatOptions, "logprobs"> {
  const { logprobs, top_logprobs: top } = fields;
  if (top !== undefined && logprobs !== true)
    throw badRequest("`top_logprobs` needs `logprobs: true`.", "top_logprobs", "invalid_value");
  assertNotAbove(top, limits.maxLogprobs, "top_logprobs");
  return logprobs === true ? { logprobs: top ?? 0 } : {};
}

function formOf(fields: ChatFields, exchange: Exchange, isHidden: boolean): ReasoningForm {
  if (isHidden) return "hidden";
  const { reasoning_format: name } = fields;
  if (name === undefined) return exchange.base.reasoningForm ?? exchange.core.config.reasoningForm;
  const form = reasoningForm(name);
  if (form === undefined)
    throw badRequest(
      "`reasoning_format` is reasoning_content, reasoning, both, tags or hidden.",
      "reasoning_format",
      "invalid_value",
    );
  return form;
}

/** Makes the call that a request means. @throws {ApiError} 400, 404 */
export function chatCall(fields: ChatFields, exchange: Exchange): ChatCall {
  const { limits } = exchange.core.config;
  checkCommon(fields, limits);
  assertAtMost(fields.messages.length, limits.maxMessages, "messages");
  const conversation = toConversation(turnsOf(fields.messages), continues(fields));
  const isStreamed = fields.stream === true;
  const isAuxiliary = exchange.isAuxiliary({
    metadata: fields.metadata,
    model: fields.model,
    isStreamed,
    lastUserText: conversation.lastUserText,
  });
  const wish = readReasoning(fields, exchange.base.isFast || isAuxiliary);
  const maxTokens = fields.max_completion_tokens ?? fields.max_tokens ?? fields.n_predict;
  const tools = toolsOf(fields, limits);
  const response = responseOf(fields, limits);
  const options: ChatOptions = {
    ...commonOptions(fields, maxTokens),
    ...logprobsOf(fields, limits),
    ...tools,
    ...(response === undefined ? {} : { response }),
    ...(conversation.continuesLast ? { continueLast: true } : {}),
    ...toolCallDeltas(tools),
    ...(Object.keys(wish.options).length === 0 ? {} : { reasoning: wish.options }),
  };
  const words = openaiWords(conversation.pathOf);
  const call: GenerateCall = {
    model: fields.model,
    messages: conversation.messages,
    options,
    n: fields.n ?? 1,
    words:
      response?.grammar === undefined && fields.response_format?.type !== "json_schema"
        ? { ...words, schemaParam: "json_schema" }
        : words,
    isAuxiliary,
    wantsQueue: isStreamed && fields.return_queue === true,
    timeoutMs: fields.t_max_predict_ms,
  };
  const form: ChatForm = {
    model: fields.model ?? exchange.core.models.first.name,
    reasoning: formOf(fields, exchange, wish.isHidden),
    hasLogprobs: fields.logprobs === true,
    wantsUsage: fields.stream_options?.include_usage === true,
    wantsTimings: fields.timings_per_token === true,
    isOneCall: fields.parallel_tool_calls === false,
  };
  return { call, form };
}
