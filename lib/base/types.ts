// Data types that several layers share: messages, parts, results. Types only; no code runs here.

/** Who speaks. `tool` messages carry the result of a tool call. */
export type ChatRole = "system" | "user" | "assistant" | "tool";

/** A call of a tool, as the assistant made it. */
export interface ToolCall {
  /** Unique within the conversation; tool messages answer to it. */
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

/** A call of a tool as a conversation may hold it. */
export interface ToolCallInput {
  /** Unique within its message; tool messages answer to it. */
  readonly id: string;
  /** Name of the tool. */
  readonly name: string;
  /** Arguments as data, or as JSON text of an object. Empty text means none. */
  readonly arguments: unknown;
}

/**
 * A message as `chat`, `formatChat` and sessions take it. A {@link ChatMessage} is one, and so is
 * `{ role: "assistant", ...result }` with the result of a generation: its answer and tool calls
 * count, its reasoning is dropped (but with `continueLast`, which see). Messages of the `openai` and `ai` packages are converted by
 * `fromOpenAI` and `fromAiSdk`.
 */
export interface ChatMessageInput {
  /** Who speaks. `developer` is another word for `system`. */
  readonly role: ChatRole | "developer";
  /**
   * Text, or text parts, which are joined with nothing between them. User and tool text can never
   * become a special token. Only a user message must have some; of an assistant message it may be
   * null or left out.
   */
  readonly content?: string | readonly TextPart[] | null | undefined;
  /** Accepted and ignored: R1's template has no place for names. */
  readonly name?: string | null | undefined;
  /** Calls an assistant message made. Each needs a result before the conversation goes on. */
  readonly toolCalls?: readonly ToolCallInput[] | null | undefined;
  /**
   * For a tool message: the id of the call it answers. Results may come in any order; without ids
   * they are taken in the order of the calls.
   */
  readonly toolCallId?: string | null | undefined;
}

/** One message of a conversation, checked: what a session keeps. */
export interface ChatMessage {
  /** Who speaks. */
  readonly role: ChatRole;
  /** Plain text. User and tool text can never become a special token. */
  readonly content: string;
  /** Calls an assistant message made. */
  readonly toolCalls?: readonly ToolCall[] | undefined;
  /** For a tool message: the id of the call it answers. */
  readonly toolCallId?: string | undefined;
}

/**
 * Why a generation ended. `stop`: the model ended it. `length`: `maxTokens` or the context is used
 * up. `stop-string`: a string of `stop` came up. `aborted`: `cancel()`, `break` or the signal.
 * `timeout`: `timeoutMs` passed. `loop`: the tokens went in a circle. `tool-calls`: the answer
 * ended in tool calls.
 */
export type FinishReason =
  "stop" | "length" | "stop-string" | "aborted" | "timeout" | "loop" | "tool-calls";

/** Tokens of a generation, counted. */
export interface Usage {
  /** Tokens of the prompt, BOS included. */
  readonly promptTokens: number;
  /** Of these, tokens whose K and V were already computed. */
  readonly cachedTokens: number;
  /** Tokens sampled, the reasoning and the ending one included. */
  readonly completionTokens: number;
  /** Of these, tokens of the reasoning, its tags included. */
  readonly reasoningTokens: number;
}

/** Times of a generation. */
export interface Timings {
  /** From the call to the first sampled token, in milliseconds. */
  readonly firstTokenMs: number;
  /** Time the prompt took, in milliseconds. */
  readonly promptMs: number;
  /** From the first sampled token to the last, in milliseconds. */
  readonly decodeMs: number;
  /** Prompt tokens computed (cached ones not counted) a second. */
  readonly promptTokensPerSecond: number;
  /** Sampled tokens a second after the first. */
  readonly tokensPerSecond: number;
  /** Draft tokens that speculation tried. */
  readonly draftedTokens: number;
  /** Of these, tokens that were right, and so needed no step of their own. */
  readonly acceptedTokens: number;
}

/** Likelihood of a sampled token; present with the option `logprobs`. */
export interface TokenLogprob {
  /** Its id. */
  readonly token: number;
  /** Its text, decoded by itself. */
  readonly text: string;
  /** Natural logarithm of the probability before any sampler. */
  readonly logprob: number;
  /** The most likely tokens at this place, most likely first. */
  readonly top: readonly {
    readonly token: number;
    readonly text: string;
    readonly logprob: number;
  }[];
}

/** What a generation amounts to once it has ended. */
export interface GenerationResult {
  /** Text between the reasoning tags, without the line breaks next to the tags. */
  readonly reasoning: string;
  /** Text after the reasoning, without leading line breaks. */
  readonly answer: string;
  /** All text as generated, tags included. */
  readonly text: string;
  /** Ids as sampled, the ending token included. `JSON.stringify` writes them as a list. */
  readonly tokens: Int32Array;
  /** Why it ended. */
  readonly finishReason: FinishReason;
  /** The string of `stop` that ended it; only with the reason `"stop-string"`. */
  readonly stopString?: string;
  /** The sampler's seed, also when it was chosen at random. */
  readonly seed: number;
  /** Its tokens, counted. */
  readonly usage: Usage;
  /** How long it took. */
  readonly timings: Timings;
  /** One entry a sampled token; only with the option `logprobs`. */
  readonly logprobs?: readonly TokenLogprob[];
  /** Tool calls of the answer; empty if none. */
  readonly toolCalls: readonly ToolCall[];
}

/** A piece of the reasoning or the answer. */
export interface TextDelta<Type extends "reasoning-delta" | "answer-delta"> {
  /** Says which. */
  readonly type: Type;
  /** Whole characters. */
  readonly text: string;
  /**
   * Ids of the tokens whose text begins in it: of a model that takes more than 2.5 ms for a step
   * one, of a faster one those of up to 15 ms.
   */
  readonly tokens: readonly number[];
  /** One entry for each of `tokens`; only with the option `logprobs`. */
  readonly logprobs?: readonly TokenLogprob[];
}

/** Only with `toolCallDeltas`: the model has named a known tool, and its arguments follow. */
export interface ToolCallStart {
  readonly type: "tool-call-start";
  /** The id that its `tool-call` will have. */
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

/** A call that did not parse, that names no known tool, or that does not fit its schema. */
export interface ToolCallError {
  readonly type: "tool-call-error";
  /** The call as it was written. */
  readonly text: string;
  /** What is wrong with it. */
  readonly message: string;
  /** The id of its `tool-call-start`, if there was one: what came of that call is void. */
  readonly id?: string;
}

/**
 * A piece of content as it streams; starts and ends come once each, in order. `tool-call` is a call
 * that parsed and fits its schema. A `tool-call-start` is followed by the deltas of its call, and
 * then by its `tool-call` or its `tool-call-error`, whatever ends the generation, unless it fails.
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
 * How far the prompt is; only with `promptProgress`, and only before the first token. At most one
 * in 50 ms, but for the first, which comes when a sequence takes the prompt up, and the last, which
 * comes when all of it is computed. Unread ones are replaced by the latest.
 */
export interface PromptProgressPart {
  /** Tells it from the other parts. */
  readonly type: "prompt-progress";
  /** Tokens of the prompt. */
  readonly total: number;
  /** Those that were taken from the cache. */
  readonly cached: number;
  /** Those that are in the cache by now, the cached ones included; never fewer than before. */
  readonly processed: number;
  /** Since the first token of the prompt was taken up. Unit: milliseconds. */
  readonly timeMs: number;
}

/** The last part of every generation that did not fail. */
export interface FinishPart {
  /** Tells it from the other parts. */
  readonly type: "finish";
  /** Why the generation ended. */
  readonly finishReason: FinishReason;
  /** The string of `stop` that ended it; only with the reason `"stop-string"`. */
  readonly stopString?: string;
  /** The sampler's seed, also when it was chosen at random. */
  readonly seed: number;
  /** Its tokens, counted. */
  readonly usage: Usage;
  /** How long it took. */
  readonly timings: Timings;
}

/** What a generation yields. */
export type Part = ContentPart | PromptProgressPart | FinishPart;

/** Which of R1's releases a file is, told from its vocabulary and metadata, never from its name. */
export type Variant = "r1" | "distill-qwen" | "distill-llama" | "other";

/** Ids of the tokens that R1's template uses; -1 where the vocabulary has none. */
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
