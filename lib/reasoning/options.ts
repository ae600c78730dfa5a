// The option `reasoning`, which sets how much the model reasons: checks it and fills in the
// defaults.
import { integer, knownKeys, object, oneOf, refuse, string } from "../base/check.js";
import { R1Error } from "../base/errors.js";

/**
 * Token budgets of the efforts; undefined: no limit. R1 itself has no efforts: these are budgets
 * under the names that other interfaces use.
 */
export const EFFORTS = Object.freeze({ low: 1024, medium: 8192, high: undefined } as const);

/** A named budget. */
export type ReasoningEffort = keyof typeof EFFORTS;

/** The text that is inserted as the model's own thought when the budget is used up. */
export const DEFAULT_CLOSING = "\n\nI have thought enough; here is the answer.\n";

/** How much the model reasons. */
export interface ReasoningOptions {
  /**
   * `auto`: as in the file's own template. `forced`: the prompt opens `<think>`, so that reasoning
   * cannot be skipped. `off`: the prompt opens and closes it, so that the model answers at once.
   * After tool outputs the prompt never opens it, as in the official templates. @defaultValue
   * "auto"
   */
  readonly mode?: "auto" | "forced" | "off" | undefined;
  /**
   * A named budget: low 1024, medium 8192 tokens, high no limit; `maxTokens` takes precedence.
   * @defaultValue none
   */
  readonly effort?: ReasoningEffort | undefined;
  /**
   * Maximum tokens of reasoning. When they are used up, `closing` and `</think>` are fed as if the
   * model had written them, and the answer follows. Range: 0..2^31-1.
   * @defaultValue no limit
   */
  readonly maxTokens?: number | undefined;
  /**
   * The closing line, plain text of at most 1000 characters; may be empty.
   * @defaultValue {@link DEFAULT_CLOSING}
   */
  readonly closing?: string | undefined;
}

/** The result of {@link normalizeReasoning}. */
export interface ReasoningConfig {
  readonly mode: "auto" | "forced" | "off";
  /** Maximum reasoning tokens; -1: no limit. */
  readonly budget: number;
  /** Text fed before `</think>` when the budget is used up. */
  readonly closing: string;
}

/**
 * Checks the option `reasoning` and fills in the defaults.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`.
 */
export function normalizeReasoning(value: unknown, path = "reasoning"): ReasoningConfig {
  const options = value === undefined ? {} : object(value, path);
  knownKeys(options, path, ["mode", "effort", "maxTokens", "closing"]);
  const { maxTokens, effort, closing } = options;
  const mode =
    options["mode"] === undefined
      ? "auto"
      : oneOf(options["mode"], `${path}.mode`, ["auto", "forced", "off"]);
  const named =
    effort === undefined
      ? undefined
      : EFFORTS[oneOf(effort, `${path}.effort`, Object.keys(EFFORTS) as ReasoningEffort[])];
  const budget =
    maxTokens === undefined
      ? (named ?? -1)
      : integer(maxTokens, `${path}.maxTokens`, 0, 2 ** 31 - 1);
  const line = closing === undefined ? DEFAULT_CLOSING : string(closing, `${path}.closing`, true);
  if (line.length > 1000 || /\p{Surrogate}/u.test(line))
    refuse(`${path}.closing`, "whole characters, at most 1000", closing);
  if (mode === "off" && (maxTokens !== undefined || effort !== undefined))
    refuse(path, 'no budget with mode "off", which has no reasoning', value);
  return Object.freeze({ mode, budget, closing: line });
}

/**
 * Returns the ids that close the reasoning: the closing line as plain text, then `</think>`.
 *
 * @param endThink - Id of `</think>`.
 * @param tokenize - Safe tokenisation that leaves special strings as text.
 * @returns An empty array when the vocabulary has no `</think>`.
 */
export function closingTokens(
  config: ReasoningConfig,
  endThink: number,
  tokenize: (text: string) => Int32Array,
): Int32Array {
  if (endThink < 0) return new Int32Array(0);
  return Int32Array.of(...tokenize(config.closing), endThink);
}

/** @throws {R1Error} `TEMPLATE_UNSUPPORTED` when no token can close a reasoning at its budget. */
export function assertClosable(endThink: number): void {
  if (endThink < 0)
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      "A reasoning budget needs a model whose vocabulary has the token </think>; this one " +
        "has none. Leave out `reasoning.maxTokens` and `effort`.",
    );
}

/** @throws {R1Error} `TEMPLATE_UNSUPPORTED` when no token can close a reasoning at a call. */
export function assertEndable(endThink: number): void {
  if (endThink < 0)
    throw new R1Error(
      "TEMPLATE_UNSUPPORTED",
      "`endReasoning()` needs a model whose vocabulary has the token </think>; this one has " +
        "none. Stop the generation with `cancel()` instead.",
    );
}
