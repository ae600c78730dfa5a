// Locates reasoning tags in ids and in text.

/**
 * Whether a prompt of token ids ends inside a reasoning block: its last tag or turn mark is an
 * opening tag. A block that an earlier turn left open ended with that turn.
 *
 * @param think - Id of `<think>`, -1 if the vocabulary has none: then the result is false.
 * @param endThink - Id of `</think>`.
 * @param turns - Ids that begin or end a turn.
 */
export function endsInReasoning(
  tokens: Int32Array,
  think: number,
  endThink: number,
  turns: ReadonlySet<number> = NO_TURNS,
): boolean {
  if (think < 0) return false;
  for (let i = tokens.length - 1; i >= 0; i--) {
    const token = tokens[i] as number;
    if (token === think) return true;
    if (token === endThink || turns.has(token)) return false;
  }
  return false;
}

const NO_TURNS: ReadonlySet<number> = new Set();

/** Length of the longest suffix of `text` that is a proper prefix of `tag`. */
export function partialTagLength(text: string, tag: string): number {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length--)
    if (text.endsWith(tag.slice(0, length))) return length;
  return 0;
}

/** Number of line-break characters at the end of a text. */
export function trailingLineBreaks(text: string): number {
  let length = 0;
  while (
    length < text.length &&
    (text[text.length - 1 - length] === "\n" || text[text.length - 1 - length] === "\r")
  )
    length++;
  return length;
}
