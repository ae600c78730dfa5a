// What a request to /v1/responses asks of the model, in the library's options.
import type { ChatOptions, ReasoningOptions, ToolChoice, ToolDefinition } from "../../index.js";
import { badRequest } from "../core/api-error.js";
import type { ErrorWords } from "../core/api-error.js";
import { assertAtMost, assertNotAbove, assertSchemaFits } from "../core/bounds.js";
import { SAMPLING_WORDS, samplingOptions } from "../core/sampling.js";
import { functionTool, toolCallDeltas } from "../core/tools.js";
import type { ServerLimits } from "../limits.js";
import type { ResponsesRequest } from "./fields.js";

/** How the protocol calls the library's options. */
export const RESPONSES_WORDS: ErrorWords = {
  options: {
    maxTokens: "max_output_tokens",
    ...SAMPLING_WORDS,
    topLogprobs: "top_logprobs",
    toolChoice: "tool_choice",
    response: "text.format",
  },
  schemaParam: "text.format.schema",
};

interface Choice {
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
}

/** The functions that may be called; tools that run elsewhere are left out. */
function choose({ tools, tool_choice: choice }: ResponsesRequest): Choice {
  const functions = tools
    .filter(({ type }) => type === "function")
    .map((tool) => functionTool({ ...tool, name: String(tool["name"]) }));
  if (typeof choice === "string") return { tools: functions, toolChoice: choice };
  if (choice.type === "function" && typeof choice["name"] === "string")
    return {
      tools: functions,
      toolChoice: { type: "function", function: { name: choice["name"] } },
    };
  const { tools: allowed, mode } = choice;
  if (choice.type !== "allowed_tools" || !Array.isArray(allowed))
    return { tools: functions, toolChoice: "auto" };
  const names = new Set(allowed.map((tool: unknown) => (tool as { name?: unknown } | null)?.name));
  return {
    tools: functions.filter(({ function: { name } }) => names.has(name)),
    toolChoice: mode === "required" ? "required" : "auto",
  };
}

function answerForm({ text }: ResponsesRequest): Pick<ChatOptions, "response"> {
  const format = text?.format;
  if (format === undefined || format === null || format.type === "text") return {};
  return {
    response: { schema: format.type === "json_schema" ? format.schema : { type: "object" } },
  };
}

/** Whether the response carries log probabilities of its text. */
export function wantsLogprobs({ top_logprobs, include }: ResponsesRequest): boolean {
  return (top_logprobs ?? 0) > 0 || include.includes("message.output_text.logprobs");
}

/** What of a request has bounds that the server's user sets. @throws {ApiError} 400 */
export function assertBounds(request: ResponsesRequest, limits: ServerLimits): void {
  const { input, tools, text, top_logprobs: top } = request;
  if (typeof input !== "string") assertAtMost(input.length, limits.maxMessages, "input");
  assertAtMost(tools.length, limits.maxTools, "tools");
  tools.forEach((tool, i) =>
    assertSchemaFits(tool["parameters"], `tools[${i}].parameters`, limits),
  );
  if (text?.format?.type === "json_schema")
    assertSchemaFits(text.format.schema, "text.format.schema", limits);
  assertNotAbove(top, limits.maxLogprobs, "top_logprobs");
}

/** The options of a request's generation. @param reasoning - How much it may think. */
export function chatOptions(request: ResponsesRequest, reasoning: ReasoningOptions): ChatOptions {
  const { max_output_tokens: most, stream, return_progress } = request;
  const { tools, toolChoice } = choose(request);
  if (most === 0)
    throw badRequest(
      "`max_output_tokens`: at least one token is generated.",
      "max_output_tokens",
      "invalid_value",
    );
  return {
    ...samplingOptions(request),
    ...(most === undefined || most < 0 ? {} : { maxTokens: most }),
    ...(Object.keys(reasoning).length > 0 ? { reasoning } : {}),
    ...(wantsLogprobs(request) ? { topLogprobs: request.top_logprobs ?? 0 } : {}),
    ...(stream && return_progress ? { promptProgress: true } : {}),
    ...(tools.length > 0 ? { tools, toolChoice } : {}),
    ...toolCallDeltas({ tools, toolChoice }),
    ...answerForm(request),
  };
}
