// The contract between TypeScript and C++: everything the addon exports, with the thread and the
// owner of each. Types only. The parts for requests, quantisation and backends are in
// native-request.ts, native-quantize.ts and native-backends.ts.
//
// [sync] runs on the calling JavaScript thread and returns at once (microseconds, unless a cost is
// given)
// [async] starts native work on a separate thread and settles a promise on the JavaScript thread
// [callback] called by native code, on the JavaScript thread that passed it, never from another
// thread
//
// Only plain values are passed. To C++: complete, flat objects with every field set (C++ refuses a
// missing one with a TypeError). To TypeScript: plain objects, typed arrays and strings, all
// copies. A native failure is an Error with `code` (an R1ErrorCode) and `message`.

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
  /** Severity reported by llama.cpp. */
  level: "debug" | "info" | "warn" | "error";
  /** The line, without its line break. */
  text: string;
}

/** The complete configuration of `llama_model_load_from_file`. */
export interface NativeModelConfig {
  /** The file, or all parts of a split one in order. */
  paths: readonly string[];
  /**
   * Layers on devices, counted from the end; the output layer counts as one more; negative: all.
   */
  gpuLayers: number;
  /** Names of the devices to use in this order; empty: llama.cpp's choice. */
  devices: readonly string[];
  /** Index of the device that holds everything when `splitMode` is "none". */
  mainGpu: number;
  splitMode: "none" | "layer" | "row";
  /** Share of each device; empty: by free memory. */
  tensorSplit: readonly number[];
  /**
   * Regular expressions over tensor names, each with the buffer type (`CPU`, or a device's name)
   * for the tensors that match; the first match wins.
   */
  tensorOverrides: readonly { readonly pattern: string; readonly buffer: string }[];
  loadMode: "auto" | "none" | "mmap" | "mlock" | "direct";
  checkTensors: boolean;
  /** Whether CPU weights may be repacked into faster layouts (`use_extra_bufts`). */
  repack: boolean;
  /**
   * Whether the file has MLA in its folded form. Its weights are not repacked on a CPU with AMX,
   * whose layout lacks an operation that MLA needs.
   */
  mla: boolean;
  vocabOnly: boolean;
  metadataOverrides: readonly NativeMetadataOverride[];
}

/** A vocabulary entry that is not ordinary text: control, user-defined or unknown. */
export interface NativeSpecialToken {
  id: number;
  text: string;
  kind: "control" | "user-defined" | "unknown";
}

/** The facts that a loaded model reports about itself. */
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

/** Ids of the vocabulary's own roles; -1 if the file does not name one. */
export interface NativeVocabInfo {
  bos: number;
  eos: number;
  eot: number;
  pad: number;
  newline: number;
  addBos: boolean;
  size: number;
  /**
   * Bytes of the longest token: a text of n bytes has at least n / longestToken tokens; 0 if
   * unknown.
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

/** Weights and vocabulary. The native model lives until the last engine created from it is gone. */
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
   * [sync, thread-safe; about 0.1 ms for 1,000 characters] Returns the ids of a text, without BOS
   * or EOS. `special` true: special strings become their ids. false: the result contains no
   * control, user-defined or unknown token, whatever the text is.
   */
  tokenize(text: string, special: boolean): Int32Array;
  /**
   * [sync, thread-safe] Returns the ids of a template's output in one call. Segment i is the token
   * `ids[i]` if that is >= 0, otherwise the safe tokenisation of `texts[i]`. `ends[i]` is the
   * number of tokens after segment i.
   */
  tokenizeSegments(texts: string[], ids: Int32Array): { tokens: Int32Array; ends: Int32Array };
  /**
   * [async, one thread per call: callers limit how many run] `tokenize` on another thread. Rejects
   * with TEXT_TOO_LONG, INVALID_ARGUMENT (the vocabulary cannot represent the text),
   * RESOURCE_EXHAUSTED.
   */
  tokenizeAsync(text: string, special: boolean): Promise<Int32Array>;
  /** [async, like `tokenizeAsync`] `tokenizeSegments` on another thread. */
  tokenizeSegmentsAsync(
    texts: string[],
    ids: Int32Array,
  ): Promise<{ tokens: Int32Array; ends: Int32Array }>;
  /**
   * [sync] Text of ids, special tokens written out; throws INVALID_ARGUMENT on an id outside the
   * vocabulary.
   */
  detokenize(tokens: Int32Array): string;
  /** [sync] The same as UTF-8, in which the last character may be incomplete. */
  detokenizeBytes(tokens: Int32Array): Uint8Array;
  /** [sync] Returns the grammar of a recently compiled GBNF text, or null. */
  knownGrammar(text: string): NativeGrammar | null;
  /**
   * [async] Compiles a grammar in GBNF with a rule `root`, within 10 seconds, and caches it for
   * `knownGrammar` (at most 256 of them, and 128 MiB together). Rejects with GRAMMAR_INVALID, which
   * reports line and column. Stops when the environment ends.
   */
  compileGrammar(text: string): Promise<NativeGrammar>;
  /** [async] Releases the wrapper's share of the model on a separate thread. Idempotent. */
  close(): Promise<void>;
}

