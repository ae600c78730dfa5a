// Tokenises prompts: short ones on the JavaScript thread, long ones on a native thread. Chooses the
// thread, and refuses texts that are too long before any work. Native errors pass unchanged: the
// public calls turn them into R1Errors with their own stacks.
import { availableParallelism } from "node:os";
import type { Awaitable } from "../base/awaitable.js";
import { R1Error, fromNative } from "../base/errors.js";
import { Gate } from "../base/gate.js";
import type { NativeModel } from "../binding/native.js";

/**
 * Texts and special tokens in order: entry i is the token `ids[i]` if that is >= 0, otherwise
 * `texts[i]`.
 */
export interface SegmentedText {
  readonly texts: readonly string[];
  readonly ids: Int32Array;
  /** Whether special strings in the texts become their tokens, as in a raw prompt. */
  readonly special: boolean;
}

/** Ids, and the number of ids after each segment. */
export interface SegmentedTokens {
  readonly tokens: Int32Array;
  readonly ends: Int32Array;
}

/** Maximum length of the text of one call, all its segments together. Unit: UTF-16 code units. */
const MAX_TEXT_LENGTH = 2 ** 26;

/** Up to this cost a text is tokenised on the calling thread, which takes about a millisecond. */
const SHORT = 8192;
/** Cost of a segment in addition to its text, in code units. */
const SEGMENT_COST = 32;

/** Each long text uses a native thread; when this many are running, further texts wait. */
const gate = new Gate(Math.max(2, Math.min(4, availableParallelism() >> 1)));

/** @throws {R1Error} `TEXT_TOO_LONG` above {@link MAX_TEXT_LENGTH}. */
function acceptedLength(texts: readonly string[]): number {
  let length = 0;
  for (const text of texts) length += text.length;
  if (length <= MAX_TEXT_LENGTH) return length;
  throw new R1Error(
    "TEXT_TOO_LONG",
    `The text has ${length} UTF-16 code units, but one call can tokenise at most ` +
      `${MAX_TEXT_LENGTH}. Split it.`,
    { details: { length, limit: MAX_TEXT_LENGTH } },
  );
}

const whole = (tokens: Int32Array): SegmentedTokens => ({
  tokens,
  ends: Int32Array.of(tokens.length),
});

/**
 * A lower bound of a text's tokens, computed without tokenising it.
 *
 * @param longestToken - Bytes of the vocabulary's longest token; 0: unknown.
 */
export function fewestTokens({ texts, ids }: SegmentedText, longestToken: number): number {
  if (longestToken <= 0) return 0;
  let count = 0;
  for (let i = 0; i < texts.length; i++)
    // A UTF-16 code unit needs at least one byte in UTF-8.
    count += (ids[i] ?? -1) >= 0 ? 1 : Math.ceil((texts[i] as string).length / longestToken);
  return count;
}

/** Tokenises on the calling thread. @throws {R1Error} `TEXT_TOO_LONG`; errors of the addon. */
export function tokenizeNow(native: NativeModel, text: SegmentedText): SegmentedTokens {
  acceptedLength(text.texts);
  return text.special
    ? whole(native.tokenize(text.texts.join(""), true))
    : native.tokenizeSegments([...text.texts], text.ids);
}

/**
 * Tokenises on the calling thread if that takes about a millisecond, otherwise on a native thread.
 *
 * @param isNeeded - Called when a thread is free; false skips work whose result nobody needs.
 * @throws {R1Error} `TEXT_TOO_LONG`; errors of the addon, thrown or as rejections.
 */
export function tokenizeSoon(
  native: NativeModel,
  text: SegmentedText,
  isNeeded: () => boolean = () => true,
): Awaitable<SegmentedTokens> {
  const cost = acceptedLength(text.texts) + SEGMENT_COST * text.texts.length;
  return cost <= SHORT ? tokenizeNow(native, text) : tokenizeInBackground(native, text, isNeeded);
}

/** Tokenises on a native thread. @throws {R1Error} as {@link tokenizeSoon}. */
export function tokenizeInBackground(
  native: NativeModel,
  text: SegmentedText,
  isNeeded: () => boolean = () => true,
): Promise<SegmentedTokens> {
  acceptedLength(text.texts);
  return gate.run(async () => {
    if (!isNeeded()) throw new R1Error("ABORTED", "The tokens are no longer needed.");
    return text.special
      ? whole(await native.tokenizeAsync(text.texts.join(""), true))
      : native.tokenizeSegmentsAsync([...text.texts], text.ids);
  });
}

/** Runs a function that calls the addon; its errors become R1Errors with the stack of this call. */
export function asR1Error<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fromNative(error, new Error());
  }
}
