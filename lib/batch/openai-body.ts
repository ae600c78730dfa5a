// Reads the bodies of OpenAI's batch lines: their options in our words. Pure; any JavaScript thread.
import { describe, knownKeys, object, oneOf, refuse } from "../base/check.js";
import { fromOpenAI } from "../index.js";
import type { OpenAIMessage } from "../index.js";
import type { RowAsk } from "./row.js";

/** Fields whose values mean the same here under another name. */
const RENAMED: Readonly<Record<string, string>> = {
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  min_p: "minP",
  typical_p: "typicalP",
  max_tokens: "maxTokens",
  max_completion_tokens: "maxTokens",
  stop: "stop",
  stop_token_ids: "stopTokens",
  ignore_eos: "ignoreEos",
  presence_penalty: "presencePenalty",
  frequency_penalty: "frequencyPenalty",
  repeat_penalty: "repeatPenalty",
  repetition_penalty: "repeatPenalty",
  logit_bias: "logitBias",
  logprobs: "logprobs",
  top_logprobs: "topLogprobs",
  tools: "tools",
  tool_choice: "toolChoice",
};

/** Fields that change nothing here. */
const IGNORED = [
  "model",
  "user",
  "metadata",
  "store",
  "service_tier",
  "stream_options",
  "parallel_tool_calls",
  "safety_identifier",
  "prompt_cache_key",
];

const SHARED_KEYS = [...Object.keys(RENAMED), ...IGNORED, "n", "seed", "stream"];
const CHAT_KEYS = ["messages", "reasoning_effort", "response_format", ...SHARED_KEYS];
const TEXT_KEYS = ["prompt", "echo", ...SHARED_KEYS];

const CHAT = "/v1/chat/completions";
const COMPLETIONS = "/v1/completions";

/** What a body asks for. */
export interface OpenAIAsk {
  readonly ask: RowAsk;
  readonly options: Readonly<Record<string, unknown>>;
  readonly samples: unknown;
  readonly seed: unknown;
}

function responseForm(value: unknown): unknown {
  const form = object(value, "body.response_format");
  const type = oneOf(form["type"], "body.response_format.type", [
    "text",
    "json_object",
    "json_schema",
  ]);
  if (type === "text") return undefined;
  if (type === "json_object") return { schema: { type: "object" } };
  const named = object(form["json_schema"], "body.response_format.json_schema");
  return { schema: named["schema"] };
}

function reasoning(effort: unknown): unknown {
  const word = oneOf(effort, "body.reasoning_effort", [
    "none",
    "minimal",
    "low",
    "medium",
    "high",
    "xhigh",
  ]);
  if (word === "none") return { mode: "off" };
  return { effort: word === "minimal" ? "low" : word === "xhigh" ? "high" : word };
}

/**
 * @param url - The line's endpoint.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `INVALID_MESSAGE`.
 */
export function readBody(url: unknown, given: unknown): OpenAIAsk {
  if (url !== CHAT && url !== COMPLETIONS) refuse("url", `"${CHAT}" or "${COMPLETIONS}"`, url);
  const body = object(given, "body");
  const isChat = url === CHAT;
  knownKeys(body, "body", isChat ? CHAT_KEYS : TEXT_KEYS);
  if (body["stream"] === true) refuse("body.stream", "false: a batch writes whole results", true);
  if (body["echo"] === true) refuse("body.echo", "false", true);
  const options: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(RENAMED)) {
    const value = body[name];
    // OpenAI's null means the default.
    if (value === undefined || value === null) continue;
    options[option] = value;
  }
  if (isChat) {
    if (body["response_format"] !== undefined && body["response_format"] !== null) {
      const form = responseForm(body["response_format"]);
      if (form !== undefined) options["response"] = form;
    }
    if (body["reasoning_effort"] !== undefined && body["reasoning_effort"] !== null)
      options["reasoning"] = reasoning(body["reasoning_effort"]);
  }
  return {
    ask: isChat ? chatOf(body["messages"]) : rawOf(body["prompt"]),
    options,
    samples: body["n"] ?? undefined,
    seed: body["seed"] ?? undefined,
  };
}

function chatOf(messages: unknown): RowAsk {
  if (!Array.isArray(messages)) refuse("body.messages", "an array of messages", messages);
  return { kind: "chat", messages: fromOpenAI(messages as OpenAIMessage[]) };
}

function rawOf(prompt: unknown): RowAsk {
  if (typeof prompt !== "string")
    refuse("body.prompt", `a string, not ${describe(prompt)}: one prompt a line, which`, prompt);
  return { kind: "raw", prompt };
}
