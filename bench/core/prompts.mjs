// Creates prompts of a given length that no cache contains: common words in a random order. Pure
// functions.
import { between, random } from "./stats.mjs";

// Each of these, with its space in front, is one token of Qwen's vocabulary, so that the length in
// tokens is the same for every driver.
const WORDS = (
  "time people way water day man world life work part place case week company system program question government number night point home room mother area money " +
  "story fact month lot right study book eye job word business issue side kind head house service friend father power hour game line end member law car city " +
  "community name president team minute idea body information back parent face others level office door health person art war history party result change morning " +
  "reason research girl guy moment air teacher force education"
).split(" ");

/** A prompt of `count` tokens, the same for the same seed. */
export function wordsPrompt(count, seed) {
  const next = random(seed);
  return Array.from({ length: count }, () => ` ${WORDS[between(next, 0, WORDS.length - 1)]}`).join(
    "",
  );
}

/**
 * Creates `count` prompts that begin with the same `shared` tokens and continue with `own`
 * different tokens each.
 */
export function sharedPrompts(count, shared, own, seed) {
  const prefix = wordsPrompt(shared, seed);
  return Array.from({ length: count }, (_, i) => prefix + wordsPrompt(own, seed * 1000 + i + 1));
}
