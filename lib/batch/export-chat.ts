// Records as conversations for fine-tuning. Pure; any JavaScript thread.
import type { BatchRecord } from "./record.js";

/** Whether the reasoning stands before the answer, in R1's tags, or is left out. */
export type ChatExport = "reasoning" | "answer";

/** A conversation that ends in the record's answer; undefined for a raw prompt's,
 * and for one whose question its record does not hold. */
export function chatOf(record: BatchRecord, kind: ChatExport): object | undefined {
  const { prompt, messages, reasoning, answer } = record;
  if (record.raw === true) return undefined;
  const asked =
    messages ?? (prompt === undefined ? undefined : [{ role: "user", content: prompt }]);
  if (asked === undefined) return undefined;
  const content =
    kind === "reasoning" && reasoning !== ""
      ? `<think>\n${reasoning}\n</think>\n\n${answer}`
      : answer;
  return { messages: [...asked, { role: "assistant", content }] };
}
