// Parses and renders a file's own Jinja template with limits on time and memory, because a
// downloaded file may contain anything. Synchronous: an ordinary template takes less than a
// millisecond.
import { setImmediate } from "node:timers/promises";
import * as jinja from "@huggingface/jinja";
import { R1Error } from "../base/errors.js";
import { prepareProgram, renderProgram, TemplateBudgetError } from "./jinja-budget.js";
import type { Program } from "./jinja-budget.js";

/** Maximum length of a template; real ones are under 20 KB. Unit: UTF-16 code units. */
const MAX_TEMPLATE_LENGTH = 49_152;

/**
 * Maximum number of words and signs of a template, including its own text: lexing and parsing take
 * a few microseconds for each. The largest in llama.cpp's collection has 5,000.
 */
const MAX_WORDS = 12_000;

/**
 * The lexer's time grows with the square of a run of white space. This limits the sum of these
 * squares; a template with a thousand lines indented by 40 has 1.6 million.
 */
const MAX_WHITESPACE = 4_000_000;

/**
 * Units of work (jinja-budget.ts), a few million of which take a second: per template, per message,
 * per pair of messages (some templates go through all messages for each one), per character of what
 * is rendered, and the maximum. The templates in llama.cpp's collection use less than half of that.
 */
const WORK = 20_000;
const WORK_PER_MESSAGE = 800;
const WORK_PER_PAIR = 40;
const WORK_PER_CHARACTER = 1;
const MAX_WORK = 1_500_000;

function workFor(values: Readonly<Record<string, unknown>>): number {
  const { messages } = values;
  const count = Array.isArray(messages) ? messages.length : 0;
  const work =
    WORK +
    (WORK_PER_MESSAGE + WORK_PER_PAIR * count) * count +
    WORK_PER_CHARACTER * extentOf(values);
  return Math.min(MAX_WORK, work);
}

/** Number of parsed templates in the cache. */
const KEPT = 8;

/** By source, the most recently used last. */
const programs = new Map<string, Program>();

// The two halves of a template's construction. The package's index.d.ts imports their types without
// a file extension, which TypeScript's NodeNext cannot resolve.
const { tokenize, parse } = jinja as unknown as {
  readonly tokenize: (source: string, options: object) => readonly unknown[];
  readonly parse: (tokens: readonly unknown[]) => object;
};

// The options that the constructor of `Template` passes to tokenize() (src/index.ts of
// @huggingface/jinja); a test compares the two.
const WHITESPACE = { lstrip_blocks: true, trim_blocks: true };

function refuseLong(source: string): void {
  if (source.length > MAX_TEMPLATE_LENGTH)
    throw new TemplateBudgetError(
      `it has ${source.length} characters, but the limit is ${MAX_TEMPLATE_LENGTH}`,
    );
  let words = 0;
  for (const _ of source.matchAll(/\w+|[^\w\s]/g)) words++;
  if (words > MAX_WORDS)
    throw new TemplateBudgetError(`it has more than ${MAX_WORDS} words and signs`);
  let squares = 0;
  for (const [run] of source.matchAll(/\s{64,}/g)) squares += run.length ** 2;
  if (squares > MAX_WHITESPACE) throw new TemplateBudgetError("it is mostly white space");
}

function keep(source: string, program: Program): Program {
  programs.delete(source);
  programs.set(source, program);
  for (const oldest of programs.keys()) {
    if (programs.size <= KEPT) break;
    programs.delete(oldest);
  }
  return program;
}

function parsed(source: string): Program {
  const known = programs.get(source);
  if (known !== undefined) return keep(source, known);
  refuseLong(source);
  return keep(source, prepareProgram(parse(tokenize(source, WHITESPACE))));
}

/**
 * Parses a template before it is rendered, in separate turns of the event loop: on a slow machine
 * these are 9 and 6 ms of code that has never run before. Rendering reports any errors.
 */
export async function parseJinja(source: string): Promise<void> {
  if (programs.has(source)) return;
  try {
    refuseLong(source);
    const tokens = tokenize(source, WHITESPACE);
    await setImmediate();
    const tree = parse(tokens);
    await setImmediate();
    keep(source, prepareProgram(tree));
  } catch {
    // renderJinja reports it.
  }
}

/** Counts the characters and elements of a template's input. */
function extentOf(value: unknown): number {
  let size = 0;
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    size += typeof next === "string" ? 1 + next.length : 1;
    if (typeof next === "object" && next !== null)
      waiting.push(...(Object.values(next) as unknown[]));
  }
  return size;
}

/**
 * Parses and renders a template. Its work limit grows with the number of messages and the length of
 * the values.
 *
 * @param source - `tokenizer.chat_template`.
 * @param values - The variables of the template.
 * @throws {R1Error} `TEMPLATE_UNSUPPORTED` when it is too long, cannot be parsed, raises an
 * exception of its own, or does more work than its values justify.
 */
export function renderJinja(source: string, values: Record<string, unknown>): string {
  try {
    return renderProgram(parsed(source), values, workFor(values));
  } catch (error) {
    const reason =
      error instanceof Error || (typeof error === "object" && error !== null && "message" in error)
        ? String(error.message)
        : String(error);
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      `Cannot render the file's own chat template: ${reason}. Use \`template: "r1"\` if the ` +
        "model uses R1's format, or `complete()` with a prompt of your own.",
      { cause: error },
    );
  }
}
