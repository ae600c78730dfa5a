// The contract between TypeScript and C++: everything the addon exports, with the thread and the
// owner of each. Types only; no code runs here. What a request, a quantisation and the backends
// cross with stands beside it: native-request.ts, native-quantize.ts, native-backends.ts.
//
// [sync] runs on the calling JavaScript thread and returns at once (microseconds, except where a
// cost is named)
// [async] starts native work on a thread of its own and settles a promise on the JavaScript thread
// [callback] called by native code, on the JavaScript thread that passed it, never from another
// thread
//
// Only plain values cross. Down: complete, flat objects whose every field is set (C++ refuses a
// missing one with a TypeError). Up: plain objects, typed arrays and strings, all copies. A native
// failure is an Error with `code` (an R1ErrorCode) and `message`.

import type { NativeProcesses } from "../base/native-starter.js";
import type { NativeLocks } from "./native-locks.js";
import type { NativeSessions } from "./native-session.js";
import type { NativeBackends, NativeDevice, NativeDeviceMemory } from "./native-backends.js";
import type {
  NativeCopyRange,
  NativeImatrixConfig,
  NativeImportance,
  NativeMetadataOverride,
  NativeQuantizeConfig,
} from "./native-quantize.js";
import type { NativeEventSink, NativeGrammar, NativeRequest } from "./native-request.js";
import type { NativeRpcServerConfig } from "./native-rpc.js";

/** One line of llama.cpp's log. */
export interface NativeLogEntry {
  /** Severity as llama.cpp gave it. */
  level: "debug" | "info" | "warn" | "error";
  /** The line, without its line break. */
  text: string;
}

/** Everything `llama_model_load_from_file` is given. */
export interface NativeModelConfig {
  /** The file, or all parts of a split one in order. */
  paths: readonly string[];
  /** Layers on devices, counted from the end, the output layer as one more; negative: all. */
  gpuLayers: number;
  /** Names of the devices to use in this order; empty: llama.cpp's choice. */
  devices: readonly string[];
  /** Index of the device that takes all when `splitMode` is "none". */
  mainGpu: number;
  splitMode: "none" | "layer" | "row";
  /** Share of each device; empty: by free memory. */
  tensorSplit: readonly number[];
  /**
   * Regular expressions over tensor names, and the buffer type (`CPU`, or a device's name) each
   * sends its tensors to; the first match wins.
   */
  tensorOverrides: readonly { readonly pattern: string; readonly buffer: string }[];
  loadMode: "auto" | "none" | "mmap" | "mlock" | "direct";
  checkTensors: boolean;
  /** CPU weights may be repacked into faster layouts (`use_extra_bufts`). */
  repack: boolean;
  /**
   * The file has MLA in its folded form; its weights are not repacked on a CPU with AMX, whose
   * layout lacks an operation of it.
   */
  mla: boolean;
  vocabOnly: boolean;
  metadataOverrides: readonly NativeMetadataOverride[];
}

/** A vocabulary entry that is no ordinary text: control, user-defined or unknown. */
export interface NativeSpecialToken {
  id: number;
  text: string;
  kind: "control" | "user-defined" | "unknown";
}

/** What a loaded model says of itself. */
export interface NativeModelInfo {
  architecture: string;
  /** llama.cpp's own one-line description. */
  description: string;
  layers: number;
  parameters: number;
  sizeBytes: number;
  trainContextSize: number;
  embeddingSize: number;
  vocabSize: number;
  /** K is stored as one latent row and V is a view of it. */
  isMla: boolean;
  hasDecoder: boolean;
}

/** Ids of the vocabulary's own roles; -1 where the file names none. */
export interface NativeVocabInfo {
  bos: number;
  eos: number;
  eot: number;
  pad: number;
  newline: number;
  addBos: boolean;
  size: number;
  /**
   * Bytes of the longest token: a text of n bytes has at least n / longestToken tokens; 0 where
   * that cannot be said.
   */
  longestToken: number;
  /** Every id that ends a generation (`llama_vocab_is_eog`). */
  endOfGeneration: Int32Array;
}

