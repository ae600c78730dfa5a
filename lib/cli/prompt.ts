// The prompt of a command line: from an argument, a file or standard input. Main thread.
import { R1Error } from "../base/errors.js";
import { processEscapes } from "./escapes.js";
import { readText } from "./flag-values.js";
import type { Settings } from "./settings.js";

const WAYS = 'Give one in quotes, as in r1-native "What is 1+1?", with -p or -f, or through a pipe';

async function readPipe(): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  return Buffer.concat(pieces)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

/**
 * The prompt that the command line gives, with escape sequences replaced where they are to be;
 * undefined when it gives none.
 */
export function givenPrompt(settings: Settings): string | undefined {
  const { prompt, file, escapes } = settings;
  if (prompt !== undefined) {
    // A raw prompt may be empty: it is BOS alone.
    if (prompt === "" && !settings.isRaw)
      throw new R1Error("INVALID_ARGUMENT", "The prompt is empty: -p was given no text.");
    return escapes === "none" ? prompt : processEscapes(prompt);
  }
  if (file === undefined) return undefined;
  const text = readText(file);
  if (text === "")
    throw new R1Error("INVALID_ARGUMENT", `The prompt is empty: the file ${file} held no text.`);
  return escapes === "all" ? processEscapes(text) : text;
}

/**
 * The prompt of the command line, else that of standard input.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` when there is none.
 */
export async function readPrompt(settings: Settings): Promise<string> {
  const given = givenPrompt(settings);
  if (given !== undefined) return given;
  if (process.stdin.isTTY)
    throw new R1Error(
      "INVALID_ARGUMENT",
      `There is no prompt. ${WAYS}, or use \`r1-native chat\` for a conversation.`,
    );
  const text = await readPipe();
  if (text === "")
    throw new R1Error(
      "INVALID_ARGUMENT",
      `The prompt is empty: standard input held no text. ${WAYS}.`,
    );
  return settings.escapes === "all" ? processEscapes(text) : text;
}
