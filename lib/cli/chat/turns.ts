// Reads turns of a conversation out of lines: several lines may be one turn. Main thread.
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { LineSource } from "./lines.js";

/** A pipe: its lines in order, without prompts. */
export function pipeLines(input: Readable): LineSource {
  const reader = createInterface({ input, crlfDelay: Infinity });
  const lines = reader[Symbol.asyncIterator]();
  return {
    next: async () => {
      const line = await lines.next();
      return line.done === true ? undefined : line.value;
    },
    onIdleTab: undefined,
    away: (work) => work(),
    stop: () => reader.close(),
    close: () => {
      reader.close();
      // An open pipe would keep the program alive.
      input.destroy();
    },
  };
}

/** Starts and ends a text of several lines. */
const QUOTES = '"""';

/**
 * Reads one turn: a line that ends in a backslash is joined with the next one, like in llama.cpp's
 * interactive mode, and a text between two `"""` is one turn. Ctrl-C drops what was typed; pressed
 * twice with nothing typed in between, it ends the input.
 *
 * @param onInterrupt - Called for a Ctrl-C with nothing typed: the next one ends the input.
 */
export async function readTurn(
  lines: LineSource,
  prompt: string,
  onInterrupt: () => void,
): Promise<string | undefined> {
  const turn: string[] = [];
  let isQuoted = false;
  let isSecond = false;
  /** Ctrl-C drops the earlier lines together with the one being typed. */
  const drop = (typed: string): string | undefined => {
    const isEmpty = typed === "" && turn.length === 0 && !isQuoted;
    if (isEmpty && isSecond) return undefined;
    isSecond = isEmpty;
    turn.length = 0;
    isQuoted = false;
    if (isEmpty) onInterrupt();
    return prompt;
  };
  for (;;) {
    const line = await lines.next(turn.length === 0 && !isQuoted ? prompt : "… ", drop);
    isSecond = false;
    if (line === undefined) return turn.length === 0 ? undefined : turn.join("\n");
    const isOpening = turn.length === 0 && !isQuoted && line.startsWith(QUOTES);
    const text = isOpening ? line.slice(QUOTES.length) : line;
    if (isOpening) isQuoted = true;
    const ends = isQuoted ? text.trimEnd().endsWith(QUOTES) : !text.endsWith("\\");
    const kept = isQuoted
      ? ends
        ? text.trimEnd().slice(0, -QUOTES.length)
        : text
      : ends
        ? text
        : text.slice(0, -1);
    // Lines that hold only the quotes are not part of the text.
    if (!(isQuoted && (isOpening || ends) && kept === "")) turn.push(kept);
    if (ends) return turn.join("\n");
  }
}
