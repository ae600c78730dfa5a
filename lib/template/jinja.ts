// Parses and renders a file's own Jinja template, bounded in time and memory, since a downloaded
// file may hold anything. Synchronous: an ordinary template takes less than a millisecond.
import { setImmediate } from "node:timers/promises";
import * as jinja from "@huggingface/jinja";
import { R1Error } from "../base/errors.js";
import { prepareProgram, renderProgram, TemplateBudgetError } from "./jinja-budget.js";
import type { Program } from "./jinja-budget.js";

/** Longest template that is looked at; real ones are under 20 KB. Unit: UTF-16 code units. */
const MAX_TEMPLATE_LENGTH = 49_152;

/** Most words and signs of a template, its own text included: lexing and parsing take some
 * microseconds for each. The largest of llama.cpp's collection has 5,000. */
const MAX_WORDS = 12_000;

/**
 * The lexer's time grows with the square of a run of white space. Bound of the sum of these
 * squares; a template with a thousand lines indented by 40 has 1.6 million.
 */
const MAX_WHITESPACE = 4_000_000;

/**
 * Units of work (jinja-budget.ts), some million of which take a second: for a template at all, for
 * each message, for each pair of messages (some templates look through all of them for each), for
 * each character of what is rendered, and at most. The templates of llama.cpp's collection take
 * less than half of that.
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

/** Parsed templates that are kept. */
const KEPT = 8;

/** By source, the one used last at the end. */
const programs = new Map<string, Program>();

// The two halves of a template's construction. Their types are imported without a file extension in
// the package's index.d.ts, which TypeScript's NodeNext cannot follow.
const { tokenize, parse } = jinja as unknown as {
  readonly tokenize: (source: string, options: object) => readonly unknown[];
  readonly parse: (tokens: readonly unknown[]) => object;
};

// What the constructor of `Template` gives tokenize() (src/index.ts of @huggingface/jinja); a test
// holds the two together.
const WHITESPACE = { lstrip_blocks: true, trim_blocks: true };

function refuseLong(source: string): void {
  if (source.length > MAX_TEMPLATE_LENGTH)
    throw new TemplateBudgetError(
      `it has ${source.length} characters, more than the ${MAX_TEMPLATE_LENGTH} that are looked at`,
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
 * Parses a template ahead of its rendering, in turns of the event loop of its own: on a slow
 * machine these are 9 and 6 ms of code that never ran before. The rendering reports what is wrong
 * with it.
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
    // renderJinja says so.
  }
}

/** Characters and elements of what a template is given, counted to a bound. */
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
 * Parses and renders a template. The work it may do grows with the number of messages and the
 * length of the values.
 *
 * @param source - `tokenizer.chat_template`.
 * @param values - What the template sees.
 * @throws {R1Error} `TEMPLATE_UNSUPPORTED` when it is too long, cannot be parsed, raises an
 * exception of its own, or does more work than its values give reason to.
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
      `The file's own chat template could not be rendered: ${reason}. Use \`template: "r1"\` if the model speaks R1's format, or \`complete()\` with a prompt of your own.`,
      { cause: error },
    );
  }
}
