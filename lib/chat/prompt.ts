// Makes prompts of ids: raw ones as they are, conversations by R1's template. Runs on the JavaScript thread that loaded the model.
import { boolean, refuse } from "../base/check.js";
import type { ChatMessage } from "../base/types.js";
import type { Prompt } from "../engine/request.js";
import { checkTokens } from "../model/tokenizer.js";
import type { Weights } from "../model/weights.js";
import { endsInReasoning } from "../reasoning/tags.js";
import { renderChat } from "../template/r1.js";
import { opensReasoning, segmentsToNative, segmentsToText } from "../template/segment.js";

/** Whether the generation prompt ends in `<think>` and a line break: `"auto"` does what the file's own template does. */
export type OpenThink = "auto" | boolean;

/** A conversation as ids and as text. */
export interface FormattedChat {
  /** Ids of the prompt, BOS included. */
  readonly tokens: Int32Array;
  /** The same with special tokens written out. Encoding it again with special tokens parsed is safe only if no message holds their text. */
  readonly text: string;
}

/** @throws {R1Error} `INVALID_ARGUMENT` */
export function checkOpenThink(value: unknown): OpenThink {
  if (value === undefined || value === "auto") return "auto";
  return typeof value === "boolean" ? boolean(value, "openThink") : refuse("openThink", '"auto", true or false', value);
}

/**
 * Ids with exactly one BOS in front, whatever the file's `add_bos_token` says and however many the prompt brings.
 * On a file that is none of R1's releases the file's own flag decides whether there is one.
 */
function withBos(tokens: Int32Array, weights: Weights): Int32Array {
  const { bos } = weights.roles;
  if (bos < 0) return tokens;
  let own = 0;
  while (tokens[own] === bos) own++;
  if (own === 0 && weights.variant === "other" && !weights.tokenizer.addsBos) return tokens;
  if (own === 1) return tokens;
  const result = new Int32Array(tokens.length - own + 1);
  result[0] = bos;
  result.set(tokens.subarray(own), 1);
  return result;
}

/**
 * A raw prompt: special strings of a text become their ids.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` for what is neither text nor ids.
 */
export function rawPrompt(prompt: unknown, weights: Weights): Prompt {
  const given = typeof prompt === "string" ? weights.tokenizer.encode(prompt, { special: true }) : checkTokens(prompt, "prompt", weights.tokenizer.size);
  const tokens = withBos(given, weights);
  const { think, endThink } = weights.roles;
  return { tokens, startsInReasoning: endsInReasoning(tokens, think, endThink), startsAfterReasoning: endThink >= 0 && tokens.at(-1) === endThink };
}

/**
 * A conversation by R1's template, as {@link renderChat} writes it; message texts cannot become special tokens.
 *
 * @param generationPrompt - Ends with the opening of the assistant's turn.
 */
export function chatPrompt(messages: readonly ChatMessage[], openThink: boolean, weights: Weights, generationPrompt = true): Prompt & FormattedChat {
  const segments = renderChat(messages, { openThink, generationPrompt });
  const { texts, ids } = segmentsToNative(segments, weights.roles, weights.roleTexts);
  const { tokens } = weights.native.tokenizeSegments(texts, ids);
  return { tokens, text: segmentsToText(segments, weights.roleTexts), startsInReasoning: opensReasoning(segments), startsAfterReasoning: false };
}
