// Renders a file's own Jinja template under a limit of time, since a downloaded file may hold anything. Runs on any JavaScript thread, which it blocks meanwhile.
import { setImmediate } from "node:timers/promises";
import { createContext, Script } from "node:vm";
import * as jinja from "@huggingface/jinja";
import { R1Error } from "../base/errors.js";

/** Longest template that is looked at; real ones are under 20 KB. Unit: UTF-16 code units. */
export const MAX_TEMPLATE_LENGTH = 262_144;

/** Longest a template may take to parse and render; real ones take a few milliseconds. Unit: milliseconds. */
const TIME_LIMIT = 1000;

/** Longest output beside the messages' own length. Unit: UTF-16 code units. */
const MAX_OUTPUT = 16_777_216;

// The script only calls back into our own function: its use is that V8 can end it from outside when the time is up, which nothing else offers for synchronous code.
const call = new Script("work()");

function limited<T>(work: () => T): T {
  return call.runInContext(createContext({ work }), { timeout: TIME_LIMIT }) as T;
}

// One model's template is rendered again and again, and parsing takes as long as rendering.
let last: { readonly source: string; readonly template: jinja.Template } | undefined;

function parsed(source: string): jinja.Template {
  if (last?.source !== source)
    last = { source, template: limited(() => new jinja.Template(source)) };
  return last.template;
}

// The two halves of a template's construction. Their types are imported without a file extension in the package's index.d.ts, which TypeScript's NodeNext cannot follow.
const { tokenize, parse } = jinja as unknown as {
  readonly tokenize: (source: string, options: object) => readonly unknown[];
  readonly parse: (tokens: readonly unknown[]) => object;
};

// What the constructor of `Template` gives tokenize() (src/index.ts of @huggingface/jinja); a test holds the two together.
const WHITESPACE = { lstrip_blocks: true, trim_blocks: true };

/**
 * Parses a template ahead of its rendering, at a moment when it holds nothing up, in two turns of the event loop: 9 and 6 ms of code that never ran before, on a slow machine.
 * What is wrong with it is told by the rendering.
 */
export async function parseJinja(source: string): Promise<void> {
  if (source.length > MAX_TEMPLATE_LENGTH || last?.source === source) return;
  try {
    const tokens = limited(() => tokenize(source, WHITESPACE));
    await setImmediate();
    const program = limited(() => parse(tokens));
    last = { source, template: Object.assign(new jinja.Template(""), { parsed: program }) };
  } catch {
    // renderJinja says so.
  }
}

/**
 * Parses and renders a template.
 *
 * @param source - `tokenizer.chat_template`.
 * @param values - What the template sees.
 * @throws {R1Error} `TEMPLATE_UNSUPPORTED` when it is too long, cannot be parsed, raises an exception of its own, takes longer than a second or writes without end.
 */
export function renderJinja(source: string, values: Record<string, unknown>): string {
  if (source.length > MAX_TEMPLATE_LENGTH) {
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      `The file's chat template has ${source.length} characters, more than the ${MAX_TEMPLATE_LENGTH} that are looked at.`,
    );
  }
  try {
    const template = parsed(source);
    const text = limited(() => template.render(values));
    if (text.length > MAX_OUTPUT) throw new Error(`its output has ${text.length} characters`);
    return text;
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
