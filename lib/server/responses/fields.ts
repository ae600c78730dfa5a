// The fields of a request to /v1/responses: validation, the OpenAPI document and the table in
// docs/guide/server.md come from this schema.
import { z } from "zod";
import { samplingFields } from "../core/sampling.js";

const item = z.looseObject({});

const reasoning = z.looseObject({
  effort: z
    .enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"])
    .nullish()
    .describe("how much the model thinks; `none` switches the thinking off"),
  summary: z
    .enum(["auto", "concise", "detailed"])
    .nullish()
    .describe("sends the thinking as summary events instead of `reasoning_text`"),
});

const format = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    name: z.string().optional(),
    description: z.string().nullish(),
    schema: z.looseObject({}),
    strict: z.boolean().nullish(),
  }),
]);

const tool = z.looseObject({ type: z.string() });

/** Fields of `POST /v1/responses`. */
export const responsesFields = z.object({
  model: z.string().optional().describe("name of a model of this server"),
  input: z
    .union([z.string(), z.array(item)])
    .describe("text, or items: messages, function calls and their outputs, references"),
  instructions: z.string().optional().describe("a system message before the input"),
  previous_response_id: z
    .string()
    .optional()
    .describe("continues the conversation of a stored response"),
  store: z.boolean().default(true).describe("keeps the response and its items for later requests"),
  stream: z.boolean().default(false).describe("answers with server-sent events"),
  max_output_tokens: z
    .int()
    .min(-1)
    .optional()
    .describe("most tokens, reasoning included; -1: no limit"),
  ...samplingFields,
  top_logprobs: z.int().min(0).max(20).optional().describe("alternatives for each output token"),
  include: z
    .array(z.string())
    .default([])
    .describe("`message.output_text.logprobs`; other values have no effect"),
  tools: z.array(tool).default([]).describe("functions; tools of other types are left out"),
  tool_choice: z
    .union([z.enum(["auto", "none", "required"]), tool])
    .default("auto")
    .describe("`auto`, `none`, `required`, one function, or `allowed_tools`"),
  parallel_tool_calls: z.boolean().default(true).describe("false: only the first call is sent"),
  reasoning: reasoning.optional().describe("effort and summary"),
  text: z
    .looseObject({ format: format.nullish(), verbosity: z.string().nullish() })
    .optional()
    .describe("form of the answer: text, `json_object` or `json_schema`"),
  metadata: z.record(z.string(), z.string()).optional().describe("echoed"),
  truncation: z.string().optional().describe("echoed as `disabled`: nothing is cut off"),
  user: z.string().optional().describe("echoed"),
  safety_identifier: z.string().optional().describe("echoed"),
  prompt_cache_key: z.string().optional().describe("echoed"),
  service_tier: z.string().optional().describe("without effect"),
  background: z.boolean().optional().describe("without effect: the request is answered at once"),
  return_progress: z
    .boolean()
    .default(false)
    .describe("extension: `response.in_progress` events say how far the prompt is"),
  stream_options: z.looseObject({}).optional().describe("without effect"),
  conversation: z.unknown().optional().describe("refused: use `previous_response_id`"),
  prompt: z.unknown().optional().describe("refused: this server has no stored prompts"),
});

/** A request that was checked. */
export type ResponsesRequest = z.output<typeof responsesFields>;
