// The fields of requests to /v1/messages and /v1/messages/count_tokens: validation, the OpenAPI
// document and the table in docs/guide/server.md come from these schemas.
import { z } from "zod";
import { samplingFields } from "../core/sampling.js";

const block = z.looseObject({ type: z.string() });
const content = z.union([z.string(), z.array(block)]);

const message = z.looseObject({
  role: z.enum(["user", "assistant", "system"]),
  content: content.nullish(),
});

const tool = z.looseObject({
  type: z.string().nullish(),
  name: z.string(),
  description: z.string().nullish(),
  input_schema: z.looseObject({}).nullish(),
});

const toolChoice = z.looseObject({
  type: z.enum(["auto", "any", "tool", "none"]),
  name: z.string().nullish(),
});

const thinking = z.looseObject({
  type: z.enum(["enabled", "adaptive", "disabled", "between_tools"]),
  budget_tokens: z.int().min(0).nullish(),
  display: z.string().nullish(),
});

const outputConfig = z.looseObject({
  effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]).nullish(),
  format: z.looseObject({ type: z.string(), schema: z.looseObject({}).nullish() }).nullish(),
});

/** What makes the prompt. */
const promptFields = {
  model: z.string().optional().describe("name of a model of this server, or any `claude-...`"),
  messages: z.array(message).min(1).describe("turns; a last one of the assistant is continued"),
  system: content.optional().describe("instructions, as text or as text blocks"),
  tools: z
    .array(tool)
    .default([])
    .describe("tools with an `input_schema`; Anthropic's own server tools are left out"),
  tool_choice: toolChoice.optional().describe("`auto`, `any`, `tool`, `none`"),
  thinking: thinking
    .optional()
    .describe(
      "`enabled` with `budget_tokens`, `adaptive` or `disabled`; without it the thinking is not sent",
    ),
  output_config: outputConfig.optional().describe("`effort`, and `format` with a JSON Schema"),
} as const;

/** Fields of `POST /v1/messages/count_tokens`. */
export const countFields = z.object(promptFields);

/** Fields of `POST /v1/messages`. */
export const messagesFields = z.object({
  ...promptFields,
  max_tokens: z
    .int()
    .min(1)
    .optional()
    .describe("most tokens, thinking included; may be left out here"),
  stop_sequences: z.array(z.string().min(1)).default([]).describe("texts that end the reply"),
  stream: z.boolean().default(false).describe("answers with server-sent events"),
  ...samplingFields,
  metadata: z.looseObject({}).optional().describe("looked at by the rules of auxiliary requests"),
  service_tier: z.string().optional().describe("without effect"),
  cache_control: z
    .looseObject({})
    .optional()
    .describe("without effect: prefixes are always cached"),
});

/** A request for a message, checked. */
export type MessagesRequest = z.output<typeof messagesFields>;

/** What makes the prompt of a request, checked. */
export type PromptRequest = z.output<typeof countFields>;

/** A block of a message's content. */
export type Block = z.output<typeof block>;
