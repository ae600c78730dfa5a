// What OpenAI's protocol calls the library's options, for the `param` of errors.
import type { ErrorWords } from "../core/api-error.js";
import { SAMPLING_WORDS } from "../core/sampling.js";

/** Words for `param` and messages. @param messagePath - The request's place of a message. */
export function openaiWords(messagePath?: ErrorWords["messagePath"]): ErrorWords {
  return {
    options: {
      ...SAMPLING_WORDS,
      maxTokens: "max_tokens",
      topLogprobs: "top_logprobs",
      toolChoice: "tool_choice",
      response: "response_format",
      ignoreEos: "ignore_eos",
      continueLast: "messages",
      grammar: "grammar",
    },
    schemaParam: "response_format.json_schema.schema",
    ...(messagePath === undefined ? {} : { messagePath }),
  };
}
