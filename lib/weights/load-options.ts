// What loadModel takes: every option once, with its meaning, range and default; the types only.
// Runs nowhere.
import type { NativeLogEntry } from "../binding/native.js";
import type { DownloadProgress } from "../hub/meter.js";
import type { CacheType } from "./cache-types.js";

/** Where log lines go: one function for all, or an object such as `console`. */
export type Logger =
  | ((entry: NativeLogEntry) => void)
  | Partial<Record<NativeLogEntry["level"], (text: string) => void>>;

/**
 * A value for a metadata key; the long form says in `kind` what GGUF type of value it is, which a
 * number alone does not tell. A whole number is `int`, any other `float`.
 */
export type MetadataValue =
  | number
  | boolean
  | string
  | {
      readonly kind: "int" | "float" | "bool" | "string";
      readonly value: number | boolean | string;
    };

/** Changes to the rotary embedding; what is not given stays as the file says. */
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
 * Options of {@link loadModel}. A name that is not here is refused with UNKNOWN_OPTION and the
 * nearest right one.
 */
export interface LoadOptions {
  /**
   * KV cells, that is tokens of prompt and reply together; shared by all sequences when
   * `kvUnified`, divided among them otherwise. llama.cpp rounds it up to a multiple of 256. A value
   * above the model's training context is taken as it is (llama.cpp warns in its log); 0 takes the
   * training context. Unit: tokens. @defaultValue 8192
   * @throws {R1Error} `OUT_OF_MEMORY` when the cache cannot fit into the memory that is free.
   */
  readonly contextSize?: number | undefined;
  /** Most tokens of one `llama_decode`. Range: 1 .. 2^20. @defaultValue 2048 */
  readonly batchSize?: number | undefined;
  /**
   * Most tokens computed at once within a batch; at most `batchSize`. A larger one is faster on a
   * GPU, a smaller one reacts sooner.
   * @defaultValue 512, or `batchSize` if that is smaller
   */
  readonly ubatchSize?: number | undefined;
  /**
   * Threads that decode. Range: 1 .. 512.
   * @defaultValue the physical cores this process may use; 1 for a file below 32 MiB, whose work is
   * too small to share
   */
  readonly threads?: number | undefined;
  /** Threads that take in prompts. Range: 1 .. 512. @defaultValue `threads` */
  readonly threadsBatch?: number | undefined;
  /**
   * Type of the K cache. On a file with multi-head latent attention (every current conversion of
   * R1) V is a view of K and takes the same type.
   * @defaultValue `"f16"`
   * @throws {R1Error} `CACHE_TYPE_UNSUPPORTED` when the file's heads do not fit the type, or the
   * two types do not go together.
   */
  readonly cacheTypeK?: CacheType | undefined;
  /**
   * Type of the V cache; a quantised one needs flash attention.
   * @defaultValue `cacheTypeK` on an MLA file, else `"f16"`
   */
  readonly cacheTypeV?: CacheType | undefined;
  /** Fused attention; `auto` uses it where every device can. @defaultValue `"auto"` */
  readonly flashAttention?: "auto" | "on" | "off" | undefined;
  /**
   * Layers on GPUs, counted from the last; the output layer counts as one more. `"all"`: all of
   * them. `"auto"`: what {@link planOffload} plans for the memory that is free on the devices,
   * overrides for experts included; 0 without a GPU. Overrides of your own that keep tensors in
   * system memory are planned around; with other overrides, a `tensorSplit` or another `splitMode`
   * than `"layer"` it is all layers where the file fits with 1 GiB to spare on each device, else
   * floor(free / file size * layers - 4) of them.
   * @defaultValue `"auto"`
   */
  readonly gpuLayers?: number | "auto" | "all" | undefined;
  /**
   * A folder to look for further backend libraries in, such as `libggml-vulkan.so`; beside it only
   * the addon's own folder is searched, never the working directory. A library is tried in a
   * process of its own before it is loaded, once a process, and stays loaded. One that cannot be
   * used costs one warning (to `logger`, else a process warning).
   * @defaultValue none
   * @throws {R1Error} `INVALID_ARGUMENT` when it is no folder.
   */
  readonly backendDir?: string | undefined;
  /**
   * Names of the devices to use, in this order, as {@link devices} tells them.
   * @defaultValue llama.cpp's choice
   */
  readonly devices?: readonly string[] | undefined;
  /**
   * RPC servers, each `"host:port"` (a name or an IPv4 address): their devices (`RPC0`, `RPC1`,
   * ...) come before those of this machine, and `gpuLayers`, `devices` and `tensorSplit` count over
   * them. Start one on each machine with `r1-native rpc-server`. Weights go over the network while
   * loading. Such a model runs with `isolation: "process"`. At most 16. @defaultValue none
   * @throws {R1Error} `RPC_UNREACHABLE`, `RPC_BUSY`, `RPC_INVALID` within 3 s.
   */
  readonly rpc?: readonly string[] | undefined;
  /**
   * `"process"`: weights and engine live in a child process, and when that dies (an abort of
   * llama.cpp, memory that ran out), the model's generations fail with `ENGINE_CRASHED` while this
   * process goes on. The calls are the same. `"none"`: they live in this process.
   * @defaultValue `"none"`, or `"process"` with `rpc`
   */
  readonly isolation?: "none" | "process" | undefined;
  /**
   * When a process of its own tries the file before it is loaded here: a damaged or hostile file
   * can make llama.cpp abort, and then only that process dies. It loads the file on the CPU without
   * its data, makes the context that is asked for, and with a file of at most 64 MiB also decodes a
   * few tokens. `"auto"`: unless these files have passed with these options and versions before
   * (remembered in the user's cache folder, `r1-native/trials`); the model that comes with the
   * package is not tried. `"always"`: at each load. `"never"`: for files that you trust. Also
   * applies to `draftModel`.
   * @defaultValue `"auto"`
   * @throws {R1Error} `MODEL_UNSUPPORTED` where that process died, `MODEL_LOAD_FAILED` where it did
   * not end within 30 s, `RESOURCE_EXHAUSTED` where none could be started.
   */
  readonly trial?: "auto" | "always" | "never" | undefined;
  /** Index of the device that takes the model when `splitMode` is `"none"`. @defaultValue 0 */
  readonly mainGpu?: number | undefined;
  /** Share of each device. Up to 16 numbers >= 0. @defaultValue by free memory */
  readonly tensorSplit?: readonly number[] | undefined;
  /** How several devices share the model. @defaultValue `"layer"` */
  readonly splitMode?: "none" | "layer" | "row" | undefined;
  /**
   * Regular expressions over tensor names and the buffer each sends its tensors to (`"CPU"`, or a
   * device's name); the first match wins. llama.cpp's `-ot`. At most 512 patterns of 1,000
   * characters, of the RE2 kind: matched in linear time, without look-around and back references.
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
   * How the file gets into memory. `mmap`: pages come when first used. `mlock`: read and pinned.
   * `direct`: read past the page cache. `none`: read. `auto`: mmap where every device can.
   * @defaultValue `"auto"`
   */
  readonly loadMode?: "auto" | "none" | "mmap" | "mlock" | "direct" | undefined;
  /**
   * Placement on NUMA machines. Process-wide: the first model of the process decides.
   * @defaultValue `"disabled"`
   */
  readonly numa?: "disabled" | "distribute" | "isolate" | "numactl" | undefined;
  /**
   * Scheduling of the decoding threads, `--prio` 0 to 3 of llama.cpp. It stays `"normal"` where the
   * system does not allow more (Linux: root, or CAP_SYS_NICE), and where the threads are as many as
   * the cores, since real-time threads on every core would leave JavaScript none;
   * `model.info.priority` tells.
   * @defaultValue `"normal"`
   */
  readonly priority?: "normal" | "medium" | "high" | "realtime" | undefined;
  /**
   * Checks every weight for invalid values while loading; reads the whole file.
   * @defaultValue false
   */
  readonly checkTensors?: boolean | undefined;
  /** Changes to the rotary embedding. @defaultValue as the file says */
  readonly rope?: RopeOptions | undefined;
  /**
   * Metadata to read instead of the file's, llama.cpp's `--override-kv`. A whole number is taken as
   * an integer: write `{ kind: "float", value: 10000 }` for a float key.
   * @defaultValue none
   * @throws {R1Error} `INVALID_ARGUMENT` for a value of another kind than the file's, which
   * llama.cpp would pass over, and for one with which the file could not be loaded.
   */
  readonly metadataOverrides?: Readonly<Record<string, MetadataValue>> | undefined;
  /**
   * Gets llama.cpp's log lines from here until `close()`. The log is the process's: with several
   * models loaded, each logger sees the lines of all.
   * @defaultValue nothing is logged
   */
  readonly logger?: Logger | undefined;
  /** Generations decoded side by side; further ones wait. Range: 1 .. 256. @defaultValue 1 */
  readonly sequences?: number | undefined;
  /**
   * One pool of cells for all sequences, of which each takes what it needs, rather than an equal
   * share of `contextSize` for each. Shares are faster: a token then attends over its own
   * sequence's cells only. A prefix is shared either way (in one pool its cells are, else they are
   * copied). Not true together with `deterministic`.
   * @defaultValue false when each share holds at least 4096 tokens or with `deterministic`, else
   * true
   */
  readonly kvUnified?: boolean | undefined;
  /**
   * Requests that may wait beside the running ones; one more fails with QUEUE_FULL.
   * @defaultValue 1024
   */
  readonly maxQueue?: number | undefined;
  /**
   * Finished sequences keep their cells, so that a prompt with the same beginning need not compute
   * it again.
   * @defaultValue true
   */
  readonly prefixCache?: boolean | undefined;
  /**
   * Seals saved sessions with HMAC-SHA-256, and `restoreSession` takes only those that were sealed
   * with it (else `STATE_INVALID`). Give it whenever the bytes of a session come back from
   * somewhere that others can write to: a client, a shared folder, a database. At least 16 bytes; a
   * string counts as UTF-8.
   * @defaultValue none: a seal shows only that a session is whole
   */
  readonly sessionKey?: string | Uint8Array | undefined;
  /**
   * Most tokens that speculation may draft at once; 0 makes the option `speculation` of a
   * generation impossible. Range: 0 .. 64, and `sequences` * (1 + `maxDraft`) at most `batchSize`.
   * @defaultValue 16, or what `batchSize` allows
   */
  readonly maxDraft?: number | undefined;
  /**
   * A small model with the same vocabulary that drafts tokens for this one to verify: faster where
   * it guesses well, never another greedy output. Its file is checked and loaded like the model's
   * own, with the same `gpuLayers` (`"auto"`: planned for what the model leaves of the devices),
   * `devices` and `loadMode`.
   * @defaultValue none
   * @throws {R1Error} `INVALID_ARGUMENT` when its vocabulary is another one; else as for the
   * model's own file.
   */
  readonly draftModel?: string | URL | undefined;
  /**
   * Decodes one sequence at a time and computes every prompt anew, each sequence in cells of its
   * own, so that neither what runs beside a generation nor what ran before can change its last
   * bits.
   * @defaultValue false
   */
  readonly deterministic?: boolean | undefined;
  /**
   * Decodes one empty batch before the model is called ready, as llama.cpp's programs do.
   * @defaultValue true
   */
  readonly warmup?: boolean | undefined;
  /**
   * How eagerly idle decoding threads poll for work. Range: 0 (sleep at once) .. 100.
   * @defaultValue 50
   */
  readonly poll?: number | undefined;
  /**
   * Lets CPU weights be copied into layouts that compute faster; costs memory. R1 itself (MLA) is
   * left as it is on CPUs with AMX. Off gives the numbers of `--no-repack`.
   * @defaultValue true
   */
  readonly repack?: boolean | undefined;
  /** Keeps the KV cache with the layers on the devices. @defaultValue true */
  readonly offloadKqv?: boolean | undefined;
  /**
   * Lets a GPU compute large batches of layers whose weights are in system memory.
   * @defaultValue true
   */
  readonly opOffload?: boolean | undefined;
  /**
   * Gets 0..1, never falling, at most once in 16 ms, and 1 at the end. Tells of loading only. What
   * it throws rejects the load.
   */
  readonly onProgress?: ((progress: number) => void) | undefined;
  /**
   * Told how far the download is of a model named `hf:...`, before the load begins: at most ten
   * times a second, and once at the end, also when all was there. Never called for a path. What it
   * throws rejects the load; what has come is kept.
   */
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** Gives the load up within 250 ms; `loadModel` then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}
