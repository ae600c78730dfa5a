// Detects by rendering what a file's own chat template does: whether it is R1's, and whether it
// opens the reasoning.
import { renderJinja } from "./jinja.js";
import { ROLE_TEXTS } from "./segment.js";

/**
 * Returns a template's output for one user turn and a generation prompt, or undefined if there is
 * no template or it cannot be rendered.
 */
function probe(chatTemplate: string | null): string | undefined {
  if (chatTemplate === null || chatTemplate === "") return undefined;
  try {
    // Templates that can skip reasoning read `enable_thinking`; others ignore it.
    const values = {
      add_generation_prompt: true,
      enable_thinking: true,
      bos_token: ROLE_TEXTS.bos,
      eos_token: ROLE_TEXTS.eos,
    };
    return renderJinja(chatTemplate, { ...values, messages: [{ role: "user", content: "probe" }] });
  } catch {
    return undefined;
  }
}

/**
 * Whether a file's own template ends the generation prompt in `<think>` (newer official templates,
 * February 2025 on), detected by rendering one turn with it.
 *
 * @param chatTemplate - `tokenizer.chat_template` of the file, or null.
 * @returns false also for a missing template, and for one that fails.
 */
export function templateOpensThink(chatTemplate: string | null): boolean {
  return probe(chatTemplate)?.trimEnd().endsWith(ROLE_TEXTS.think) ?? false;
}
