// The options of loadModel, each with its meaning, range and default. Types only.
import type { NativeLogEntry } from "../binding/native.js";
import type { DownloadProgress } from "../hub/meter.js";
import type { CacheType } from "./cache-types.js";

/** Receives log lines: one function for all levels, or an object such as `console`. */
export type Logger =
  | ((entry: NativeLogEntry) => void)
  | Partial<Record<NativeLogEntry["level"], (text: string) => void>>;

/**
 * A metadata value. The long form names the GGUF type in `kind`, which a number alone does not
 * determine. In the short form a whole number is `int` and any other number is `float`.
 */
export type MetadataValue =
  | number
  | boolean
  | string
  | {
      readonly kind: "int" | "float" | "bool" | "string";
      readonly value: number | boolean | string;
    };

/** Changes to the rotary embedding. Values that are not set keep what the file says. */
export interface RopeOptions {
  /** @defaultValue `"file"` */
  readonly scaling?: "file" | "none" | "linear" | "yarn" | "longrope" | undefined;
  /** Base frequency; 0: as the file says. @defaultValue 0 */
  readonly freqBase?: number | undefined;
  /**
   * Frequency scale, 1 / n to reach n times the training context; 0: as the file says.
   * @defaultValue 0
   */
  readonly freqScale?: number | undefined;
  /** YaRN's mix of extrapolation; negative: as the file says. @defaultValue -1 */
  readonly yarnExtFactor?: number | undefined;
  /** YaRN's attention factor; negative: as the file says. @defaultValue -1 */
  readonly yarnAttnFactor?: number | undefined;
  /** YaRN's low correction dimension; negative: as the file says. @defaultValue -1 */
  readonly yarnBetaFast?: number | undefined;
  /** YaRN's high correction dimension; negative: as the file says. @defaultValue -1 */
  readonly yarnBetaSlow?: number | undefined;
  /**
   * Context the model was trained with before YaRN, in tokens; 0: as the file says.
   * @defaultValue 0
   */
  readonly yarnOrigCtx?: number | undefined;
}

/**
 * Options of {@link loadModel}. An unknown name is refused with UNKNOWN_OPTION, and the message
 * suggests the nearest valid one.
 */
