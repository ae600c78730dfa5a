// The part of the contract that a request crosses with: how it samples, what it asks, and the
// events that come back. Types only; no code runs here.

/**
 * A complete sampler configuration: order and values as in llama.cpp's `common_params_sampling`.
 */
export interface NativeSampling {
  /** Names out of: penalties dry top_n_sigma top_k typ_p top_p min_p xtc temperature. */
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

/** A compiled grammar, shared by all requests that name its text. */
export interface NativeGrammar {
  /** [sync] The GBNF it was made of. */
  source(): string;
}

/** One request. Copied whole at `submit`. */
export interface NativeRequest {
  /** Chosen by the caller, unique among the engine's live requests; an integer below 2^32. */
  id: number;
  /** The whole prompt, BOS included; at least one token. */
  tokens: Int32Array;
  /** Most tokens to sample; -1: until the context is full. */
  maxTokens: number;
  sampling: NativeSampling;
  /** Strings that end the generation; they never appear in the text. */
  stop: string[];
  /** Ids that end the generation beside the vocabulary's own. */
  stopTokens: Int32Array;
  /** End-of-generation tokens are made impossible. */
  ignoreEos: boolean;
  /** Most likely alternatives to report for each token, 0..20; -1: no logprobs. */
  logprobs: number;
  /** Larger runs first; equal ones in order of arrival. */
  priority: number;
  /** From submit to the last token, in milliseconds; 0: none. */
  timeoutMs: number;
  /** The prompt may take cells that another sequence computed. */
  cachePrompt: boolean;
  /** The restored session whose own cells the prompt may take too; 0: none. */
  session: number;
  /** Ids of the reasoning tags; -1 where there is none. */
  thinkToken: number;
  endThinkToken: number;
  /** The prompt ends inside an open reasoning block. */
  startsInReasoning: boolean;
  /** Most reasoning tokens; -1: no limit. When spent, `closing` is fed as if sampled. */
  reasoningBudget: number;
  /**
   * Ids forced when the budget is spent or `endReasoning` was called, ending in `endThinkToken`;
   * empty where the vocabulary has no such token: then neither has an effect.
   */
  closing: Int32Array;
  /** What follows the reasoning, compiled by the engine's own model; null: free. */
  grammar: NativeGrammar | null;
  /** Draft tokens by looking up n-grams of the context: longest draft; 0: off. */
  ngramDraft: number;
  /** Draft tokens by the engine's draft model: longest draft; 0: off. */
  modelDraft: number;
  /**
   * Ends with reason "loop" when the last tokens repeat in a cycle; 0: off, else the number of
   * repeated tokens it takes.
   */
  loopGuard: number;
  /** Reports how far the prompt is, until the first token. */
  promptProgress: boolean;
}

/** Why a request ended. */
export type NativeEndReason = "stop" | "length" | "stop-string" | "aborted" | "timeout" | "loop";

/** Log probabilities of the tokens of one delivery; its first two columns are as long as theirs. */
export interface NativeLogprobs {
  /**
   * Natural logarithm of each token's probability before any sampler; NaN for those of requests
   * that asked for none.
   */
  own: Float32Array;
  /** How many alternatives each token has. */
  counts: Int32Array;
  /** The alternatives of all tokens, one token's after the other's. */
  topTokens: Int32Array;
  topLogprobs: Float32Array;
}

/** How far the prompt of a request is: numbers are tokens. */
export interface NativePromptProgress {
  id: number;
  /** Tokens of the prompt. */
  total: number;
  /** Those taken from the cache. */
  cached: number;
  /** Those in the cache by now, the cached ones included. */
  processed: number;
  /** Milliseconds since the first prompt token was taken up. */
  timeMs: number;
}

/** The last event of a request that ran: numbers are milliseconds and tokens. */
export interface NativeEndEvent {
  kind: "end";
  id: number;
  reason: NativeEndReason;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  /** From submit to the first prompt token taken up. */
  queueMs: number;
  /** From submit to the first sampled token; 0 if there was none. */
  firstTokenMs: number;
  /** Time the prompt took in decode steps. */
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
  /** Facts for programs; of an engine in a process of its own. */
  details?: Readonly<Record<string, unknown>>;
}

/** The last event of a request. */
export type NativeLastEvent = NativeEndEvent | NativeErrorEvent;

/**
 * What came up since the last delivery, as columns, since an object a token costs more than the
 * token. Sampled tokens in the order in which they came: whose request each is of, its id, and its
 * text, which is whole characters and may be empty: a character's bytes arrive with its last token,
 * and text that could begin a stop string waits. Log probabilities only where one of the requests
 * asked for them. Then the requests that ended, each after its tokens. Then how far prompts are, of
 * requests that asked for it and in order: at most one in 50 ms for each but for the first and the
 * last, all before its first token. Plain data: it can be sent to another process as it is.
 */
export type NativeEvents = [
  requests: number[],
  tokens: number[],
  texts: string[],
  logprobs: NativeLogprobs | null,
  ends: NativeLastEvent[],
  progress: NativePromptProgress[],
];

/** [callback] Takes a delivery. */
export type NativeEventSink = (...events: NativeEvents) => void;
