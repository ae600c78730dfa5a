// Checks requests before a model is loaded, for inputs that are validated first.
import { object } from "../base/check.js";
import type { ChatMessageInput } from "../base/types.js";
import { GENERATE_KEYS, normalizeGenerate } from "../engine/engine-options.js";
import type { GenerateOptions } from "../engine/engine-options.js";
import { checkMessages } from "../template/messages.js";
import { CHAT_KEYS, normalizePrompt } from "./chat-options.js";
import type { ChatOptions } from "./chat-options.js";

/** Accepts everything that depends on the model: its vocabulary, its draft model. */
const ANY_MODEL = { vocabSize: 2 ** 31, maxDraft: 64, hasDraftModel: true };

/** Names of the options of `model.complete`. */
export const GENERATE_OPTION_NAMES: readonly string[] = GENERATE_KEYS;

/** Names of the options of `model.chat`. */
export const CHAT_OPTION_NAMES: readonly string[] = Object.freeze([...GENERATE_KEYS, ...CHAT_KEYS]);

/**
 * Throws what `model.chat` would throw at the call for these arguments, for any model. It does not
 * check what depends on a particular model (token ids, the length of the prompt).
 *
 * @throws {R1Error} `INVALID_MESSAGE`, `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`.
 */
export function checkChat(messages: readonly ChatMessageInput[], options: ChatOptions = {}): void {
  checkMessages(messages);
  checkChatOptions(options);
}

/**
 * Does the same as {@link checkChat} for the options only.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`.
 */
export function checkChatOptions(options: ChatOptions): void {
  const given = object(options, "options");
  // Most rows of a large input have no options.
  if (Object.keys(given).length === 0) return;
  const { reasoning } = normalizeGenerate(given, "chat", ANY_MODEL, CHAT_KEYS);
  normalizePrompt(given, reasoning.mode);
}

/**
 * Throws what `model.complete` would throw at the call for these options, for any model.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`.
 */
export function checkCompletionOptions(options: GenerateOptions): void {
  const given = object(options, "options");
  if (Object.keys(given).length > 0) normalizeGenerate(given, "complete", ANY_MODEL);
}
