// Tokenises prompts: short ones on the JavaScript thread, long ones on a native thread. Decides
// which, and refuses what is too long before any work. Native failures pass as they are: the public
// calls turn them into R1Errors with their own stacks.
import { availableParallelism } from "node:os";
import type { Awaitable } from "../base/awaitable.js";
import { R1Error, fromNative } from "../base/errors.js";
import { Gate } from "../base/gate.js";
import type { NativeModel } from "../binding/native.js";

/**
 * Texts and special tokens in order: entry i is the token `ids[i]` if that is >= 0, else
 * `texts[i]`.
 */
export interface SegmentedText {
  readonly texts: readonly string[];
  readonly ids: Int32Array;
  /** Special strings in the texts become their tokens, as in a raw prompt. */
  readonly special: boolean;
}

/** Ids, and the number of ids after each segment. */
export interface SegmentedTokens {
  readonly tokens: Int32Array;
  readonly ends: Int32Array;
}

/** Longest text that one call tokenises, all its segments together. Unit: UTF-16 code units. */
const MAX_TEXT_LENGTH = 2 ** 26;

/** Up to this cost a text is tokenised on the calling thread, in about a millisecond. */
const SHORT = 8192;
/** What a segment costs beside its text, in code units. */
const SEGMENT_COST = 32;

/** Each long text takes a native thread of its own; more than these wait. */
const gate = new Gate(Math.max(2, Math.min(4, availableParallelism() >> 1)));

/** @throws {R1Error} `TEXT_TOO_LONG` above {@link MAX_TEXT_LENGTH}. */
function acceptedLength(texts: readonly string[]): number {
  let length = 0;
  for (const text of texts) length += text.length;
  if (length <= MAX_TEXT_LENGTH) return length;
  throw new R1Error(
    "TEXT_TOO_LONG",
    `The text has ${length} UTF-16 code units, and one call tokenises at most ` +
      `${MAX_TEXT_LENGTH}. Split it.`,
    { details: { length, limit: MAX_TEXT_LENGTH } },
  );
}

const whole = (tokens: Int32Array): SegmentedTokens => ({
  tokens,
  ends: Int32Array.of(tokens.length),
});

/**
 * Fewest tokens that a text can have, found without tokenising it.
 *
 * @param longestToken - Bytes of the vocabulary's longest token; 0: unknown.
 */
export function fewestTokens({ texts, ids }: SegmentedText, longestToken: number): number {
  if (longestToken <= 0) return 0;
  let count = 0;
  for (let i = 0; i < texts.length; i++)
    // A UTF-16 code unit takes at least one byte in UTF-8.
    count += (ids[i] ?? -1) >= 0 ? 1 : Math.ceil((texts[i] as string).length / longestToken);
  return count;
}

/** Tokenises on the calling thread. @throws {R1Error} `TEXT_TOO_LONG`; what the addon throws. */
export function tokenizeNow(native: NativeModel, text: SegmentedText): SegmentedTokens {
  acceptedLength(text.texts);
  return text.special
    ? whole(native.tokenize(text.texts.join(""), true))
    : native.tokenizeSegments([...text.texts], text.ids);
}

/**
 * Tokenises at once where that takes about a millisecond, else on a native thread.
 *
 * @param isNeeded - Asked when a thread is free: work that nobody waits for any more is left out.
 * @throws {R1Error} `TEXT_TOO_LONG`; what the addon throws or rejects with.
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
    if (!isNeeded()) throw new R1Error("ABORTED", "Nobody waits for these tokens any more.");
    return text.special
      ? whole(await native.tokenizeAsync(text.texts.join(""), true))
      : native.tokenizeSegmentsAsync([...text.texts], text.ids);
  });
}

/** Runs what calls the addon; its failures become R1Errors with the stack of this call. */
export function asR1Error<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fromNative(error, new Error());
  }
}
