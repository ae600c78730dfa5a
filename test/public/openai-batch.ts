// A line of our batch output is one that the `openai` package's types read. Checked by the
// compiler alone.
import type OpenAI from "openai";
import type { OpenAIBatchLine, OpenAIChatBody, OpenAITextBody } from "../../lib/batch.js";

/** What reads chat completions reads ours. */
export const chatOf = (
  line: OpenAIBatchLine<OpenAIChatBody>,
): OpenAI.Chat.Completions.ChatCompletion => line.response.body;

/** What reads text completions reads ours. */
export const textOf = (line: OpenAIBatchLine<OpenAITextBody>): OpenAI.Completions.Completion =>
  line.response.body;
