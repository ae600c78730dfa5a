// What a file's own chat template does, found by rendering it: whether it is R1's and whether it opens the thinking. Runs on any JavaScript thread.
import { Template } from "@huggingface/jinja";
import { ROLE_TEXTS } from "./segment.js";

/** Longest template that is looked at; real ones are under 20 KB. Unit: UTF-16 code units. */
export const MAX_TEMPLATE_LENGTH = 262_144;

/** A template's output for a conversation with a generation prompt, or undefined when the template cannot be parsed or refuses the conversation. */
function probe(chatTemplate: string | null, messages: readonly Record<string, unknown>[]): string | undefined {
  if (chatTemplate === null || chatTemplate === "" || chatTemplate.length > MAX_TEMPLATE_LENGTH) return undefined;
  try {
    // `enable_thinking` is what the skip-thought templates ask for; others do not look at it.
    const values = { messages, add_generation_prompt: true, enable_thinking: true, bos_token: ROLE_TEXTS.bos, eos_token: ROLE_TEXTS.eos };
    return new Template(chatTemplate).render(values);
  } catch {
    return undefined;
  }
}

/**
 * Whether a file's own template ends the generation prompt in `<think>` (newer official templates, February 2025 on), told by rendering one turn with it.
 *
 * @param chatTemplate - `tokenizer.chat_template` of the file, or null.
 * @returns false also for a missing template, and for one that fails.
 */
export function templateOpensThink(chatTemplate: string | null): boolean {
  const text = probe(chatTemplate, [{ role: "user", content: "x" }]);
  return text !== undefined && text.trimEnd().endsWith(ROLE_TEXTS.think);
}

/**
 * Whether a file's own template writes R1's format: one user turn comes out as `<｜User｜>` text, then `<｜Assistant｜>`, told by rendering it.
 *
 * @param chatTemplate - `tokenizer.chat_template` of the file, or null.
 */
export function isR1Template(chatTemplate: string | null): boolean {
  const text = probe(chatTemplate, [{ role: "user", content: "probe" }]);
  return text !== undefined && text.includes(`${ROLE_TEXTS.user}probe`) && text.includes(ROLE_TEXTS.assistant);
}
