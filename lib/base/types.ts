// Data types that several layers share: messages, parts, results. Types only.

/** The role of a message. `tool` messages carry the result of a tool call. */
export type ChatRole = "system" | "user" | "assistant" | "tool";

/** A tool call made by the assistant. */
export interface ToolCall {
  /** Unique within the conversation; tool messages refer to it. */
  readonly id: string;
  /** Name of the tool. */
  readonly name: string;
  /** Arguments, parsed from the model's JSON. */
  readonly arguments: unknown;
}

/** A part of a message's content. R1 reads text only. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** A tool call in a conversation that is passed in. */
export interface ToolCallInput {
  /** Unique within its message; tool messages refer to it. */
  readonly id: string;
  /** Name of the tool. */
  readonly name: string;
  /** Arguments as data, or as JSON text of an object. Empty text means none. */
  readonly arguments: unknown;
}

/**
 * A message in the form that `chat`, `formatChat` and sessions accept. A {@link ChatMessage} is
 * one, and so is `{ role: "assistant", ...result }` with the result of a generation: its answer and
 * tool calls are used, and its reasoning is dropped (except with `continueLast`). `fromOpenAI` and
 * `fromAiSdk` convert messages of the `openai` and `ai` packages.
 */
export interface ChatMessageInput {
  /** The role of the message. `developer` is the same as `system`. */
  readonly role: ChatRole | "developer";
  /**
   * Text, or text parts, which are concatenated without a separator. User and tool text can never
   * become a special token. Only a user message must have content; in an assistant message it may
   * be null or missing.
   */
  readonly content?: string | readonly TextPart[] | null | undefined;
  /** Accepted and ignored: R1's template has no place for names. */
  readonly name?: string | null | undefined;
  /**
   * Tool calls made by an assistant message. Each needs a result before the conversation continues.
   */
  readonly toolCalls?: readonly ToolCallInput[] | null | undefined;
  /**
   * In a tool message: the id of the call it answers. Results may be in any order; results without
   * ids are matched to the calls in order.
   */
  readonly toolCallId?: string | null | undefined;
}

/** One checked message of a conversation, as stored by a session. */
export interface ChatMessage {
  /** The role of the message. */
  readonly role: ChatRole;
  /** Plain text. User and tool text can never become a special token. */
  readonly content: string;
  /** Tool calls made by an assistant message. */
  readonly toolCalls?: readonly ToolCall[] | undefined;
  /** In a tool message: the id of the call it answers. */
  readonly toolCallId?: string | undefined;
}

/**
 * Why a generation ended. `stop`: the model ended it. `length`: `maxTokens` or the context is used
 * up. `stop-string`: a string of `stop` was generated. `aborted`: `cancel()`, `break` or the
 * signal. `timeout`: `timeoutMs` passed. `loop`: the tokens repeated in a cycle. `tool-calls`: the
 * answer ended in tool calls.
 */
export type FinishReason =
  "stop" | "length" | "stop-string" | "aborted" | "timeout" | "loop" | "tool-calls";

/** Token counts of a generation. */
export interface Usage {
  /** Tokens of the prompt, including BOS. */
  readonly promptTokens: number;
  /** Of these, tokens whose K and V were already computed. */
  readonly cachedTokens: number;
  /** Sampled tokens, including the reasoning and the ending token. */
  readonly completionTokens: number;
  /** Of these, tokens of the reasoning, including its tags. */
  readonly reasoningTokens: number;
}

/** Timings of a generation. */
export interface Timings {
  /** From the call to the first sampled token, in milliseconds. */
  readonly firstTokenMs: number;
  /** Time to process the prompt, in milliseconds. */
  readonly promptMs: number;
  /** From the first sampled token to the last, in milliseconds. */
  readonly decodeMs: number;
  /** Prompt tokens computed per second, not counting cached ones. */
  readonly promptTokensPerSecond: number;
  /** Sampled tokens per second after the first. */
  readonly tokensPerSecond: number;
  /** Draft tokens proposed by speculation. */
  readonly draftedTokens: number;
  /** Of these, tokens that were accepted and so needed no separate step. */
  readonly acceptedTokens: number;
}

/** Log probability of a sampled token; present with the option `logprobs`. */
export interface TokenLogprob {
  /** Its id. */
  readonly token: number;
  /** Its text, decoded by itself: U+FFFD where it is a part of a character. */
  readonly text: string;
  /** Its bytes: UTF-8, of which a token may have a part of a character. */
  readonly bytes: readonly number[];
  /** Natural logarithm of the probability before any sampler. */
  readonly logprob: number;
  /** The most likely tokens at this position, most likely first. */
  readonly top: readonly {
    readonly token: number;
    readonly text: string;
    readonly bytes: readonly number[];
    readonly logprob: number;
  }[];
}

/** The complete result of a generation that has ended. */
export interface GenerationResult {
  /** Text between the reasoning tags, without the line breaks next to the tags. */
  readonly reasoning: string;
  /** Text after the reasoning, without leading line breaks. */
  readonly answer: string;
  /** All generated text, including tags. */
  readonly text: string;
  /** Ids as sampled, including the ending token. `JSON.stringify` writes them as a list. */
  readonly tokens: Int32Array;
  /** Why it ended. */
  readonly finishReason: FinishReason;
  /** The string of `stop` that ended it; only with the reason `"stop-string"`. */
  readonly stopString?: string;
  /** The sampler's seed, even if it was chosen at random. */
  readonly seed: number;
  /** Its token counts. */
  readonly usage: Usage;
  /** Its timings. */
  readonly timings: Timings;
  /** One entry per sampled token; only with the option `logprobs`. */
  readonly logprobs?: readonly TokenLogprob[];
  /** Tool calls of the answer; empty if there are none. */
  readonly toolCalls: readonly ToolCall[];
}

