// What a chat takes beside the options of a generation: thinking, tools, template; checked and
// completed once. Runs on any JavaScript thread.
import { boolean, oneOf, refuse } from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { GenerateConfig, GenerateOptions } from "../engine/engine-options.js";
import type { Weights } from "../weights/weights.js";
import { compileToolGrammar } from "../grammar/compile.js";
import { normalizeTools } from "../template/tools.js";
import type { ToolChoice, ToolConfig, ToolDefinition } from "../template/tools.js";

/**
 * Whether the generation prompt ends in `<think>` and a line break: `"auto"` does what the file's
 * own template does.
 */
export type OpenThink = "auto" | boolean;

/** Options of `model.chat`. */
export interface ChatOptions extends GenerateOptions {
  /**
   * Whether the generation prompt ends in `<think>` and a line break, so that the model cannot skip
   * thinking. `true` is `reasoning: { mode: "forced" }`.
   * @defaultValue `"auto"`: as the file's own template does
   */
  readonly openThink?: OpenThink | undefined;
  /**
   * Functions that the model may call, in OpenAI's form; calls come as `tool-call` parts with
   * checked arguments. At most 128.
   * @defaultValue none
   */
  readonly tools?: readonly ToolDefinition[] | undefined;
  /**
   * Whether it calls them: `"auto"`, `"none"`, `"required"`, or one by name; forced calls are held
   * to their schema by grammar.
   * @defaultValue `"auto"`
   */
  readonly toolChoice?: ToolChoice | undefined;
  /**
   * `"r1"`: R1's template. `"file"`: the file's own, for a model that is none of R1's releases;
   * texts of messages still cannot become special tokens.
   * @defaultValue `"r1"`
   */
  readonly template?: "r1" | "file" | undefined;
  /**
   * The last message is the assistant's and is gone on with, in place of a new turn: its `content`
   * is the beginning of the answer, its `reasoning` that of the thinking, which stays open unless
   * there is content too (text that begins with `<think>` is parted at its tags). Its texts cannot
   * become special tokens. The generation has what is new only.
   *
   * Answers in a form (`response`, a forced tool call) can go on with reasoning alone. With
   * `template: "file"` only content can be gone on with. Not in a session.
   * @defaultValue false
   */
  readonly continueLast?: boolean | undefined;
  /**
   * Tells a call of a tool while it is written: `tool-call-start` and `tool-call-delta` parts before
   * its `tool-call`. What they hold is unchecked; a `tool-call-error` with their `id` takes it back.
   * @defaultValue false
   */
  readonly toolCallDeltas?: boolean | undefined;
}

/** What decides how a conversation is written out. */
export interface PromptConfig {
  /** How the assistant's turn begins: `auto` as the file's template does. */
  readonly think: "auto" | "bare" | "open" | "closed";
  readonly tools: ToolConfig;
  /** The tools as plain data in OpenAI's form, for a file's own template. */
  readonly toolDefinitions: readonly unknown[];
  readonly template: "r1" | "file";
  /** Calls are told while they are written. */
  readonly toolCallDeltas: boolean;
}

/** Options of a chat that change its prompt. */
export const PROMPT_KEYS = [
  "openThink",
  "tools",
  "toolChoice",
  "template",
  "continueLast",
] as const satisfies readonly Exclude<keyof ChatOptions, keyof GenerateOptions>[];

/** Options that are the chat's and not the generation's. */
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
      "`openThink` and `reasoning.mode` both say how the assistant's turn begins: give one of them.",
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

/** Holds the answer to a forced call. @throws {R1Error} `INVALID_ARGUMENT` beside `response`. */
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
      "`toolChoice` forces a call and `response` a form of the answer: the answer cannot be both.",
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

/** Options of `model.formatChat`: those of a chat that change its prompt. */
export type FormatOptions = Pick<ChatOptions, (typeof PROMPT_KEYS)[number] | "reasoning">;
