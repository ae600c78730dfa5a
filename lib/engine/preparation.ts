// Prepares a generation's request: the tokens of its prompt, the ids that close its reasoning, and
// the grammar of its answer. Each is ready or a promise; nothing here waits for the engine.
import { whenReady } from "../base/awaitable.js";
import type { Awaitable } from "../base/awaitable.js";
import { compileGrammar } from "./compile-grammar.js";
import type { GrammarCompiler } from "./compile-grammar.js";
import type { GenerateConfig } from "./engine-options.js";
import type { Prepared, Prompt } from "./request.js";

/**
 * Makes the prompt; an error or a rejection ends the generation.
 *
 * @param isNeeded - Returns whether the prompt is still needed.
 */
export type MakePrompt = (isNeeded: () => boolean) => Awaitable<Prompt>;

/**
 * Prepares a request, synchronously if nothing takes long. Text and grammar are prepared in
 * parallel.
 *
 * @throws {R1Error} the codes of the three steps; a promise rejects with them.
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
  // Nobody awaits it until the prompt is ready.
  if (grammar instanceof Promise) grammar.catch(() => undefined);
  return whenReady(makePrompt(), (prompt) =>
    whenReady(grammar, (made) => ({ prompt, closing, grammar: made })),
  );
}
