// Shows one reply of a conversation: the thinking, the answer, and a line about both. Main thread.
import pc from "picocolors";
import type { Generation, GenerationResult, ModelInfo, Part } from "../../index.js";
import { renderParts, timingsLine, wantsColor, write } from "../render.js";
import type { Settings } from "../settings.js";
import { forTerminal } from "../wrap.js";
import { ThinkingView } from "./thinking-view.js";

/** Share of the context from which the user is shown how full it is. */
const NEARLY_FULL = 0.8;

/** How replies are shown. */
export interface ReplyView {
  readonly info: ModelInfo;
  readonly settings: Settings;
  /** A person reads it and types: the thinking is folded, and a line about the reply follows. */
  readonly isTerminal: boolean;
}

/** Writes a note that is not part of the reply. */
const note = (text: string): void => void process.stderr.write(forTerminal(text, process.stderr));

/** Describes the thinking that was folded. */
function foldedText(tokens: number, milliseconds: number): string {
  const seconds = (milliseconds / 1000).toFixed(1);
  return `[thought for ${seconds} s, ${tokens} tokens; /show reasoning shows it]`;
}

/** Shows the reasoning parts in a view of their own, and passes the others on. */
async function* folding(
  parts: AsyncIterable<Part>,
  dim: (text: string) => string,
): AsyncGenerator<Part> {
  let view: ThinkingView | undefined;
  let tokens = 0;
  let startedAt = 0;
  const fold = (): void => {
    view?.fold(foldedText(tokens, Date.now() - startedAt));
    view = undefined;
  };
  try {
    for await (const part of parts)
      if (part.type === "reasoning-start") {
        startedAt = Date.now();
        view = new ThinkingView(process.stdout, dim, "Thinking (Tab: answer now)");
      } else if (part.type === "reasoning-delta") {
        tokens += part.tokens.length;
        view?.add(part.text);
      } else if (part.type === "reasoning-end") fold();
      else yield part;
  } finally {
    // The reply ended within the thinking.
    fold();
  }
}

/** A line about the reply, dimmed: how full the context is, and how fast the reply was. */
function speedLine({ usage, timings }: GenerationResult, { info, settings }: ReplyView): string {
  const { dim } = pc.createColors(wantsColor(settings.color, process.stderr, process.env));
  const used = usage.promptTokens + usage.completionTokens;
  return dim(
    `${used}/${info.sequenceContextSize} tokens of context, ` +
      `${timings.tokensPerSecond.toFixed(1)} tokens/s`,
  );
}

/** Shows a reply until it ends. @returns Its result. */
export async function showReply(
  generation: Generation,
  view: ReplyView,
): Promise<GenerationResult> {
  const { info, settings, isTerminal } = view;
  const isColored = wantsColor(settings.color, process.stdout, process.env);
  const folds =
    isTerminal &&
    !settings.showsReasoning &&
    !settings.hidesReasoning &&
    process.env["TERM"] !== "dumb";
  const parts = folds ? folding(generation, pc.createColors(isColored).dim) : generation;
  const style = { isColored, hidesReasoning: settings.hidesReasoning, isTerminal };
  const isWhole = await renderParts(parts, process.stdout, style);
  await write(process.stdout, isWhole ? "\n" : "\n\n");
  const result = await generation.result();
  if (settings.timings === true) note(`${timingsLine(result, info)}\n\n`);
  const used = result.usage.promptTokens + result.usage.completionTokens;
  const room = info.sequenceContextSize;
  if (used > room * NEARLY_FULL && result.finishReason !== "length")
    note(
      `(${used} of ${room} tokens of the context are used. /reset starts again; a larger ` +
        "--ctx-size gives more room.)\n\n",
    );
  else if (isTerminal && settings.timings === undefined) note(`${speedLine(result, view)}\n\n`);
  if (result.finishReason === "length")
    note("(The reply ended because --n-predict or the context is used up.)\n\n");
  return result;
}
