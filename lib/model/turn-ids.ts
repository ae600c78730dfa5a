// Remembers the ids of a conversation's last prompt, so that each turn is tokenised once. A
// segment's ids depend only on its own text, so a common beginning of two prompts has the same ids.
import { whenReady } from "../base/awaitable.js";
import type { Awaitable } from "../base/awaitable.js";
import type { SegmentedText, SegmentedTokens } from "../weights/tokenize.js";

/** Concatenates two arrays of ids. */
export function joined(first: Int32Array, second: Int32Array): Int32Array {
  const all = new Int32Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** Number of leading segments that two texts have in common. */
function sharedSegments(a: SegmentedText, b: SegmentedText): number {
  const most = Math.min(a.texts.length, b.texts.length);
  let count = 0;
  while (count < most && a.ids[count] === b.ids[count] && a.texts[count] === b.texts[count])
    count++;
  return count;
}

/** The ids of a conversation's last prompt; each session has its own. */
export class TurnIds {
  #known: { readonly text: SegmentedText; readonly made: SegmentedTokens } | undefined;

  /** Tokenises a prompt of the conversation, except the beginning it shares with the last one. */
  tokenize(
    text: SegmentedText,
    tokenize: (text: SegmentedText) => Awaitable<SegmentedTokens>,
  ): Awaitable<SegmentedTokens> {
    const known = this.#known;
    const shared = known === undefined ? 0 : sharedSegments(known.text, text);
    const rest = { ...text, texts: text.texts.slice(shared), ids: text.ids.slice(shared) };
    return whenReady(tokenize(rest), (fresh) => {
      const made =
        known === undefined || shared === 0 ? fresh : afterFirst(known.made, shared, fresh);
      this.#known = { text, made };
      return made;
    });
  }
}

/** The first `count` segments of one text, then all segments of another. */
function afterFirst(
  { tokens, ends }: SegmentedTokens,
  count: number,
  fresh: SegmentedTokens,
): SegmentedTokens {
  const start = ends[count - 1] ?? 0;
  return {
    tokens: joined(tokens.subarray(0, start), fresh.tokens),
    ends: joined(
      ends.subarray(0, count),
      fresh.ends.map((end) => end + start),
    ),
  };
}
