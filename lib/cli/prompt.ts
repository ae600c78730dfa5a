// Reads the prompt of a command line: from an argument, a file or standard input. Main thread.
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
 * Returns the prompt from the command line, with escape sequences replaced where requested;
 * undefined if there is none.
 */
export function givenPrompt(settings: Settings): string | undefined {
  const { prompt, file, escapes } = settings;
  if (prompt !== undefined) {
    // A raw prompt may be empty: it is then BOS alone.
    if (prompt === "" && !settings.isRaw)
      throw new R1Error("INVALID_ARGUMENT", "The prompt is empty: -p has no text.");
    return escapes === "none" ? prompt : processEscapes(prompt);
  }
  if (file === undefined) return undefined;
  const text = readText(file);
  if (text === "")
    throw new R1Error("INVALID_ARGUMENT", `The prompt is empty: the file ${file} has no text.`);
  return escapes === "all" ? processEscapes(text) : text;
}

/**
 * Returns the prompt from the command line, or else from standard input.
 *
 * @throws {R1Error} `INVALID_ARGUMENT` if there is none.
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
      `The prompt is empty: standard input had no text. ${WAYS}.`,
    );
  return settings.escapes === "all" ? processEscapes(text) : text;
}
