// Checks what is asked of a model before any model is there: for inputs that are looked through
// first. Pure; any JavaScript thread.
import { object } from "../base/check.js";
import type { ChatMessageInput } from "../base/types.js";
import { GENERATE_KEYS, normalizeGenerate } from "../engine/engine-options.js";
import type { GenerateOptions } from "../engine/engine-options.js";
import { checkMessages } from "../template/messages.js";
import { CHAT_KEYS, normalizePrompt } from "./chat-options.js";
import type { ChatOptions } from "./chat-options.js";

/** What depends on the model passes here: its vocabulary, its draft model. */
const ANY_MODEL = { vocabSize: 2 ** 31, maxDraft: 64, hasDraftModel: true };

/** Names of the options of `model.complete`. */
export const GENERATE_OPTION_NAMES: readonly string[] = GENERATE_KEYS;

/** Names of the options of `model.chat`. */
export const CHAT_OPTION_NAMES: readonly string[] = Object.freeze([...GENERATE_KEYS, ...CHAT_KEYS]);

/**
 * Throws what `model.chat` would throw at the call for these arguments, whatever the model. What
 * depends on one (ids of tokens, the length of the prompt) is not looked at.
 *
 * @throws {R1Error} `INVALID_MESSAGE`, `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`.
 */
export function checkChat(messages: readonly ChatMessageInput[], options: ChatOptions = {}): void {
  checkMessages(messages);
  checkChatOptions(options);
}

/**
 * The options' part of {@link checkChat}.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`.
 */
export function checkChatOptions(options: ChatOptions): void {
  const given = object(options, "options");
  // Most rows of a large input have none.
  if (Object.keys(given).length === 0) return;
  const { reasoning } = normalizeGenerate(given, "chat", ANY_MODEL, CHAT_KEYS);
  normalizePrompt(given, reasoning.mode);
}

/**
 * Throws what `model.complete` would throw at the call for these options, whatever the model.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`.
 */
export function checkCompletionOptions(options: GenerateOptions): void {
  const given = object(options, "options");
  if (Object.keys(given).length > 0) normalizeGenerate(given, "complete", ANY_MODEL);
}
