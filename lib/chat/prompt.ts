// Makes prompts of ids: raw ones as they are, conversations by R1's template. Runs on the JavaScript thread that loaded the model.
import { R1Error } from "../base/errors.js";
import type { ChatMessage } from "../base/types.js";
import type { Prompt } from "../engine/request.js";
import { checkTokens } from "../model/tokenizer.js";
import type { Weights } from "../model/weights.js";
import { endsInReasoning } from "../reasoning/tags.js";
import { ToolReader } from "../reasoning/tool-reader.js";
import { renderForeign } from "../template/foreign.js";
import { renderChat } from "../template/r1.js";
import {
  opensReasoning,
  segmentSpans,
  segmentsToNative,
  segmentsToText,
} from "../template/segment.js";
import type { OwnerSpan } from "../template/segment.js";
import { renderTools } from "../template/tools.js";
import type { PromptConfig } from "./chat-options.js";

/** A conversation as ids and as text. */
export interface FormattedChat {
  /** Ids of the prompt, BOS included. */
  readonly tokens: Int32Array;
  /** The same with special tokens written out. Encoding it again with special tokens parsed is safe only if no message holds their text. */
  readonly text: string;
  /** Whose each part of `text` is, in order and without gaps; special tokens are the template's. */
  readonly spans: readonly OwnerSpan[];
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
  const given =
    typeof prompt === "string"
      ? weights.tokenizer.encode(prompt, { special: true })
      : checkTokens(prompt, "prompt", weights.tokenizer.size);
  const tokens = withBos(given, weights);
  const { think, endThink } = weights.roles;
  return {
    tokens,
    startsInReasoning: endsInReasoning(tokens, think, endThink),
    startsAfterReasoning: endThink >= 0 && tokens.at(-1) === endThink,
  };
}

/**
 * A conversation by R1's template, or by the file's own; message texts cannot become special tokens.
 *
 * @param opensThink - What `think: "auto"` means: whether the file's own template opens `<think>`.
 * @param generationPrompt - Ends with the opening of the assistant's turn.
 * @throws {R1Error} `TEMPLATE_UNSUPPORTED`.
 */
export function chatPrompt(
  messages: readonly ChatMessage[],
  config: PromptConfig,
  opensThink: boolean,
  weights: Weights,
  generationPrompt = true,
): Prompt & FormattedChat {
  const reader =
    config.tools.tools.length === 0
      ? {}
      : { reader: new ToolReader(config.tools.tools, weights.roleTexts, weights.roles) };
  if (config.template === "file")
    return { ...foreignPrompt(messages, config, weights, generationPrompt), ...reader };
  const form = config.think === "auto" ? (opensThink ? "open" : "bare") : config.think;
  const tools = renderTools(config.tools.tools);
  const segments = renderChat(messages, {
    openThink: form === "open",
    skipThink: form === "closed",
    generationPrompt,
    tools,
  });
  const { texts, ids } = segmentsToNative(segments, weights.roles, weights.roleTexts);
  const { tokens } = weights.native.tokenizeSegments(texts, ids);
  return {
    tokens,
    text: segmentsToText(segments, weights.roleTexts),
    spans: segmentSpans(segments, weights.roleTexts),
    startsInReasoning: opensReasoning(segments),
    startsAfterReasoning: tokens.at(-1) === weights.roles.endThink,
    ...reader,
  };
}

/** By the file's own template, which need not be R1's. */
function foreignPrompt(
  messages: readonly ChatMessage[],
  config: PromptConfig,
  weights: Weights,
  generationPrompt: boolean,
): Prompt & FormattedChat {
  const { chatTemplate, native, roles, tokenizer } = weights;
  if (chatTemplate === null) {
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      'The file has no chat template of its own. Leave `template` at "r1", or use `complete()` with a prompt in the model\'s own format.',
    );
  }
  const specialTokens = native.specialTokens();
  const textOf = (id: number): string => specialTokens.find((token) => token.id === id)?.text ?? "";
  const tools = config.toolDefinitions.length === 0 ? {} : { tools: config.toolDefinitions };
  const pieces = renderForeign(messages, {
    chatTemplate,
    specialTokens,
    bosText: textOf(roles.bos),
    eosText: textOf(roles.eos),
    thinking: config.think !== "closed",
    generationPrompt,
    ...tools,
  });
  const ids = Int32Array.from(pieces, (piece) => ("token" in piece ? piece.token : -1));
  const texts = pieces.map((piece) => ("token" in piece ? "" : piece.text));
  const tokens = withBos(native.tokenizeSegments(texts, ids).tokens, weights);
  let at = 0;
  const spans = pieces.map((piece) => ({
    start: at,
    end: (at += piece.text.length),
    owner: "token" in piece ? ("template" as const) : piece.owner,
  }));
  const { think, endThink } = tokenizer;
  return {
    tokens,
    text: pieces.map((piece) => piece.text).join(""),
    spans,
    startsInReasoning: endsInReasoning(tokens, think, endThink),
    startsAfterReasoning: endThink >= 0 && tokens.at(-1) === endThink,
  };
}
