// The fields of /completions: a raw prompt goes on, special strings in it become their tokens.
import { z } from "zod";
import { commonFields } from "./common-fields.js";

const ids = z.array(z.int().min(0)).min(1);
const text = z.string();

/** The body of POST /completions. */
export const completionFields = z.object({
  prompt: z
    .union([text, ids, z.array(z.union([text, ids])).min(1)])
    .describe("A text, token ids, or a list of those; special strings become their tokens"),
  ...commonFields,
  echo: z.boolean().optional().describe("Put the prompt before the text"),
  suffix: text.optional().describe("Refused unless empty: the model fills no gaps"),
  best_of: z.int().min(1).max(1).optional().describe("1 only"),
  logprobs: z
    .union([z.int().min(0), z.boolean()])
    .optional()
    .describe("Log probabilities, with so many alternatives each"),
  grammar: text.optional().describe("A grammar in GBNF that the text is held to"),
  json_schema: z.record(text, z.unknown()).optional().describe("A schema that the text is held to"),
});

/** The body of POST /completions, checked. */
export type CompletionFields = z.output<typeof completionFields>;