/**
 * Cancels one asynchronous job. `cancel()` [sync] may be called at any time, any number of times.
 */
export interface NativeCancelToken {
  cancel(): void;
}

/** Weights and vocabulary. The native model lives until the last engine made from it is gone. */
export interface NativeModel {
  /** [sync] */
  info(): NativeModelInfo;
  /** [sync] */
  vocab(): NativeVocabInfo;
  /** [sync] Every control, user-defined and unknown token, by id. */
  specialTokens(): NativeSpecialToken[];
  /** [sync] The file's scalar metadata as llama.cpp prints it. */
  metadata(): Record<string, string>;
  /** [sync] `tokenizer.chat_template`, or null. */
  chatTemplate(): string | null;
  /**
   * [sync, thread-safe; about 0.1 ms for 1,000 characters] Ids of a text, without BOS or EOS.
   * `special` true: special strings become their ids. false: no id of the result is a control,
   * user-defined or unknown token, whatever the text holds.
   */
  tokenize(text: string, special: boolean): Int32Array;
  /**
   * [sync, thread-safe] Ids of a template's output in one crossing. Segment i is the token `ids[i]`
   * if that is >= 0, else the safe tokenisation of `texts[i]`. `ends[i]` is the number of tokens
   * after segment i.
   */
  tokenizeSegments(texts: string[], ids: Int32Array): { tokens: Int32Array; ends: Int32Array };
  /**
   * [async, a thread for each call: callers bound how many run] `tokenize` off this thread. Rejects
   * with TEXT_TOO_LONG, INVALID_ARGUMENT (the vocabulary cannot write the text),
   * RESOURCE_EXHAUSTED.
   */
  tokenizeAsync(text: string, special: boolean): Promise<Int32Array>;
  /** [async, as `tokenizeAsync`] `tokenizeSegments` off this thread. */
  tokenizeSegmentsAsync(
    texts: string[],
    ids: Int32Array,
  ): Promise<{ tokens: Int32Array; ends: Int32Array }>;
  /**
   * [sync] Text of ids, special tokens written out; throws INVALID_ARGUMENT on an id outside the
   * vocabulary.
   */
  detokenize(tokens: Int32Array): string;
  /** [sync] The grammar of a GBNF text that was compiled lately, or null. */
  knownGrammar(text: string): NativeGrammar | null;
  /**
   * [async] Compiles a grammar in GBNF with a rule `root`, within 10 seconds, and keeps it for
   * `knownGrammar` (at most 256 of them, and 128 MiB together). Rejects with GRAMMAR_INVALID, which
   * says line and column. Ends early where the environment does.
   */
  compileGrammar(text: string): Promise<NativeGrammar>;
  /** [async] Frees the wrapper's share of the model on a thread of its own. Idempotent. */
  close(): Promise<void>;
}

/** Everything `llama_init_from_model` and the thread pools are given. */
export interface NativeEngineConfig {
  /** KV cells in all. Unit: tokens; 0: the model's training context. */
  contextSize: number;
  batchSize: number;
  ubatchSize: number;
  /** Sequences decoded side by side, 1..256. */
  sequences: number;
  /** One pool of cells for all sequences, or an equal share for each. */
  kvUnified: boolean;
  threads: number;
  threadsBatch: number;
  /** A ggml type name out of llama.cpp's cache types. */
  cacheTypeK: string;
  cacheTypeV: string;
  flashAttention: "auto" | "on" | "off";
  offloadKqv: boolean;
  opOffload: boolean;
  priority: "normal" | "medium" | "high" | "realtime";
  /** 0..100, how eagerly idle worker threads poll. */
  poll: number;
  rope: {
    scaling: "file" | "none" | "linear" | "yarn" | "longrope";
    freqBase: number;
    freqScale: number;
    yarnExtFactor: number;
    yarnAttnFactor: number;
    yarnBetaFast: number;
    yarnBetaSlow: number;
    yarnOrigCtx: number;
  };
  /** Requests that may wait beside the running ones; one more ends with QUEUE_FULL. */
  maxQueue: number;
  /** Finished sequences keep their cells for later prompts with the same beginning. */
  prefixCache: boolean;
  /** Largest number of tokens a step may verify for one sequence (speculation); 0: none. */
  maxDraft: number;
  /**
   * One sequence a decode, and no prompt takes cached cells: the same ids whatever runs beside or
   * ran before.
   */
  deterministic: boolean;
  /** Decode one warm-up batch before the engine is called ready. */
  warmup: boolean;
}

