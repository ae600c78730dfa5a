// Compiles the grammars of answers on native threads, once per text even if several requests need
// it. A request that ends early leaves the compilation to the others. Compiling takes at most 10
// seconds.
import type { Awaitable } from "../base/awaitable.js";
import type { NativeGrammar } from "../binding/native-request.js";
import type { NativeModel } from "../binding/native.js";

/** The native object that compiles. */
export type GrammarCompiler = Pick<NativeModel, "knownGrammar" | "compileGrammar">;

const underWay = new WeakMap<GrammarCompiler, Map<string, Promise<NativeGrammar>>>();

/**
 * Returns the grammar of a GBNF text: at once if it was compiled recently, otherwise as a promise.
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