/** The complete configuration of `llama_init_from_model` and the thread pools. */
export interface NativeEngineConfig {
  /** Total KV cells. Unit: tokens; 0: the model's training context. */
  contextSize: number;
  batchSize: number;
  ubatchSize: number;
  /** Sequences decoded in parallel, 1..256. */
  sequences: number;
  /** Whether there is one more sequence, for guests alone; needs one pool of cells. */
  guestSequence: boolean;
  /** One pool of cells for all sequences (true), or an equal share for each. */
  kvUnified: boolean;
  threads: number;
  threadsBatch: number;
  /** Name of a ggml type, one of llama.cpp's cache types. */
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
  /** Requests that may wait in addition to the running ones; one more ends with QUEUE_FULL. */
  maxQueue: number;
  /** Whether finished sequences keep their cells for later prompts with the same beginning. */
  prefixCache: boolean;
  /** Maximum tokens that a step may verify for one sequence (speculation); 0: none. */
  maxDraft: number;
  /**
   * One sequence per decode, and no prompt uses cached cells: the ids are the same whatever else
   * runs or ran before.
   */
  deterministic: boolean;
  /** Whether to decode one warm-up batch before the engine is ready. */
  warmup: boolean;
}

/** llama.cpp's actual values for a NativeEngineConfig. */
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
  /** The same by device, including the model's weights; devices that hold nothing are left out. */
  memory: NativeDeviceMemory[];
  /** The actual priority of the worker threads. */
  priority: "normal" | "medium" | "high" | "realtime";
}

/** A snapshot of the engine, taken without stopping it. */
export interface NativeEngineStats {
  /** Requests that currently have a sequence. */
  running: number;
  /** Requests in the queue, including those that were sent back to it. */
  waiting: number;
  /**
   * KV cells that hold a token, shared ones counted once, including those that ended requests left
   * for later prompts.
   */
  cellsUsed: number;
  /** Total KV cells: `info.contextSize`. */
  cellsTotal: number;
  /** Prompt tokens computed since the engine started. */
  promptTokens: number;
  /** Prompt tokens reused from the cache. Counted when a request ends. */
  cachedTokens: number;
  /** Generated tokens. Counted when a request ends. */
  completionTokens: number;
  /** Requests accepted since the engine started. */
  requests: number;
  /** Batches decoded since the engine started. */
  steps: number;
  /** Tokens drafted by speculation. Counted when a request ends. */
  draftedTokens: number;
  /** Drafted tokens that were accepted. Counted when a request ends. */
  acceptedTokens: number;
  /** Generated tokens per second, over the last three seconds; 0 when nothing ran in them. */
  tokensPerSecond: number;
}