/** What llama.cpp made of a NativeEngineConfig. */
export interface NativeEngineInfo {
  contextSize: number;
  sequenceContextSize: number;
  batchSize: number;
  ubatchSize: number;
  sequences: number;
  cacheTypeK: string;
  cacheTypeV: string;
  /** Bytes that llama.cpp allocated for the K and V cache, over all devices. */
  cacheBytes: number;
  /** Bytes of its compute buffers. */
  computeBytes: number;
  /** The same by device, and the model's weights; devices that hold nothing are left out. */
  memory: NativeDeviceMemory[];
  /** The priority the worker threads really have. */
  priority: "normal" | "medium" | "high" | "realtime";
}

/** A snapshot of the engine, taken without stopping it. */
export interface NativeEngineStats {
  /** Requests that have a sequence now. */
  running: number;
  /** Requests in the queue, those that were sent back to it included. */
  waiting: number;
  /**
   * KV cells that hold a token, shared ones counted once; those that ended requests left for later
   * prompts included.
   */
  cellsUsed: number;
  /** KV cells there are: `info.contextSize`. */
  cellsTotal: number;
  /** Tokens of prompts that were computed, since the engine started. */
  promptTokens: number;
  /** Tokens of prompts that were taken from the cache instead. Counted when a request ends. */
  cachedTokens: number;
  /** Tokens that were generated. Counted when a request ends. */
  completionTokens: number;
  /** Requests that were taken in, since the engine started. */
  requests: number;
  /** Batches that were decoded, since the engine started. */
  steps: number;
  /** Tokens that speculation guessed. Counted when a request ends. */
  draftedTokens: number;
  /** Guessed tokens that held. Counted when a request ends. */
  acceptedTokens: number;
  /** Generated tokens a second, over the last three seconds; 0 when nothing ran in them. */
  tokensPerSecond: number;
}

/** One context and its thread. Holds its model alive. */
export interface NativeEngine extends NativeSessions {
  /** [sync] */
  info(): NativeEngineInfo;
  /**
   * [sync] Copies the request into the engine's queue. Exactly one `end` or `error` event follows.
   */
  submit(request: NativeRequest): void;
  /** [sync] Sets a flag; the request ends with reason "aborted". Unknown ids are ignored. */
  cancel(id: number): void;
  /**
   * [sync] Sets a flag; an open reasoning, or the next one to open, is closed at its next token by
   * the request's `closing`. Nothing happens after the reasoning, or without a `closing`. Unknown
   * ids are ignored.
   */
  endReasoning(id: number): void;
  /** [sync] */
  stats(): NativeEngineStats;
  /**
   * [async] Ends every request with DISPOSED, joins the thread off the JavaScript thread, frees the
   * context. Idempotent.
   */
  close(): Promise<void>;
}

