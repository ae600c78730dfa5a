// Writes a generation to a terminal or pipe while it runs: the reasoning, dimmed, between its tags,
// then the answer. Main thread.
import { once } from "node:events";
import type { Writable } from "node:stream";
import pc from "picocolors";
import type { GenerationResult, ModelInfo, Part } from "../index.js";
import { placeText } from "./banner.js";
import { bytesText } from "./file-work.js";
import { reportText, schemaOf } from "./report-json.js";
import { safeJson, safeText } from "./safe-text.js";

/** How to show a reply. */
export interface RenderStyle {
  /** Dims the reasoning with terminal codes. */
  readonly isColored: boolean;
  /** Omits the reasoning. */
  readonly hidesReasoning: boolean;
  /** Shows control characters as signs; a pipe gets them as they are. */
  readonly isTerminal: boolean;
}

/**
 * Decides whether to write terminal codes to a stream: checks `--color`, then NO_COLOR and
 * FORCE_COLOR, then whether it is a terminal.
 */
export function wantsColor(
  choice: "on" | "off" | "auto",
  stream: { isTTY?: boolean },
  env: NodeJS.ProcessEnv,
): boolean {
  if (choice !== "auto") return choice === "on";
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  if ((env["FORCE_COLOR"] ?? "0") !== "0") return true;
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** Writes a text and waits while the stream's reader is slower than the model. */
export async function write(stream: Writable, text: string): Promise<void> {
  if (text !== "" && !stream.write(text)) await once(stream, "drain");
}

/**
 * Shows parts as text. Puts the reasoning between `<think>` and `</think>` as R1 writes it, so that
 * a reader of a pipe can separate it from the answer.
 *
 * @returns Whether the text ended in a line break.
 */
export async function renderParts(
  parts: AsyncIterable<Part>,
  stream: Writable,
  style: RenderStyle,
): Promise<boolean> {
  const { dim } = pc.createColors(style.isColored);
  let last = "\n";
  const show = async (text: string, isReasoning: boolean): Promise<void> => {
    if (text === "" || (isReasoning && style.hidesReasoning)) return;
    last = text;
    const safe = style.isTerminal ? safeText(text) : text;
    await write(stream, isReasoning ? dim(safe) : safe);
  };
  // Held back until the next part shows whether the model wrote it: a truncated thought has no end
  // tag.
  let isThoughtOver = false;
  for await (const part of parts) {
    if (isThoughtOver && (part.type !== "finish" || part.finishReason === "stop"))
      await show("\n</think>\n\n", true);
    isThoughtOver = part.type === "reasoning-end";
    switch (part.type) {
      case "reasoning-start":
        await show("<think>\n", true);
        break;
      case "reasoning-delta":
        await show(part.text, true);
        break;
      case "answer-delta":
        await show(part.text, false);
        break;
      case "tool-call":
        await show(`${JSON.stringify(part.call)}\n`, false);
        break;
      case "tool-call-error":
        await show(part.text, false);
        break;
      default:
        break;
    }
  }
  return last.endsWith("\n");
}

/** Writes each part as one line of JSON; the first line names the schema too. */
export async function renderJsonLines(parts: AsyncIterable<Part>, stream: Writable): Promise<void> {
  let schema: { readonly schema?: string } = { schema: schemaOf("result-stream") };
  for await (const part of parts) {
    await write(stream, `${safeJson({ ...schema, ...part })}\n`);
    schema = {};
  }
}

/** Returns the whole result as JSON; token ids are an array of numbers. */
export function resultJson(result: GenerationResult): string {
  return reportText("result", result, 0);
}

/** Formats the timings of a generation in one line. */
export function timingsLine(
  { usage, timings, finishReason }: GenerationResult,
  info: ModelInfo,
): string {
  const cached = usage.cachedTokens > 0 ? ` (${usage.cachedTokens} cached)` : "";
  return [
    placeText(info),
    `prompt ${usage.promptTokens} tokens${cached}, ${timings.promptTokensPerSecond.toFixed(1)}/s`,
    `reply ${usage.completionTokens} tokens, ${timings.tokensPerSecond.toFixed(1)}/s`,
    `first token ${timings.firstTokenMs.toFixed(0)} ms`,
    `${info.cache.typeK} cache ${bytesText(info.cache.bytes)}`,
    finishReason,
  ].join(" | ");
}
