// The options of a chat beyond those of a generation: reasoning, tools, template. Checks them and
// fills in the defaults.
import { boolean, oneOf, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { GenerateConfig, GenerateOptions } from "../engine/engine-options.js";
import type { Weights } from "../weights/weights.js";
import { compileToolGrammar } from "../grammar/compile.js";
import { normalizeTools } from "../template/tools.js";
import type { ToolChoice, ToolConfig, ToolDefinition } from "../template/tools.js";

/**
 * Whether the generation prompt ends in `<think>` and a line break; `"auto"` follows the file's own
 * template.
 */
export type OpenThink = "auto" | boolean;

/** Options of `model.chat`. */
export interface ChatOptions extends GenerateOptions {
  /**
   * Whether the generation prompt ends in `<think>` and a line break, so that the model cannot skip
   * thinking. `true` is `reasoning: { mode: "forced" }`.
   * @defaultValue `"auto"`: as in the file's own template
   */
  readonly openThink?: OpenThink | undefined;
  /**
   * Functions that the model may call, in OpenAI's format. Calls are reported as `tool-call` parts
   * with checked arguments. At most 128.
   * @defaultValue none
   */
  readonly tools?: readonly ToolDefinition[] | undefined;
  /**
   * Whether the model calls them: `"auto"`, `"none"`, `"required"`, or one by name. A grammar makes
   * forced calls match their schema.
   * @defaultValue `"auto"`
   */
  readonly toolChoice?: ToolChoice | undefined;
  /**
   * `"r1"`: R1's template. `"file"`: the file's own, for a model that is not one of R1's releases;
   * texts of messages still cannot become special tokens.
   * @defaultValue `"r1"`
   */
  readonly template?: "r1" | "file" | undefined;
  /**
   * Continues the last message, which must be the assistant's, instead of starting a new turn. Its
   * `content` is the beginning of the answer, and its `reasoning` that of the reasoning, which
   * stays open unless there is content too (text that begins with `<think>` is split at its tags).
   * Its texts cannot become special tokens. The generation contains only the new text.
   *
   * A constrained answer (`response`, a forced tool call) can only continue reasoning. With
   * `template: "file"` only content can be continued. Not available in a session.
   * @defaultValue false
   */
  readonly continueLast?: boolean | undefined;
  /**
   * Reports a tool call while it is being generated: `tool-call-start` and `tool-call-delta` parts
   * before its `tool-call`. They are unchecked; a `tool-call-error` with their `id` revokes them.
   * @defaultValue false
   */
  readonly toolCallDeltas?: boolean | undefined;
}

/** The choices that determine how a conversation is rendered. */
export interface PromptConfig {
  /** How the assistant's turn begins: `auto` as in the file's template. */
  readonly think: "auto" | "bare" | "open" | "closed";
  readonly tools: ToolConfig;
  /** The tools as plain data in OpenAI's format, for a file's own template. */
  readonly toolDefinitions: readonly unknown[];
  readonly template: "r1" | "file";
  /** Whether calls are reported while they are being generated. */
  readonly toolCallDeltas: boolean;
}

/** Chat options that change the prompt. */
export const PROMPT_KEYS = [
  "openThink",
  "tools",
  "toolChoice",
  "template",
  "continueLast",
] as const satisfies readonly Exclude<keyof ChatOptions, keyof GenerateOptions>[];

/** Options of a chat that are not options of a generation. */
export const CHAT_KEYS = [...PROMPT_KEYS, "toolCallDeltas"] as const satisfies readonly Exclude<
  keyof ChatOptions,
  keyof GenerateOptions
>[];

/**
 * @param mode - `reasoning.mode`, checked.
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `SCHEMA_UNSUPPORTED`.
 */
export function normalizePrompt(
  given: Record<string, unknown>,
  mode: GenerateConfig["reasoning"]["mode"],
): PromptConfig {
  const { openThink, tools, toolChoice, template, toolCallDeltas } = given;
  if (openThink !== undefined && openThink !== "auto" && typeof openThink !== "boolean")
    refuse("openThink", '"auto", true or false', openThink);
  if (typeof openThink === "boolean" && mode !== "auto") {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`openThink` and `reasoning.mode` both set how the assistant's turn " +
        "begins. Set only one of them.",
      {
        details: { option: "openThink" },
      },
    );
  }
  const wish = typeof openThink === "boolean" ? (openThink ? "open" : "bare") : "auto";
  const config = normalizeTools(tools, toolChoice);
  return Object.freeze({
    think: mode === "forced" ? "open" : mode === "off" ? "closed" : wish,
    tools: config,
    toolDefinitions: config.tools.map(({ definition }) => definition),
    template: template === undefined ? "r1" : oneOf(template, "template", ["r1", "file"]),
    toolCallDeltas: toolCallDeltas !== undefined && boolean(toolCallDeltas, "toolCallDeltas"),
  });
}

/**
 * Constrains the answer to a forced call. @throws {R1Error} `INVALID_ARGUMENT` together with
 * `response`.
 */
export function withForcedTools(
  config: GenerateConfig,
  prompt: PromptConfig,
  weights: Weights,
): GenerateConfig {
  const { forced } = prompt.tools;
  if (forced.length === 0) return config;
  if (config.form !== undefined) {
    throw new R1Error(
      "INVALID_ARGUMENT",
      "`toolChoice` forces a tool call, and `response` sets the form of the answer: an " +
        "answer cannot be both. Set only one of them.",
      {
        details: { option: "response" },
      },
    );
  }
  return Object.freeze({
    ...config,
    form: () => compileToolGrammar(forced, weights.roleTexts, weights.roles),
  });
}

/** Options of `model.formatChat`: the chat options that change the prompt. */
export type FormatOptions = Pick<ChatOptions, (typeof PROMPT_KEYS)[number] | "reasoning">;
