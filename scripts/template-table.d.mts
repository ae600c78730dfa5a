// Types of the table's writer, for the test that checks docs/reference/template.md against it.
import type { ChatMessage } from "../lib/base/types.js";
import type { renderChat } from "../lib/template/r1.js";
import type { segmentsToText } from "../lib/template/segment.js";
import type { pythonJson } from "../lib/template/json-text.js";

export interface Reference {
  key: "llama" | "qwen" | "own";
  title: string;
  file: string;
  textArguments: boolean;
}
export interface Functions {
  renderChat: typeof renderChat;
  segmentsToText: typeof segmentsToText;
  pythonJson: typeof pythonJson;
}
export const REFERENCES: readonly Reference[];
export const DIFFERENCES: readonly {
  letter: string;
  of: string[];
  touches(messages: readonly ChatMessage[]): boolean;
  reference: string;
  ours: string;
}[];
export function renderReference(
  reference: Reference,
  messages: readonly ChatMessage[],
  json: typeof pythonJson,
  values?: Record<string, unknown>,
): string;
export function lettersFor(reference: Reference, messages: readonly ChatMessage[]): string[];
export function makeTable(functions: Functions): string;
export function makeDifferences(): string;
export function withTable(document: string, functions: Functions): string;