/** One context and its thread. Keeps its model alive. */
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
   * [async] Ends every request with DISPOSED, joins the thread without blocking the JavaScript
   * thread, frees the context. Idempotent.
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
   * [async] Registers the devices of RPC servers ("host:port"), which are then listed before the
   * local ones; this cannot be undone. Resolves with all devices. A server that refuses, or dies
   * later, aborts the process: probe it first, and call this in a child process. Rejects with
   * RPC_INVALID for a server without devices.
   */
  connectRpc(endpoints: string[]): Promise<NativeDevice[]>;
  /**
   * [async, its own thread, until the process ends; it keeps the process alive, so end it with a
   * signal] Serves devices to one client at a time; rejects with RPC_SERVER_FAILED.
   */
  serveRpc(config: NativeRpcServerConfig): Promise<void>;
  /**
   * [sync] `sink` [callback] receives log lines in batches; null removes it. One sink per
   * environment.
   */
  setLogSink(sink: ((entries: NativeLogEntry[]) => void) | null): void;
  /** [sync] */
  createCancelToken(): NativeCancelToken;
  /**
   * [async] `onProgress` [callback] receives values 0..1, only the latest. Rejects with ABORTED
   * when cancelled, with nothing left allocated.
   */
  loadModel(
    config: NativeModelConfig,
    token: NativeCancelToken,
    onProgress: (progress: number) => void,
  ): Promise<NativeModel>;
  /**
   * [async] `onEvents` [callback] receives all events since its last call, in order; tokens within
   * a few milliseconds of each other may arrive together. `draftModel` drafts tokens for requests
   * with `modelDraft` > 0; rejects with INVALID_ARGUMENT if its vocabulary is different. `token`
   * stops the warm-up and has no effect once the engine exists. Rejects with ABORTED when
   * cancelled.
   */
  createEngine(
    model: NativeModel,
    config: NativeEngineConfig,
    onEvents: NativeEventSink,
    draftModel: NativeModel | null,
    token: NativeCancelToken,
  ): Promise<NativeEngine>;
  /**
   * [sync; only in a process created for it, which it can end or block for ever, and whose
   * descriptor 3 is a socket from its parent: it ends when that closes] Loads the model on the CPU
   * without its data and creates a context (`engine` null: no context). `withData`: then loads the
   * file and decodes a few tokens in a small context. Throws MODEL_LOAD_FAILED and the errors of an
   * engine.
   */
  tryModel(config: NativeModelConfig, engine: NativeEngineConfig | null, withData: boolean): void;
  /**
   * [async, its own thread; run it in a child process: bad input can abort] `llama_model_quantize`;
   * `onLog` [callback] receives its log lines.
   */
  quantize(config: NativeQuantizeConfig, onLog: (entries: NativeLogEntry[]) => void): Promise<void>;
  /**
   * [async] Runs text through a model and measures how strongly each input column of each weight is
   * used. Load the model with `repack: false`: repacked weights cannot be measured. `onProgress`
   * [callback] receives values 0..1, only the latest. Rejects with ABORTED, INVALID_ARGUMENT,
   * OUT_OF_MEMORY, DECODE_FAILED.
   */
  computeImatrix(
    model: NativeModel,
    config: NativeImatrixConfig,
    token: NativeCancelToken,
    onProgress: (progress: number) => void,
  ): Promise<NativeImportance[]>;
  /**
   * [async; keep both files open until it settles] Copies bytes of one open file into another
   * inside the kernel, leaving out holes. Resolves with the number of bytes copied from the start:
   * all, or fewer if the system cannot do it, the source ends or an error occurs; always 0 on
   * systems that cannot. Never rejects.
   */
  copyRange(range: NativeCopyRange): Promise<number>;
  /**
   * [async; do not change the arrays until it settles] Searches an array of strings in the layout
   * of a GGUF file; `starts` has the offset in `bytes` of each text, which follows the 8 bytes of
   * its length. Resolves with the first two that are equal up to a NUL byte, not counting empty
   * ones, or null. Throws a TypeError for offsets outside the bytes.
   */
  findEqualStrings(
    bytes: Uint8Array,
    starts: Uint32Array,
  ): Promise<[first: number, second: number] | null>;
  /**
   * [async; like `findEqualStrings`] Finds the first string that is not a pair of two texts
   * separated by one space, or null.
   */
  findNoPair(bytes: Uint8Array, starts: Uint32Array): Promise<number | null>;
  /**
   * [async, with `threads` threads] Measures the bytes per second that so many threads together
   * read from system memory, each from its own block, which no cache can hold.
   */
  measureMemoryBandwidth(threads: number, milliseconds: number): Promise<number>;
  /**
   * [sync] Bytes of the K and V rows of one token in one layer-type: size of `elements` values of a
   * ggml type, or -1 if the type does not divide them.
   */
  rowBytes(type: string, elements: number): number;
}
