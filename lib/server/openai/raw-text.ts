// What the routes for raw prompts share: whether a prompt opens the thinking, and the whole text.
import type { ChoiceOutcome } from "../core/events.js";
import { TaggedText } from "../core/reasoning.js";

/** Whether a raw prompt ends in `<think>`, so that the reply begins inside the thinking. */
export function opensThinking(prompt: string | readonly number[] | undefined): boolean {
  return typeof prompt === "string" && /<think>\s*$/.test(prompt);
}

/** Thinking and answer as one text, with the tags that the prompt does not have. */
export function rawText({ reasoning, answer }: ChoiceOutcome, isOpen: boolean): string {
  const tagged = new TaggedText(isOpen);
  const thought = reasoning === "" ? "" : tagged.reasoning(reasoning);
  return answer === "" ? thought : thought + tagged.answer(answer);
}