/** The addon's exports. */
export interface NativeAddon extends NativeBackends, NativeLocks, NativeProcesses {
  /** [sync] llama.cpp's version, e.g. `0.5.0`. */
  llamaVersion(): string;
  /** [sync] CPU features and build options as llama.cpp prints them. */
  systemInfo(): string;
  /**
   * [async] Registers the devices of RPC servers ("host:port"), which then come before the local
   * ones; there is no way back. Resolves with all devices. A server that refuses, or dies later,
   * aborts the process: probe it first, and call this in a child process. Rejects with RPC_INVALID
   * for one without devices.
   */
  connectRpc(endpoints: string[]): Promise<NativeDevice[]>;
  /**
   * [async, its own thread, to the end of the process, which it holds up: end it by a signal]
   * Serves devices to one client at a time; rejects with RPC_SERVER_FAILED.
   */
  serveRpc(config: NativeRpcServerConfig): Promise<void>;
  /** [sync] `sink` [callback] gets log lines in bulk; null removes it. One sink an environment. */
  setLogSink(sink: ((entries: NativeLogEntry[]) => void) | null): void;
  /** [sync] */
  createCancelToken(): NativeCancelToken;
  /**
   * [async] `onProgress` [callback] gets values 0..1, the latest only. Rejects with ABORTED when
   * cancelled, nothing left allocated.
   */
  loadModel(
    config: NativeModelConfig,
    token: NativeCancelToken,
    onProgress: (progress: number) => void,
  ): Promise<NativeModel>;
  /**
   * [async] `onEvents` [callback] gets all events that came up since its last call, in order;
   * tokens that follow each other within a few milliseconds may come together. `draftModel` guesses
   * tokens for requests with `modelDraft` > 0; rejects with INVALID_ARGUMENT if its vocabulary is
   * another one. `token` stops the warm-up; once the engine is there it does nothing. Rejects with
   * ABORTED when cancelled.
   */
  createEngine(
    model: NativeModel,
    config: NativeEngineConfig,
    onEvents: NativeEventSink,
    draftModel: NativeModel | null,
    token: NativeCancelToken,
  ): Promise<NativeEngine>;
  /**
   * [sync; only in a process made for it, which it can end or hold up for ever, and whose
   * descriptor 3 is a socket from its parent: it ends when that closes] Loads the model on the CPU
   * without its data and makes a context of it (`engine` null: no context). `withData`: then loads
   * the file and decodes a few tokens in a small context. Throws MODEL_LOAD_FAILED and what an
   * engine throws.
   */
  tryModel(config: NativeModelConfig, engine: NativeEngineConfig | null, withData: boolean): void;
  /**
   * [async, its own thread; run it in a child process: bad input can abort] `llama_model_quantize`;
   * `onLog` [callback] gets its log lines.
   */
  quantize(config: NativeQuantizeConfig, onLog: (entries: NativeLogEntry[]) => void): Promise<void>;
  /**
   * [async] Runs text through a model and tells how strongly each input column of each weight is
   * used. Load the model with `repack: false`: repacked weights hide from the measurement.
   * `onProgress` [callback] gets values 0..1, the latest only. Rejects with ABORTED,
   * INVALID_ARGUMENT, OUT_OF_MEMORY, DECODE_FAILED.
   */
  computeImatrix(
    model: NativeModel,
    config: NativeImatrixConfig,
    token: NativeCancelToken,
    onProgress: (progress: number) => void,
  ): Promise<NativeImportance[]>;
  /**
   * [async; keep both files open until it settles] Copies bytes of one open file into another
   * inside the kernel, holes left out. Resolves with how many from the start are done: all, or
   * fewer where the system cannot do it, the source ends or an error came; always 0 on systems that
   * cannot. Never rejects.
   */
  copyRange(range: NativeCopyRange): Promise<number>;
  /**
   * [async; leave both arrays as they are until it settles] Looks through an array of strings as it
   * stands in a GGUF file, `starts` telling where the text of each begins in `bytes`, each after
   * the 8 bytes of its length. Resolves with the first two that are the same up to a NUL byte,
   * empty ones aside, or null. Throws a TypeError for places outside the bytes.
   */
  findEqualStrings(
    bytes: Uint8Array,
    starts: Uint32Array,
  ): Promise<[first: number, second: number] | null>;
  /**
   * [async; as `findEqualStrings`] The first string that is no pair of two texts parted by one
   * space, or null.
   */
  findNoPair(bytes: Uint8Array, starts: Uint32Array): Promise<number | null>;
  /**
   * [async, `threads` of its own] Bytes a second that so many threads together read from system
   * memory, each from a block of its own that no cache holds.
   */
  measureMemoryBandwidth(threads: number, milliseconds: number): Promise<number>;
  /**
   * [sync] Bytes of the K and V rows of one token in one layer-type: size of `elements` values of a
   * ggml type, or -1 if the type does not divide them.
   */
  rowBytes(type: string, elements: number): number;
}
