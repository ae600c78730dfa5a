// Computes one sample of a row: one attempt of the model, and what came of it. The unit that batch
// runners and queue workers share. Runs on the JavaScript thread.
import { R1Error } from "../base/errors.js";
import type { GenerationResult } from "../base/types.js";
import { GENERATE_OPTION_NAMES } from "../checks.js";
import type { ChatModel } from "../index.js";
import type { BatchRow } from "./row.js";

/** What a sample is computed with. */
export interface SampleSettings {
  /** Options of the run; those of the row go before them. */
  readonly generate: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** 0: no limit. Unit: milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Gets the number of tokens that came. */
  readonly onTokens: (count: number) => void;
}

const forRaw = (options: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).filter(([key]) => GENERATE_OPTION_NAMES.includes(key)),
  );

/**
 * @throws {R1Error} what the generation fails with; `TIMEOUT` when its time is over. Throws
 * `signal.reason` when it is given up.
 */
export async function computeSample(
  model: ChatModel,
  { ask, options, id }: BatchRow,
  { generate, seed, timeoutMs, signal, onTokens }: SampleSettings,
): Promise<GenerationResult> {
  signal.throwIfAborted();
  const own = { ...generate, ...options };
  const rest = { seed, signal, ...(timeoutMs > 0 ? { timeoutMs } : {}) };
  const generation =
    ask.kind === "chat"
      ? model.chat(ask.messages, { ...own, ...rest })
      : model.complete(ask.prompt, { ...forRaw(own), ...rest });
  // Nobody else may see a failure that the loop below throws as well.
  generation.result().catch(() => undefined);
  for await (const part of generation) if ("tokens" in part) onTokens(part.tokens.length);
  const result = await generation.result();
  if (result.finishReason === "aborted")
    throw new R1Error("ABORTED", `The generation of row ${JSON.stringify(id)} was given up.`);
  if (result.finishReason === "timeout")
    throw new R1Error(
      "TIMEOUT",
      `Row ${JSON.stringify(id)} took longer than ${timeoutMs} ms; it had ${result.usage.completionTokens} tokens by then.`,
      { details: { completionTokens: result.usage.completionTokens } },
    );
  return result;
}
