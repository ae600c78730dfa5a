// The fields of /chat/completions: OpenAI's, and those that DeepSeek, llama-server, vLLM and
// OpenRouter added to them.
import { z } from "zod";
import { reasoningFields } from "../core/reasoning.js";
import { commonFields } from "./common-fields.js";

const text = z.string();

/** A part of a message's content. Other types are refused by name when they are read. */
const part = z.looseObject({ type: text });

const content = z.union([text, z.array(part), z.null()]).optional();

const call = z.looseObject({
  id: text.nullish(),
  type: text.nullish(),
  function: z.looseObject({ name: text, arguments: z.unknown().optional() }),
});

/** A message of the history. Fields that have no meaning for R1 are passed over. */
export const message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content,
  tool_calls: z.array(call).nullish(),
  tool_call_id: text.nullish(),
  function_call: z.looseObject({ name: text, arguments: z.unknown().optional() }).nullish(),
  reasoning_content: z.unknown().optional(),
  reasoning: z.unknown().optional(),
  prefix: z.boolean().nullish(),
});

/** A message, checked. */
export type WireMessage = z.output<typeof message>;

const functionShape = {
  name: text,
  description: text.nullish(),
  parameters: z.record(text, z.unknown()).nullish(),
  strict: z.boolean().nullish(),
} as const;

const toolChoice = z.union([
  z.enum(["auto", "none", "required"]),
  z.object({ type: z.literal("function"), function: z.object({ name: text }) }),
]);

const responseFormat = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object"), schema: z.record(text, z.unknown()).nullish() }),
  z.object({
    type: z.literal("json_schema"),
    json_schema: z.object({
      name: text.nullish(),
      description: text.nullish(),
      schema: z.record(text, z.unknown()),
      strict: z.boolean().nullish(),
    }),
  }),
]);

/** The body of POST /chat/completions. */
export const chatFields = z.object({
  messages: z.array(message).describe("The conversation; reasoning of earlier turns is dropped"),
  ...commonFields,
  max_completion_tokens: commonFields.max_tokens.describe("OpenAI's newer name of max_tokens"),
  tools: z
    .array(z.object({ type: z.literal("function"), function: z.object(functionShape) }))
    .optional()
    .describe("Functions that the model may call"),
  tool_choice: toolChoice.optional().describe("auto (default), none, required, or one by name"),
  parallel_tool_calls: z.boolean().optional().describe("false: only the first call is sent"),
  functions: z.array(z.object(functionShape)).optional().describe("Older form of tools"),
  function_call: z
    .union([z.enum(["auto", "none"]), z.object({ name: text })])
    .optional()
    .describe("Older form of tool_choice"),
  response_format: responseFormat
    .optional()
    .describe("text, json_object or json_schema; holds for what follows the thinking"),
  json_schema: z
    .record(text, z.unknown())
    .optional()
    .describe("llama-server's short form of response_format"),
  grammar: text.optional().describe("A grammar in GBNF for what follows the thinking"),
  logprobs: z.boolean().optional().describe("Log probabilities of the answer's tokens"),
  top_logprobs: z.int().min(0).optional().describe("Alternatives with each; needs logprobs"),
  ...reasoningFields,
  reasoning_format: text
    .optional()
    .describe("reasoning_content, reasoning, both, tags or hidden, also in other servers' names"),
  reasoning_control: z
    .boolean()
    .optional()
    .describe("Accepted: every reply takes POST /chat/completions/control"),
  continue_final_message: z
    .boolean()
    .optional()
    .describe("Continue a last message of the assistant (default true if there is one)"),
  add_generation_prompt: z.boolean().optional().describe("Not true with continue_final_message"),
  return_queue: z.boolean().optional().describe("Chunks with queue_position while waiting"),
});

/** The body of POST /chat/completions, checked. */
export type ChatFields = z.output<typeof chatFields>;
