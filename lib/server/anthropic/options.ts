// What a request to /v1/messages asks of the model, in the library's options.
import type { ChatOptions, ReasoningOptions, ToolChoice, ToolDefinition } from "../../index.js";
import type { ErrorWords } from "../core/api-error.js";
import { assertAtMost, assertSchemaFits } from "../core/bounds.js";
import { readReasoning } from "../core/reasoning.js";
import { SAMPLING_WORDS, samplingOptions } from "../core/sampling.js";
import { functionTool, toolCallDeltas } from "../core/tools.js";
import type { ServerLimits } from "../limits.js";
import type { MessagesRequest, PromptRequest } from "./fields.js";

/** How the protocol calls the library's options. */
export const MESSAGES_WORDS: ErrorWords = {
  options: {
    maxTokens: "max_tokens",
    ...SAMPLING_WORDS,
    stop: "stop_sequences",
    toolChoice: "tool_choice",
    response: "output_config.format",
    continueLast: "messages",
  },
  schemaParam: "output_config.format.schema",
};

/** Tools of the client; those that Anthropic's servers run have no schema. */
function tools(request: PromptRequest): ToolDefinition[] {
  return request.tools.flatMap(({ name, description, input_schema: parameters }) =>
    parameters === undefined || parameters === null
      ? []
      : [functionTool({ name, description, parameters })],
  );
}

function toolChoice({ tool_choice: choice }: PromptRequest): ToolChoice {
  switch (choice?.type) {
    case "any":
      return "required";
    case "tool":
      return { type: "function", function: { name: choice.name ?? "" } };
    case "none":
      return "none";
    case "auto":
    case undefined:
      return "auto";
  }
}

/** How much the request wants the model to think. */
function reasoningOptions(
  { thinking, output_config: output }: PromptRequest,
  isOff: boolean,
): ReasoningOptions {
  const type = thinking?.type === "between_tools" ? "adaptive" : thinking?.type;
  return readReasoning(
    {
      reasoning_effort: output?.effort ?? undefined,
      ...(type === undefined
        ? {}
        : { thinking: { type, budget_tokens: thinking?.budget_tokens ?? undefined } }),
    },
    isOff || type === "disabled",
  ).options;
}

/** Whether the reply shows the thinking, and its text. */
export function thinkingForm({ thinking }: PromptRequest): "shown" | "omitted" | "hidden" {
  if (thinking === undefined || thinking.type === "disabled") return "hidden";
  return thinking.display === "omitted" ? "omitted" : "shown";
}

/** The options that make the prompt. */
export function promptOptions(
  request: PromptRequest,
  isOff: boolean,
): Pick<ChatOptions, "tools" | "toolChoice" | "reasoning"> {
  const offered = tools(request);
  const reasoning = reasoningOptions(request, isOff);
  return {
    // Without a word of the request the server's own default holds.
    ...(Object.keys(reasoning).length > 0 ? { reasoning } : {}),
    ...(offered.length > 0 ? { tools: offered, toolChoice: toolChoice(request) } : {}),
  };
}

/** What of a prompt has bounds that the server's user sets. @throws {ApiError} 400 */
export function assertBounds(request: PromptRequest, limits: ServerLimits): void {
  assertAtMost(request.messages.length, limits.maxMessages, "messages");
  assertAtMost(request.tools.length, limits.maxTools, "tools");
  request.tools.forEach((tool, i) =>
    assertSchemaFits(tool.input_schema, `tools[${i}].input_schema`, limits),
  );
  const schema = request.output_config?.format?.schema;
  assertSchemaFits(schema, "output_config.format.schema", limits);
}

/** The options of a request's generation. @param isOff - No thinking, whatever the request says. */
export function chatOptions(request: MessagesRequest, isOff: boolean): ChatOptions {
  const { max_tokens: maxTokens, stop_sequences: stop } = request;
  const format = request.output_config?.format;
  const prompting = promptOptions(request, isOff);
  return {
    ...samplingOptions(request),
    ...prompting,
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(stop.length > 0 ? { stop } : {}),
    ...toolCallDeltas(prompting),
    ...(format?.type === "json_schema" && format.schema
      ? { response: { schema: format.schema } }
      : {}),
  };
}
