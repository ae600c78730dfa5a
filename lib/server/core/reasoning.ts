// How much a request wants the model to think, in every spelling that clients use, and how its
// response shows the thinking.
import { z } from "zod";
import type { ReasoningOptions } from "../../index.js";
import { wellFormed } from "./conversation.js";

/**
 * Where a response has the thinking: in the field `reasoning_content` (DeepSeek, llama-server), in
 * `reasoning` (vLLM, Ollama, OpenRouter), in both, between `<think>` tags in the content, or nowhere.
 */
export type ReasoningForm = "reasoning_content" | "reasoning" | "both" | "tags" | "hidden";

/** The forms under all their names. */
const FORMS: Readonly<Record<string, ReasoningForm>> = {
  reasoning_content: "reasoning_content",
  deepseek: "reasoning_content",
  auto: "reasoning_content",
  reasoning: "reasoning",
  openrouter: "reasoning",
  both: "both",
  tags: "tags",
  "think-tags": "tags",
  none: "tags",
  "deepseek-legacy": "both",
  hidden: "hidden",
};

/** Names of the forms, ours and those of other servers. */
export const REASONING_FORMS = Object.freeze(Object.keys(FORMS));

/** A form by one of its names. */
export const reasoningForm = (name: string): ReasoningForm | undefined =>
  Object.hasOwn(FORMS, name) ? FORMS[name] : undefined;

const EFFORT_NAMES = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

const effort = z.enum(EFFORT_NAMES);
/** A number of tokens; -1: no limit. */
const budget = z.int().min(-1);

/** Fields of a request that say how much to think; protocols spread them into their schemas. */
export const reasoningFields = {
  reasoning_effort: effort
    .optional()
    .describe("How much to think: none, minimal 256, low 1024, medium 8192 tokens, high: no limit"),
  reasoning: z
    .object({
      effort: effort.nullish(),
      max_tokens: budget.nullish(),
      exclude: z.boolean().nullish(),
      enabled: z.boolean().nullish(),
    })
    .optional()
    .describe("OpenRouter's form: effort, max_tokens, exclude, enabled"),
  thinking: z
    .object({
      type: z.enum(["enabled", "disabled", "adaptive"]).nullish(),
      budget_tokens: budget.nullish(),
    })
    .optional()
    .describe("DeepSeek's and Anthropic's form: type, budget_tokens"),
  chat_template_kwargs: z
    .object({ enable_thinking: z.boolean().nullish(), thinking: z.boolean().nullish() })
    .optional()
    .describe("enable_thinking and thinking only; no template is taken from a request"),
  reasoning_budget_tokens: budget.optional().describe("Most tokens of thinking; 0: none"),
  thinking_budget_tokens: budget.optional().describe("The same as reasoning_budget_tokens"),
  reasoning_budget_message: z
    .string()
    .max(1000)
    .optional()
    .describe("The model's last thought when the budget is spent"),
  include_reasoning: z.boolean().optional().describe("false: the thinking is not sent"),
} as const;

/** What of a request {@link readReasoning} reads. */
export type ReasoningFields = Partial<z.output<z.ZodObject<typeof reasoningFields>>>;

/** How a request wants the model to think. */
export interface ReasoningWish {
  /** For the library. */
  readonly options: ReasoningOptions;
  /** The thinking is not to be sent. */
  readonly isHidden: boolean;
}

const MINIMAL_TOKENS = 256;

function byEffort(name: (typeof EFFORT_NAMES)[number]): ReasoningOptions {
  switch (name) {
    case "none":
      return { mode: "off" };
    case "minimal":
      return { maxTokens: MINIMAL_TOKENS };
    case "low":
    case "medium":
      return { effort: name };
    case "high":
    case "xhigh":
    case "max":
      return {};
  }
}

/**
 * Reads all spellings. Where they contradict each other, a number of tokens goes before an effort,
 * and an effort before a switch.
 *
 * @param isOff - The base path or the rule of auxiliary requests switches thinking off.
 */
export function readReasoning(fields: ReasoningFields, isOff: boolean): ReasoningWish {
  const { reasoning, thinking, chat_template_kwargs: kwargs } = fields;
  const tokens =
    fields.reasoning_budget_tokens ??
    fields.thinking_budget_tokens ??
    thinking?.budget_tokens ??
    reasoning?.max_tokens;
  const named = fields.reasoning_effort ?? reasoning?.effort;
  const switches = { enabled: true, disabled: false, adaptive: undefined } as const;
  const isOn =
    kwargs?.enable_thinking ??
    kwargs?.thinking ??
    reasoning?.enabled ??
    (thinking?.type ? switches[thinking.type] : undefined);
  const isHidden = fields.include_reasoning === false || reasoning?.exclude === true;
  const line = fields.reasoning_budget_message;
  const closing = line === undefined ? {} : { closing: `${wellFormed(line)}\n` };
  const wish = (options: ReasoningOptions): ReasoningWish => ({ options, isHidden });
  if (isOff) return wish({ mode: "off" });
  if (tokens !== undefined && tokens !== null)
    return wish(
      tokens === 0 ? { mode: "off" } : tokens < 0 ? {} : { maxTokens: tokens, ...closing },
    );
  if (named !== undefined && named !== null)
    return wish({ ...byEffort(named), ...(named === "none" ? {} : closing) });
  if (isOn === false) return wish({ mode: "off" });
  return wish(isOn === true ? { mode: "forced", ...closing } : closing);
}

/** Text of the thinking as it stands in the content, with both tags. */
export class TaggedText {
  #state: "before" | "thinking" | "after";

  /** @param isOpen - The text begins inside the thinking, whose opening tag stands before it. */
  constructor(isOpen = false) {
    this.#state = isOpen ? "thinking" : "before";
  }

  reasoning(text: string): string {
    const open = this.#state === "before" ? "<think>\n" : "";
    this.#state = "thinking";
    return open + text;
  }

  answer(text: string): string {
    return this.end() + text;
  }

  /** The closing tag, if one is due: also when the thinking was cut off. */
  end(): string {
    const close = this.#state === "thinking" ? "\n</think>\n\n" : "";
    this.#state = "after";
    return close;
  }
}
