// Builds prompts: raw prompts unchanged, conversations with R1's template or the file's own. Builds
// the texts and special tokens in order first, and then tokenises them, synchronously or later.
import { setImmediate as nextTurn } from "node:timers/promises";
import { R1Error } from "../base/errors.js";
import { whenReady } from "../base/awaitable.js";
import type { Awaitable } from "../base/awaitable.js";
import type { ChatMessage } from "../base/types.js";
import type { MakePrompt } from "../engine/preparation.js";
import { assertRoom } from "../engine/request.js";
import type { Prompt } from "../engine/request.js";
import { checkText, checkTokens } from "../weights/tokenizer.js";
import { asR1Error, fewestTokens, tokenizeNow, tokenizeSoon } from "../weights/tokenize.js";
import type { SegmentedText, SegmentedTokens } from "../weights/tokenize.js";
import type { Weights } from "../weights/weights.js";
import { endsInReasoning } from "../reasoning/tags.js";
import { ToolReader } from "../reasoning/tool-reader.js";
import type { TurnSoFar } from "../template/continued.js";
import { foreignToNative, renderForeign } from "../template/foreign.js";
import { writeArguments } from "../template/json-text.js";
import { isLong } from "../template/messages.js";
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
import type { TurnIds } from "./turn-ids.js";

/** A conversation as ids and as text. */
export interface FormattedChat {
  /** Ids of the prompt, BOS included. `JSON.stringify` writes them as a list. */
  readonly tokens: Int32Array;
  /**
   * The same with special tokens written out. It is safe to encode it again with special tokens
   * parsed only if no message contains their text.
   */
  readonly text: string;
  /**
   * The owner of each part of `text`, in order and without gaps; special tokens belong to the
   * template.
   */
  readonly spans: readonly OwnerSpan[];
}

/** A prompt that is not tokenised yet. */
export interface PromptText extends SegmentedText {
  /** Creates the prompt from its ids. */
  readonly toPrompt: (tokens: Int32Array) => Prompt;
  /** The parts of {@link FormattedChat} that only its readers need. */
  readonly layout: () => Pick<FormattedChat, "text" | "spans">;
}

/** How {@link chatText} renders a conversation. */
export interface ChatForm {
  readonly config: PromptConfig;
  /** The meaning of `think: "auto"`: whether the file's own template opens `<think>`. */
  readonly opensThink: boolean;
  /** Whether to end with the opening of the assistant's turn. @defaultValue true */
  readonly generationPrompt?: boolean | undefined;
  /** The beginning of that turn, if it is continued. @defaultValue nothing */
  readonly soFar?: TurnSoFar | undefined;
}

/**
 * Ids with exactly one BOS at the beginning, whatever the file's `add_bos_token` says and however
 * many the prompt contains. For a file that is not one of R1's releases, the file's own flag
 * decides whether there is one.
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

/** For a prompt of ids alone, its last turn shows whether it ends inside a reasoning block. */
function promptOf(given: Int32Array, weights: Weights, room = Infinity): Prompt {
  const tokens = withBos(given, weights);
  // Before the ids are checked one by one.
  assertRoom(tokens.length, room);
  const { think, endThink } = weights.roles;
  return {
    tokens,
    startsInReasoning: endsInReasoning(tokens, think, endThink, weights.turnTokens),
    startsAfterReasoning: endThink >= 0 && tokens.at(-1) === endThink,
  };
}

/**
 * Checks a raw prompt: a text, whose special strings become their ids, or ids.
 *
 * @param room - Tokens that a sequence holds; a text that cannot fit is not tokenised.
 * @throws {R1Error} `INVALID_ARGUMENT` for a value that is neither text nor ids.
 */
export function rawPrompt(prompt: unknown, weights: Weights, room = Infinity): MakePrompt {
  if (typeof prompt !== "string") {
    const ids = checkTokens(prompt, "prompt", weights.tokenizer.size);
    return () => promptOf(ids, weights, room);
  }
  const text = {
    texts: [checkText(prompt, "prompt")],
    ids: Int32Array.of(-1),
    special: true,
  };
  return (isNeeded) => {
    assertRoom(fewestTokens(text, weights.longestToken), room, true);
    return whenReady(tokenizeSoon(weights.native, text, isNeeded), ({ tokens }) =>
      promptOf(tokens, weights),
    );
  };
}

/**
 * Renders a conversation with R1's template or the file's own; texts of messages cannot become
 * special tokens.
 *
 * @throws {R1Error} `TEMPLATE_UNSUPPORTED`.
 */
