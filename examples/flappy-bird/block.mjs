// Takes the program out of a reply: the last fenced block of Python in its answer, by the rules of
// CommonMark. Drafts in the reasoning do not count.

/** An opening fence: up to three spaces, three or more of one sign, and the language. */
const OPENING = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\s]*)/;

/** Returns the fenced blocks of a text; the last one may be open. */
export function fencedBlocks(text) {
  const blocks = [];
  let open;
  for (const line of text.split(/\r?\n/)) {
    if (open === undefined) {
      const [, fence, language] = OPENING.exec(line) ?? [];
      if (fence !== undefined)
        open = { fence, language: language.toLowerCase(), lines: [], isClosed: false };
      continue;
    }
    const [, closing] = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line) ?? [];
    if (closing?.[0] === open.fence[0] && closing.length >= open.fence.length) {
      blocks.push({ ...open, isClosed: true });
      open = undefined;
    } else open.lines.push(line);
  }
  if (open !== undefined) blocks.push(open);
  return blocks.map(({ language, lines, isClosed }) => ({
    language,
    code: `${lines.join("\n")}\n`,
    isClosed,
  }));
}

/**
 * Returns the program of a reply.
 *
 * @param reply - `answer` and `finishReason` of a generation's result.
 * @throws {Error} if the answer has no block of Python, or its last one is unfinished.
 */
export function pythonBlock({ answer, finishReason }) {
  if (typeof answer !== "string") throw new Error("This is not the result of a generation.");
  const blocks = fencedBlocks(answer).filter(({ language }) =>
    ["python", "python3", "py"].includes(language),
  );
  const last = blocks.at(-1);
  const end = finishReason === "stop" ? "" : ` The reply ended with reason "${finishReason}".`;
  if (last === undefined) throw new Error(`The answer holds no block of Python.${end}`);
  if (!last.isClosed) throw new Error(`The last block of Python is unfinished.${end}`);
  return last.code;
}
