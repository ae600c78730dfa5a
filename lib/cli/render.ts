// Writes a generation to the terminal or a pipe as it comes: reasoning dimmed between its tags,
// then the answer; main thread.
import { once } from "node:events";
import type { Writable } from "node:stream";
import pc from "picocolors";
import type { GenerationResult, ModelInfo, Part } from "../index.js";
import { placeText } from "./banner.js";
import { bytesText } from "./file-work.js";

/** How a reply is shown. */
export interface RenderStyle {
  /** Dim the reasoning with terminal codes. */
  readonly isColored: boolean;
  /** Leave the reasoning out. */
  readonly hidesReasoning: boolean;
}

/**
 * Whether terminal codes go to a stream: `--color`, then NO_COLOR and FORCE_COLOR, then whether it
 * is a terminal.
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

/** Writes a text and waits while the reader is slower than the model. */
export async function write(stream: Writable, text: string): Promise<void> {
  if (text !== "" && !stream.write(text)) await once(stream, "drain");
}

/**
 * Shows parts as text. The reasoning stands between `<think>` and `</think>` as R1 writes it, so
 * that it can be told from the answer also in a pipe.
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
    await write(stream, isReasoning ? dim(text) : text);
  };
  // Held back until what follows shows whether the model wrote it: a thought that was cut short has
  // no end.
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

/** Writes each part as one line of JSON. */
export async function renderJsonLines(parts: AsyncIterable<Part>, stream: Writable): Promise<void> {
  for await (const part of parts) await write(stream, `${JSON.stringify(part)}\n`);
}

/** The whole result as JSON; token ids are an array of numbers. */
export function resultJson(result: GenerationResult): string {
  return `${JSON.stringify({ ...result, tokens: Array.from(result.tokens) })}\n`;
}

/** One line of what a generation took. */
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