export function chatText(
  messages: readonly ChatMessage[],
  form: ChatForm,
  weights: Weights,
): PromptText {
  const { config, opensThink, generationPrompt = true, soFar } = form;
  const { tools } = config.tools;
  const { roles, roleTexts } = weights;
  const newReader =
    tools.length === 0
      ? {}
      : { newReader: () => new ToolReader(tools, roleTexts, roles, config.toolCallDeltas) };
  if (config.template === "file") return foreignText(messages, form, weights, newReader);
  const think = config.think === "auto" ? (opensThink ? "open" : "bare") : config.think;
  const segments = renderChat(messages, {
    openThink: think === "open",
    skipThink: think === "closed",
    generationPrompt,
    tools: renderTools(tools),
    soFar,
  });
  const last = segments.at(-1);
  const endsInText = last !== undefined && "text" in last && last.owner === "assistant";
  return {
    ...segmentsToNative(segments, roles, roleTexts),
    special: false,
    layout: () => ({
      text: segmentsToText(segments, roleTexts),
      spans: segmentSpans(segments, roleTexts),
    }),
    toPrompt: (tokens) => ({
      tokens,
      startsInReasoning: opensReasoning(segments),
      startsAfterReasoning: tokens.at(-1) === roles.endThink,
      continuesText: soFar !== undefined && endsInText,
      ...newReader,
    }),
  };
}

/**
 * {@link chatText}; for a long conversation in a separate turn of the event loop, because the check
 * has already used one.
 */
export function chatTextSoon(
  messages: readonly ChatMessage[],
  form: ChatForm,
  weights: Weights,
): Awaitable<PromptText> {
  if (!isLong(messages)) return chatText(messages, form, weights);
  return nextTurn()
    .then(() => writeArguments(messages))
    .then(() => nextTurn())
    .then(() => chatText(messages, form, weights));
}

/** @throws {R1Error} `TEMPLATE_UNSUPPORTED` when the file has no template of its own. */
export function assertTemplate({ template }: PromptConfig, { chatTemplate }: Weights): void {
  if (template === "file" && chatTemplate === null)
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      'The file has no chat template. Leave `template` at "r1", or use `complete()` with a ' +
        "prompt in the model's own format.",
    );
}

/** Renders with the file's own template, which need not be R1's. */
function foreignText(
  messages: readonly ChatMessage[],
  { config, generationPrompt = true, soFar }: ChatForm,
  weights: Weights,
  newReader: Pick<Prompt, "newReader">,
): PromptText {
  assertTemplate(config, weights);
  const { specialTokens, roles } = weights;
  if (soFar !== undefined && (soFar.reasoning !== "" || soFar.isReasoned))
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      'With `template: "file"` reasoning cannot be continued, because every template writes ' +
        'it in its own way. Give the last message only `content`, or use `template: "r1"`.',
    );
  const tools = config.toolDefinitions.length === 0 ? {} : { tools: config.toolDefinitions };
  const pieces = renderForeign(messages, {
    chatTemplate: weights.chatTemplate ?? "",
    specialTokens: specialTokens.all,
    bosText: specialTokens.textOf(roles.bos),
    eosText: specialTokens.textOf(roles.eos),
    thinking: config.think !== "closed",
    generationPrompt,
    answerSoFar: soFar?.answer,
    ...tools,
  });
  const { texts, ids, text, spans } = foreignToNative(pieces);
  return {
    texts,
    ids,
    special: false,
    layout: () => ({ text, spans }),
    toPrompt: (tokens) => {
      const prompt = { ...promptOf(tokens, weights), ...newReader };
      return soFar === undefined
        ? prompt
        : { ...prompt, startsInReasoning: false, continuesText: true };
    },
  };
}

/**
 * Tokenises on the calling thread.
 * @throws {R1Error} `TEXT_TOO_LONG`, and the errors of the addon.
 */
export function promptNow(text: PromptText, weights: Weights): Prompt {
  return text.toPrompt(asR1Error(() => tokenizeNow(weights.native, text).tokens));
}

/** Options of {@link promptSoon}. */
export interface PromptJob {
  /**
   * Tokens that a sequence holds; a text that cannot fit is not tokenised.
   * @defaultValue no limit
   */
  readonly room?: number | undefined;
  /** Returns whether the prompt is still needed. @defaultValue yes */
  readonly isNeeded?: (() => boolean) | undefined;
  /** The known ids of a session's earlier turns. @defaultValue nothing */
  readonly ids?: TurnIds | undefined;
}

/**
 * Tokenises synchronously if that is quick, otherwise off the event loop.
 *
 * @throws {R1Error} `PROMPT_TOO_LONG`, `TEXT_TOO_LONG`; errors of the addon, thrown or as
 * rejections.
 */
export function promptSoon(
  text: PromptText,
  weights: Weights,
  { room = Infinity, isNeeded, ids }: PromptJob = {},
): Awaitable<Prompt> {
  assertRoom(fewestTokens(text, weights.longestToken), room, true);
  const tokenize = (given: SegmentedText): Awaitable<SegmentedTokens> =>
    tokenizeSoon(weights.native, given, isNeeded);
  const made = ids === undefined ? tokenize(text) : ids.tokenize(text, tokenize);
  return whenReady(made, ({ tokens }) => text.toPrompt(tokens));
}
