// Makes a generation's request ready: its prompt's tokens, the ids that close its reasoning, and
// the grammar of its answer. Each is there at once or promised; nothing here waits for the engine.
import { whenReady } from "../base/awaitable.js";
import type { Awaitable } from "../base/awaitable.js";
import { compileGrammar } from "./compile-grammar.js";
import type { GrammarCompiler } from "./compile-grammar.js";
import type { GenerateConfig } from "./engine-options.js";
import type { Prepared, Prompt } from "./request.js";

/**
 * Makes the prompt; what it throws or rejects with ends the generation.
 *
 * @param isNeeded - Whether anybody waits for it still.
 */
export type MakePrompt = (isNeeded: () => boolean) => Awaitable<Prompt>;

/**
 * Prepares a request in the same call where nothing takes long. Text and grammar are worked on side
 * by side.
 *
 * @throws {R1Error} the codes of the three; a promise rejects with them.
 */
export function prepareRequest(
  makePrompt: () => Awaitable<Prompt>,
  config: GenerateConfig,
  closingIds: () => Int32Array,
  compiler: GrammarCompiler,
): Awaitable<Prepared> {
  const closing = closingIds();
  const grammar =
    config.form === undefined
      ? null
      : whenReady(config.form(), (text) => compileGrammar(compiler, text));
  // Nobody listens to it before the prompt is there.
  if (grammar instanceof Promise) grammar.catch(() => undefined);
  return whenReady(makePrompt(), (prompt) =>
    whenReady(grammar, (made) => ({ prompt, closing, grammar: made })),
  );
}
