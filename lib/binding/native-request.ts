// The part of the contract for requests: sampling, the request itself, and the events that it
// produces. Types only.

/**
 * A complete sampler configuration: order and values as in llama.cpp's `common_params_sampling`.
 */
export interface NativeSampling {
  /** Some of these names: penalties dry top_n_sigma top_k typ_p top_p min_p xtc temperature. */
  samplers: string[];
  seed: number;
  temperature: number;
  dynatempRange: number;
  dynatempExponent: number;
  topK: number;
  topP: number;
  minP: number;
  typicalP: number;
  topNSigma: number;
  xtcProbability: number;
  xtcThreshold: number;
  minKeep: number;
  penaltyLastN: number;
  repeatPenalty: number;
  frequencyPenalty: number;
  presencePenalty: number;
  dryMultiplier: number;
  dryBase: number;
  dryAllowedLength: number;
  dryPenaltyLastN: number;
  drySequenceBreakers: string[];
  /** 0: off, 1: Mirostat, 2: Mirostat 2.0. */
  mirostat: number;
  mirostatTau: number;
  mirostatEta: number;
  logitBiasTokens: Int32Array;
  logitBiasValues: Float32Array;
}

/** A compiled grammar, shared by all requests with the same text. */
export interface NativeGrammar {
  /** [sync] Its GBNF source. */
  source(): string;
}

/** One request. `submit` copies all of it. */
export interface NativeRequest {
  /** Chosen by the caller, unique among the engine's live requests; an integer below 2^32. */
  id: number;
  /** The whole prompt, including BOS; at least one token. */
  tokens: Int32Array;
  /** Maximum tokens to sample; -1: until the context is full. */
  maxTokens: number;
  sampling: NativeSampling;
  /** Strings that end the generation; they never appear in the text. */
  stop: string[];
  /** Ids that end the generation in addition to the vocabulary's own. */
  stopTokens: Int32Array;
  /** Whether end-of-generation tokens are made impossible. */
  ignoreEos: boolean;
  /** Number of most likely alternatives to report for each token, 0..20; -1: no logprobs. */
  logprobs: number;
  /** The larger priority runs first; equal ones run in order of arrival. */
  priority: number;
  /** Time limit from submit to the last token, in milliseconds; 0: none. */
  timeoutMs: number;
  /** Whether the prompt may use cells that another sequence computed. */
  cachePrompt: boolean;
  /** Whether it takes no cells from idle sequences and leaves none behind. */
  guest: boolean;
  /** The restored session whose own cells the prompt may also use; 0: none. */
  session: number;
  /** Ids of the reasoning tags; -1 if there is none. */
  thinkToken: number;
  endThinkToken: number;
  /** The prompt ends inside an open reasoning block. */
  startsInReasoning: boolean;
  /**
   * Maximum reasoning tokens; -1: no limit. When they are used up, `closing` is fed as if sampled.
   */
  reasoningBudget: number;
  /**
   * Ids that are forced when the budget is used up or `endReasoning` was called, ending in
   * `endThinkToken`; empty if the vocabulary has no such token, and then neither has an effect.
   */
  closing: Int32Array;
  /**
   * The grammar of the text after the reasoning, compiled by the engine's own model; null:
   * unconstrained.
   */
  grammar: NativeGrammar | null;
  /** Longest draft from n-grams of the context; 0: off. */
  ngramDraft: number;
  /** Longest draft from the engine's draft model; 0: off. */
  modelDraft: number;
  /** Number of repeated tokens in a cycle that end the request with reason "loop"; 0: off. */
  loopGuard: number;
  /** Whether to report the progress of the prompt until the first token. */
  promptProgress: boolean;
}

/** Why a request ended. */
export type NativeEndReason = "stop" | "length" | "stop-string" | "aborted" | "timeout" | "loop";

/**
 * Log probabilities of the tokens of one batch of events; its first two columns are as long as
 * theirs.
 */
export interface NativeLogprobs {
  /**
   * Natural logarithm of each token's probability before any sampler; NaN for tokens of requests
   * without logprobs.
   */
  own: Float32Array;
  /** Number of alternatives of each token. */
  counts: Int32Array;
  /** The alternatives of all tokens, concatenated in token order. */
  topTokens: Int32Array;
  topLogprobs: Float32Array;
}

/** Progress of a request's prompt, in tokens. */
export interface NativePromptProgress {
  id: number;
  /** Tokens of the prompt. */
  total: number;
  /** Tokens reused from the cache. */
  cached: number;
  /** Tokens in the cache so far, including the reused ones. */
  processed: number;
  /** Milliseconds since the first prompt token was processed. */
  timeMs: number;
}

/** The last event of a request that ran. Numbers are milliseconds and tokens. */
export interface NativeEndEvent {
  kind: "end";
  id: number;
  reason: NativeEndReason;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  /** From submit to the first processed prompt token. */
  queueMs: number;
  /** From submit to the first sampled token; 0 if there was none. */
  firstTokenMs: number;
  /** Time spent on the prompt in decode steps. */
  promptMs: number;
  /** From the first sampled token to the last. */
  decodeMs: number;
  draftedTokens: number;
  acceptedTokens: number;
  /** Index of the stop string that ended it; -1: none did. */
  stop: number;
}

/** The last event of a request that failed. */
export interface NativeErrorEvent {
  kind: "error";
  id: number;
  code: string;
  message: string;
  /** Facts for programs; only from an engine in a separate process. */
  details?: Readonly<Record<string, unknown>>;
}

/** The last event of a request. */
export type NativeLastEvent = NativeEndEvent | NativeErrorEvent;

/**
 * The events since the last call, as columns, because one object per token would cost more than the
 * token. First the sampled tokens in order: the request of each, its id, and its text. The text
 * consists of whole characters and may be empty: the bytes of a character arrive with its last
 * token, and text that could begin a stop string waits. Log probabilities are present only if one
 * of the requests asked for them. Then the requests that ended, each after its tokens. Then the
 * progress of prompts, for requests that asked for it and in order: at most one per 50 ms for each
 * except the first and the last, all before its first token. Plain data: it can be sent to another
 * process unchanged.
 */
export type NativeEvents = [
  requests: number[],
  tokens: number[],
  texts: string[],
  logprobs: NativeLogprobs | null,
  ends: NativeLastEvent[],
  progress: NativePromptProgress[],
];

/** [callback] Receives a batch of events. */
export type NativeEventSink = (...events: NativeEvents) => void;