/** A piece of the reasoning or the answer. */
export interface TextDelta<Type extends "reasoning-delta" | "answer-delta"> {
  /** Which of the two it is. */
  readonly type: Type;
  /** Whole characters. */
  readonly text: string;
  /**
   * Ids of the tokens whose text begins in this part: one token if a step of the model takes more
   * than 2.5 ms, otherwise the tokens of up to 15 ms.
   */
  readonly tokens: readonly number[];
  /** One entry for each of `tokens`; only with the option `logprobs`. */
  readonly logprobs?: readonly TokenLogprob[];
}

/** Only with `toolCallDeltas`: the model has named a known tool, and its arguments follow. */
export interface ToolCallStart {
  readonly type: "tool-call-start";
  /** The id of the `tool-call` that follows. */
  readonly id: string;
  /** Name of the tool. */
  readonly name: string;
}

/** Only with `toolCallDeltas`: more of a call's arguments, unchecked. */
export interface ToolCallDelta {
  readonly type: "tool-call-delta";
  /** The id of its `tool-call-start`. */
  readonly id: string;
  /** A piece of the JSON text of the arguments. */
  readonly text: string;
}

/** A call that could not be parsed, names an unknown tool, or does not match its schema. */
export interface ToolCallError {
  readonly type: "tool-call-error";
  /** The text of the call as generated. */
  readonly text: string;
  /** What is wrong with it. */
  readonly message: string;
  /** The id of its `tool-call-start`, if there was one; discard the deltas of that call. */
  readonly id?: string;
}

/**
 * A piece of streamed content; each start and end occurs once, in order. A `tool-call` has been
 * parsed and matches its schema. A `tool-call-start` is followed by the deltas of its call and then
 * by its `tool-call` or `tool-call-error`, no matter how the generation ends, unless it fails.
 */
export type ContentPart =
  | { readonly type: "reasoning-start" }
  | TextDelta<"reasoning-delta">
  | { readonly type: "reasoning-end" }
  | { readonly type: "answer-start" }
  | TextDelta<"answer-delta">
  | { readonly type: "answer-end" }
  | ToolCallStart
  | ToolCallDelta
  | { readonly type: "tool-call"; readonly call: ToolCall }
  | ToolCallError;

/**
 * Progress of the prompt; only with `promptProgress`, and only before the first token. At most one
 * per 50 ms, except the first, sent when a sequence starts on the prompt, and the last, sent when
 * all of it is computed. An unread one is replaced by the latest.
 */
export interface PromptProgressPart {
  /** Distinguishes it from the other parts. */
  readonly type: "prompt-progress";
  /** Tokens of the prompt. */
  readonly total: number;
  /** Prompt tokens reused from the cache. */
  readonly cached: number;
  /** Prompt tokens in the cache so far, including the reused ones; never decreases. */
  readonly processed: number;
  /** Time since the first token of the prompt was processed. Unit: milliseconds. */
  readonly timeMs: number;
}

/** The last part of every generation that did not fail. */
export interface FinishPart {
  /** Distinguishes it from the other parts. */
  readonly type: "finish";
  /** Why the generation ended. */
  readonly finishReason: FinishReason;
  /** The string of `stop` that ended it; only with the reason `"stop-string"`. */
  readonly stopString?: string;
  /** The sampler's seed, even if it was chosen at random. */
  readonly seed: number;
  /** Its token counts. */
  readonly usage: Usage;
  /** Its timings. */
  readonly timings: Timings;
}

/** What a generation yields. */
export type Part = ContentPart | PromptProgressPart | FinishPart;

/**
 * Which of R1's releases a file is, detected from its vocabulary and metadata, never from its name.
 */
export type Variant = "r1" | "distill-qwen" | "distill-llama" | "other";

/** Ids of the tokens that R1's template uses; -1 if the vocabulary has none. */
export interface RoleTokens {
  readonly bos: number;
  readonly eos: number;
  readonly pad: number;
  readonly user: number;
  readonly assistant: number;
  readonly think: number;
  readonly endThink: number;
  readonly toolCallsBegin: number;
  readonly toolCallsEnd: number;
  readonly toolCallBegin: number;
  readonly toolCallEnd: number;
  readonly toolOutputsBegin: number;
  readonly toolOutputsEnd: number;
  readonly toolOutputBegin: number;
  readonly toolOutputEnd: number;
  readonly toolSep: number;
}

/** Name of a token that R1's template uses. */
export type Role = keyof RoleTokens;

/** Options with every value set. */
export type Complete<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };

/** Texts of the tool tokens as the vocabulary spells them. */
export interface ToolTags {
  readonly toolCallsBegin: string;
  readonly toolCallsEnd: string;
  readonly toolCallBegin: string;
  readonly toolCallEnd: string;
  readonly toolSep: string;
}

/** Ids of the tool tokens; one that is missing or -1 is not in the vocabulary. */
export type ToolTagIds = Partial<Readonly<Record<keyof ToolTags, number>>>;
