// Compiles the grammars of answers on native threads, each text once however many requests ask for
// it. A request that ends meanwhile leaves the compiling to the others; it takes 10 seconds at
// most.
import type { Awaitable } from "../base/awaitable.js";
import type { NativeGrammar } from "../binding/native-request.js";
import type { NativeModel } from "../binding/native.js";

/** What compiles. */
export type GrammarCompiler = Pick<NativeModel, "knownGrammar" | "compileGrammar">;

const underWay = new WeakMap<GrammarCompiler, Map<string, Promise<NativeGrammar>>>();

/**
 * The grammar of a GBNF text: at once if it was compiled lately, else promised.
 *
 * @throws {R1Error} rejects with `GRAMMAR_INVALID`.
 */
export function compileGrammar(model: GrammarCompiler, text: string): Awaitable<NativeGrammar> {
  const known = model.knownGrammar(text);
  if (known !== null) return known;
  const pending = underWay.get(model) ?? new Map<string, Promise<NativeGrammar>>();
  underWay.set(model, pending);
  let made = pending.get(text);
  if (made === undefined) {
    made = model.compileGrammar(text).finally(() => pending.delete(text));
    pending.set(text, made);
  }
  return made;
}