export interface LoadOptions {
  /**
   * KV cells: the tokens of prompt and reply together. All sequences share them when `kvUnified`;
   * otherwise each sequence gets an equal share. llama.cpp rounds the value up to a multiple of
   * 256. A value above the model's training context is accepted (llama.cpp warns in its log); 0
   * means the training context. Unit: tokens. @defaultValue 8192
   * @throws {R1Error} `OUT_OF_MEMORY` when the cache does not fit into the free memory.
   */
  readonly contextSize?: number | undefined;
  /** Maximum tokens per `llama_decode`. Range: 1 .. 2^20. @defaultValue 2048 */
  readonly batchSize?: number | undefined;
  /**
   * Maximum tokens computed at once within a batch; at most `batchSize`. A larger value is faster
   * on a GPU, a smaller one responds sooner.
   * @defaultValue 512, or `batchSize` if that is smaller
   */
  readonly ubatchSize?: number | undefined;
  /**
   * Threads used for decoding. Range: 1 .. 512.
   * @defaultValue the physical cores available to this process; 1 for a file below 32 MiB, which is
   * too little work to share
   */
  readonly threads?: number | undefined;
  /** Threads used for prompts. Range: 1 .. 512. @defaultValue `threads` */
  readonly threadsBatch?: number | undefined;
  /**
   * Type of the K cache. In a file with multi-head latent attention (every current conversion of
   * R1), V is a view of K and has the same type.
   * @defaultValue `"f16"`
   * @throws {R1Error} `CACHE_TYPE_UNSUPPORTED` when the file's heads do not fit the type, or the
   * two types cannot be combined.
   */
  readonly cacheTypeK?: CacheType | undefined;
  /**
   * Type of the V cache; a quantised type needs flash attention.
   * @defaultValue `cacheTypeK` on an MLA file, else `"f16"`
   */
  readonly cacheTypeV?: CacheType | undefined;
  /** Fused attention; `auto` uses it when every device supports it. @defaultValue `"auto"` */
  readonly flashAttention?: "auto" | "on" | "off" | undefined;
  /**
   * Layers on GPUs, counted from the last; the output layer counts as one more. `"all"`: all of
   * them. `"auto"`: the plan of {@link planOffload} for the free memory of the devices, including
   * overrides for experts; 0 without a GPU. Your own overrides that keep tensors in system memory
   * are taken into account. With other overrides, a `tensorSplit`, or a `splitMode` other than
   * `"layer"`, `"auto"` means all layers if the file fits with 1 GiB to spare on each device, and
   * otherwise floor(free / file size * layers - 4).
   * @defaultValue `"auto"`
   */
  readonly gpuLayers?: number | "auto" | "all" | undefined;
  /**
   * A folder to search for further backend libraries, such as `libggml-vulkan.so`. The only other
   * folder searched is the addon's own, never the working directory. Each library is first tried in
   * a separate process, once per process, and stays loaded. A library that cannot be used causes
   * one warning (to `logger`, otherwise a process warning).
   * @defaultValue none
   * @throws {R1Error} `INVALID_ARGUMENT` when it is not a folder.
   */
  readonly backendDir?: string | undefined;
  /**
   * Names of the devices to use, in this order, as listed by {@link devices}.
   * @defaultValue llama.cpp's choice
   */
  readonly devices?: readonly string[] | undefined;
  /**
   * RPC servers, each `"host:port"` (a name or an IPv4 address). Their devices (`RPC0`, `RPC1`,
   * ...) are listed before those of this machine, and `gpuLayers`, `devices` and `tensorSplit`
   * count over all of them. Start a server on each machine with `r1-native rpc-server`. Weights are
   * sent over the network while loading. Such a model runs with `isolation: "process"`. At most 16.
   * @defaultValue none
   * @throws {R1Error} `RPC_UNREACHABLE`, `RPC_BUSY`, `RPC_INVALID` within 3 s.
   */
  readonly rpc?: readonly string[] | undefined;
  /**
   * `"process"`: weights and engine run in a child process. If the child dies (llama.cpp aborts, or
   * memory runs out), the model's generations fail with `ENGINE_CRASHED` and this process
   * continues. The API is the same. `"none"`: they run in this process.
   * @defaultValue `"none"`, or `"process"` with `rpc`
   */
  readonly isolation?: "none" | "process" | undefined;
  /**
   * When to try the file in a separate process before it is loaded here. A damaged or hostile file
   * can make llama.cpp abort, and then only that process dies. The trial loads the file on the CPU
   * without its data and creates the requested context; for a file of at most 64 MiB it also
   * decodes a few tokens. `"auto"`: unless these files have passed before with these options and
   * versions (recorded in the user's cache folder, `r1-native/trials`); the model in the package is
   * not tried. `"always"`: at each load. `"never"`: for files that you trust. Also applies to
   * `draftModel`.
   * @defaultValue `"auto"`
   * @throws {R1Error} `MODEL_UNSUPPORTED` if that process died, `MODEL_LOAD_FAILED` if it did not
   * finish within 30 s, `RESOURCE_EXHAUSTED` if no process could be started.
   */
  readonly trial?: "auto" | "always" | "never" | undefined;
  /** Index of the device that holds the model when `splitMode` is `"none"`. @defaultValue 0 */
  readonly mainGpu?: number | undefined;
  /** Share of each device. Up to 16 numbers >= 0. @defaultValue by free memory */
  readonly tensorSplit?: readonly number[] | undefined;
  /** How the model is split among several devices. @defaultValue `"layer"` */
  readonly splitMode?: "none" | "layer" | "row" | undefined;
  /**
   * Regular expressions over tensor names, each with the buffer for the tensors that match
   * (`"CPU"`, or the name of a device); the first match wins. llama.cpp's `-ot`. At most 512
   * patterns of 1,000 characters, in RE2 syntax: matched in linear time, without look-around and
   * back references.
   * @defaultValue none
   */
  readonly tensorOverrides?:
    | Readonly<Record<string, string>>
    | readonly { readonly pattern: string; readonly buffer: string }[];
  /** Keeps all experts in system memory. llama.cpp's `--cpu-moe`. @defaultValue false */
  readonly cpuMoe?: boolean | undefined;
  /**
   * Keeps the experts of the first n layers in system memory. llama.cpp's `--n-cpu-moe`.
   * @defaultValue 0
   */
  readonly nCpuMoe?: number | undefined;
  /**
   * How the file is read into memory. `mmap`: pages are read on first use. `mlock`: read and
   * pinned. `direct`: read without the page cache. `none`: read. `auto`: mmap if every device
   * supports it.
   * @defaultValue `"auto"`
   */
  readonly loadMode?: "auto" | "none" | "mmap" | "mlock" | "direct" | undefined;
  /**
   * Placement on NUMA machines. Applies to the whole process: the first model decides.
   * @defaultValue `"disabled"`
   */
  readonly numa?: "disabled" | "distribute" | "isolate" | "numactl" | undefined;
  /**
   * Scheduling priority of the decoding threads, `--prio` 0 to 3 of llama.cpp. It stays `"normal"`
   * where the system does not allow more (Linux: needs root or CAP_SYS_NICE). It also stays
   * `"normal"` when there are as many threads as cores, because real-time threads on every core
   * would leave none for JavaScript. `model.info.priority` has the actual value.
   * @defaultValue `"normal"`
   */
  readonly priority?: "normal" | "medium" | "high" | "realtime" | undefined;
  /**
   * Checks every weight for invalid values while loading. This reads the whole file.
   * @defaultValue false
   */
  readonly checkTensors?: boolean | undefined;
  /** Changes to the rotary embedding. @defaultValue as the file says */
  readonly rope?: RopeOptions | undefined;
  /**
   * Metadata that replaces the file's, llama.cpp's `--override-kv`. A whole number is read as an
   * integer: write `{ kind: "float", value: 10000 }` for a float key.
   * @defaultValue none
   * @throws {R1Error} `INVALID_ARGUMENT` for a value of a different kind from the file's, which
   * llama.cpp would ignore, and for a value with which the file could not be loaded.
   */
  readonly metadataOverrides?: Readonly<Record<string, MetadataValue>> | undefined;
  /**
   * Receives llama.cpp's log lines from now until `close()`. The log belongs to the process: with
   * several models loaded, each logger receives the lines of all.
   * @defaultValue nothing is logged
   */
  readonly logger?: Logger | undefined;
  /** Generations decoded in parallel; further ones wait. Range: 1 .. 256. @defaultValue 1 */
  readonly sequences?: number | undefined;
  /**
   * One pool of cells for all sequences, each using as many as it needs, instead of an equal share
   * of `contextSize` for each. Shares are faster, because a token then attends only to the cells of
   * its own sequence. A prefix is shared either way (one pool shares the cells, separate shares
   * copy them). Cannot be true with `deterministic`.
   * @defaultValue false when each share holds at least 4096 tokens or with `deterministic`, else
   * true
   */
  readonly kvUnified?: boolean | undefined;
  /**
   * Requests that may wait in addition to the running ones; one more fails with QUEUE_FULL.
   * @defaultValue 1024
   */
  readonly maxQueue?: number | undefined;
  /**
   * Keeps the cells of finished sequences, so that a prompt with the same beginning does not
   * compute it again.
   * @defaultValue true
   */
  readonly prefixCache?: boolean | undefined;
  /**
   * Adds one sequence for generations with the option `guest`, which then take no cells that
   * finished generations keep. It costs no cells of its own: once there was a guest, an eighth of
   * the cells is kept free, where idle sequences other than the latest can give them back. Needs
   * one pool of cells, so `kvUnified` is true by default then. Not with `deterministic`.
   * @defaultValue false
   */
  readonly guestSequence?: boolean | undefined;
  /**
   * Key that seals saved sessions with HMAC-SHA-256. `restoreSession` then accepts only sessions
   * sealed with it (otherwise `STATE_INVALID`). Set it whenever others can write to the place that
   * session bytes come from: a client, a shared folder, a database. At least 16 bytes; a string
   * counts as UTF-8.
   * @defaultValue none: a seal then only proves that a session is complete
   */
  readonly sessionKey?: string | Uint8Array | undefined;
  /**
   * Maximum tokens that speculation may draft at once; 0 forbids the option `speculation` of a
   * generation. Range: 0 .. 64, and `sequences` * (1 + `maxDraft`) at most `batchSize`.
   * @defaultValue 16, or less if `batchSize` requires it
   */
  readonly maxDraft?: number | undefined;
  /**
   * A small model with the same vocabulary that drafts tokens for this one to verify: faster when
   * it drafts well, and greedy output stays the same. Its file is checked and loaded like the
   * model's own, with the same `gpuLayers` (`"auto"`: planned for the device memory that the model
   * leaves free), `devices` and `loadMode`.
   * @defaultValue none
   * @throws {R1Error} `INVALID_ARGUMENT` when its vocabulary is different; otherwise as for the
   * model's own file.
   */
  readonly draftModel?: string | URL | undefined;
  /**
   * Decodes one sequence at a time and computes every prompt from the start, each sequence in its
   * own cells. Neither concurrent nor earlier generations can then change the last bits of a
   * generation.
   * @defaultValue false
   */
  readonly deterministic?: boolean | undefined;
  /**
   * Decodes one empty batch before the model is ready, as llama.cpp's programs do.
   * @defaultValue true
   */
  readonly warmup?: boolean | undefined;
  /**
   * How eagerly idle decoding threads poll for work. Range: 0 (sleep at once) .. 100.
   * @defaultValue 50
   */
  readonly poll?: number | undefined;
  /**
   * Lets CPU weights be copied into layouts that compute faster; uses more memory. R1 itself (MLA)
   * is not repacked on CPUs with AMX. Off gives the same numbers as `--no-repack`.
   * @defaultValue true
   */
  readonly repack?: boolean | undefined;
  /** Keeps the KV cache on the devices of its layers. @defaultValue true */
  readonly offloadKqv?: boolean | undefined;
  /**
   * Lets a GPU compute large batches of layers whose weights are in system memory.
   * @defaultValue true
   */
  readonly opOffload?: boolean | undefined;
  /**
   * Receives 0..1, never decreasing, at most once per 16 ms, and 1 at the end. Covers loading only.
   * An exception in it rejects the load.
   */
  readonly onProgress?: ((progress: number) => void) | undefined;
  /**
   * Receives the download progress of a model named `hf:...` before loading begins: at most ten
   * times a second, and once at the end, even if every file was already there. Never called for a
   * path. An exception in it rejects the load; the downloaded bytes are kept.
   */
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** Cancels the load within 250 ms; `loadModel` then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}
