// The flags that load a model: files, devices, memory, threads and the KV cache, in llama.cpp's words; data only.
import type { Flag } from "./flags.js";
import {
  constant,
  integer,
  list,
  metadataOverrides,
  number,
  numbers,
  onOffAuto,
  tensorOverrides,
  text,
  word,
} from "./flag-values.js";

const CACHE_TYPES = "f32, f16, bf16, q8_0, q4_0, q4_1, iq4_nl, q5_0, q5_1";

const layers: Flag["parse"] = (values, name, before) => {
  const value = values.at(-1) ?? "";
  if (value === "auto" || value === "all") return value;
  const count = integer(values, name, before) as number;
  return count < 0 ? (count === -1 ? "auto" : "all") : count;
};

const threads: Flag["parse"] = (values, name, before) => {
  const count = integer(values, name, before) as number;
  return count <= 0 ? undefined : count;
};

/** A repository as llama.cpp names it, as a reference. */
export const hubName = (name: string): string => (name.startsWith("hf:") ? name : `hf:${name}`);

type Row = Omit<Flag, "target" | "group">;

/** Other ways to name the model. */
const hub: Row[] = [
  {
    names: ["-hf", "-hfr", "--hf-repo"],
    value: "OWNER/NAME[:QUANT]",
    option: "hfRepo",
    parse: text,
    doc: "a model on the Hub; the same as --model hf:OWNER/NAME:QUANT",
  },
  {
    names: ["-hff", "--hf-file"],
    value: "FILE",
    option: "hfFile",
    parse: text,
    doc: "with --hf-repo: the file of that repository",
  },
  {
    names: ["--proxy"],
    value: "ADDRESS",
    option: "proxy",
    parse: text,
    doc: "HTTP proxy for the download of a model (default: HTTPS_PROXY)",
  },
];

const model: Row[] = [
  {
    names: ["-m", "--model"],
    value: "FILE",
    option: "path",
    parse: text,
    doc: "GGUF file (of a split model the first part) or hf:owner/name:QUANT (default: the embedded tiny model)",
  },
  {
    names: ["-md", "--spec-draft-model", "--model-draft"],
    value: "FILE",
    option: "draftModel",
    parse: text,
    doc: "a small model of the same vocabulary that drafts tokens for this one to check",
  },
  {
    names: ["-hfd", "-hfrd", "--spec-draft-hf", "--hf-repo-draft"],
    value: "OWNER/NAME[:QUANT]",
    option: "draftModel",
    parse: (values) => hubName(values.at(-1) ?? ""),
    doc: "such a model on the Hub",
  },
  {
    names: ["-lm", "--load-mode"],
    value: "MODE",
    option: "loadMode",
    parse: word({
      auto: "auto",
      none: "none",
      mmap: "mmap",
      mlock: "mlock",
      dio: "direct",
      direct: "direct",
    }),
    doc: "how the file gets into memory: auto, mmap, mlock, direct or none",
  },
  {
    names: ["--mmap"],
    option: "loadMode",
    parse: constant("mmap"),
    doc: "map the file into memory",
  },
  {
    names: ["--no-mmap"],
    option: "loadMode",
    parse: constant("none"),
    doc: "read the file instead of mapping it",
  },
  {
    names: ["--mlock"],
    option: "loadMode",
    parse: constant("mlock"),
    doc: "read the file and pin it in memory",
  },
  {
    names: ["--check-tensors"],
    option: "checkTensors",
    parse: constant(true),
    doc: "check every weight for invalid values; reads the whole file",
  },
  {
    names: ["--override-kv"],
    value: "KEY=TYPE:VALUE,...",
    option: "metadataOverrides",
    parse: metadataOverrides,
    doc: "metadata to read instead of the file's; types: int, float, bool, str",
  },
  {
    names: ["-nr", "--no-repack"],
    option: "repack",
    parse: constant(false),
    doc: "keep CPU weights in the file's layout",
  },
  {
    names: ["--repack"],
    option: "repack",
    parse: constant(true),
    doc: "let CPU weights be copied into faster layouts (default)",
  },
];

const devices: Row[] = [
  {
    names: ["-ngl", "--gpu-layers", "--n-gpu-layers"],
    value: "N",
    option: "gpuLayers",
    parse: layers,
    doc: "layers on GPUs: a number, auto or all (default: auto)",
  },
  {
    names: ["--backend-dir"],
    value: "DIR",
    option: "backendDir",
    parse: text,
    doc: "folder with further backend libraries, such as libggml-vulkan.so",
  },
  {
    names: ["-dev", "--device"],
    value: "NAMES",
    option: "devices",
    parse: list,
    doc: "devices to use, with commas between",
  },
  {
    names: ["--rpc"],
    value: "HOST:PORT,...",
    option: "rpc",
    parse: list,
    doc: "rpc-servers whose devices take layers too; they come first",
  },
  {
    names: ["--isolation"],
    value: "none|process",
    option: "isolation",
    parse: text,
    doc: "where the model lives: process is a child that may die alone (default with --rpc)",
  },
  {
    names: ["--trial"],
    value: "auto|always|never",
    option: "trial",
    parse: text,
    doc: "try the file in a child process before it is loaded (default: auto, until it has passed)",
  },
  {
    names: ["-sm", "--split-mode"],
    value: "MODE",
    option: "splitMode",
    parse: text,
    doc: "how GPUs share the model: none, layer or row (default: layer)",
  },
  {
    names: ["-ts", "--tensor-split"],
    value: "N,N,...",
    option: "tensorSplit",
    parse: numbers,
    doc: "share of each GPU (default: by free memory)",
  },
  {
    names: ["-mg", "--main-gpu"],
    value: "INDEX",
    option: "mainGpu",
    parse: integer,
    doc: "the GPU to use with --split-mode none (default: 0)",
  },
  {
    names: ["-ot", "--override-tensor"],
    value: "PATTERN=BUFFER,...",
    option: "tensorOverrides",
    parse: tensorOverrides,
    doc: "where tensors go whose name matches, such as exps=CPU",
  },
  {
    names: ["-cmoe", "--cpu-moe"],
    option: "cpuMoe",
    parse: constant(true),
    doc: "keep all experts in system memory",
  },
  {
    names: ["-ncmoe", "--n-cpu-moe"],
    value: "N",
    option: "nCpuMoe",
    parse: integer,
    doc: "keep the experts of the first N layers in system memory",
  },
  {
    names: ["-nkvo", "--no-kv-offload"],
    option: "offloadKqv",
    parse: constant(false),
    doc: "keep the KV cache in system memory",
  },
  {
    names: ["-kvo", "--kv-offload"],
    option: "offloadKqv",
    parse: constant(true),
    doc: "keep the KV cache with the layers (default)",
  },
  {
    names: ["--no-op-offload"],
    option: "opOffload",
    parse: constant(false),
    doc: "let no GPU compute layers whose weights are in system memory",
  },
  {
    names: ["--op-offload"],
    option: "opOffload",
    parse: constant(true),
    doc: "let a GPU compute large batches of them (default)",
  },
  {
    names: ["--numa"],
    value: "TYPE",
    option: "numa",
    parse: text,
    doc: "placement on NUMA machines: distribute, isolate or numactl",
  },
];

const context: Row[] = [
  {
    names: ["-c", "--ctx-size"],
    value: "N",
    option: "contextSize",
    parse: integer,
    doc: "context in tokens, prompt and reply together; 0: the model's own (default: 8192)",
  },
  {
    names: ["-ctk", "--cache-type-k"],
    value: "TYPE",
    option: "cacheTypeK",
    parse: text,
    doc: `type of the K cache: ${CACHE_TYPES} (default: f16)`,
  },
  {
    names: ["-ctv", "--cache-type-v"],
    value: "TYPE",
    option: "cacheTypeV",
    parse: text,
    doc: "type of the V cache (default: that of K on MLA files, else f16)",
  },
  {
    names: ["-fa", "--flash-attn"],
    value: "on|off|auto",
    optionalValues: ["on", "off", "auto", "1", "0", "true", "false", "enabled", "disabled"],
    option: "flashAttention",
    parse: onOffAuto,
    doc: "fused attention (default: auto)",
  },
  {
    names: ["-b", "--batch-size"],
    value: "N",
    option: "batchSize",
    parse: integer,
    doc: "most tokens of one decode (default: 2048)",
  },
  {
    names: ["-ub", "--ubatch-size"],
    value: "N",
    option: "ubatchSize",
    parse: integer,
    doc: "most tokens computed at once (default: 512)",
  },
  {
    names: ["--no-warmup"],
    option: "warmup",
    parse: constant(false),
    doc: "no empty run before the first prompt",
  },
  {
    names: ["--warmup"],
    option: "warmup",
    parse: constant(true),
    doc: "an empty run before the first prompt (default)",
  },
  {
    names: ["--rope-scaling"],
    value: "TYPE",
    option: "rope",
    field: "scaling",
    parse: text,
    doc: "none, linear or yarn (default: the file's)",
  },
  {
    names: ["--rope-scale"],
    value: "N",
    option: "rope",
    field: "freqScale",
    parse: (values, name) => 1 / (number(values, name, undefined) as number),
    doc: "context grows by a factor of N",
  },
  {
    names: ["--rope-freq-base"],
    value: "N",
    option: "rope",
    field: "freqBase",
    parse: number,
    doc: "base frequency (default: the file's)",
  },
  {
    names: ["--rope-freq-scale"],
    value: "N",
    option: "rope",
    field: "freqScale",
    parse: number,
    doc: "frequency scale; context grows by a factor of 1/N",
  },
  {
    names: ["--yarn-orig-ctx"],
    value: "N",
    option: "rope",
    field: "yarnOrigCtx",
    parse: integer,
    doc: "YaRN: context the model was trained with",
  },
  {
    names: ["--yarn-ext-factor"],
    value: "N",
    option: "rope",
    field: "yarnExtFactor",
    parse: number,
    doc: "YaRN: mix of extrapolation",
  },
  {
    names: ["--yarn-attn-factor"],
    value: "N",
    option: "rope",
    field: "yarnAttnFactor",
    parse: number,
    doc: "YaRN: attention factor",
  },
  {
    names: ["--yarn-beta-fast"],
    value: "N",
    option: "rope",
    field: "yarnBetaFast",
    parse: number,
    doc: "YaRN: low correction dimension",
  },
  {
    names: ["--yarn-beta-slow"],
    value: "N",
    option: "rope",
    field: "yarnBetaSlow",
    parse: number,
    doc: "YaRN: high correction dimension",
  },
];

const cpu: Row[] = [
  {
    names: ["-t", "--threads"],
    value: "N",
    option: "threads",
    parse: threads,
    doc: "threads that decode (default: the physical cores; 1 for a file below 32 MiB)",
  },
  {
    names: ["-tb", "--threads-batch"],
    value: "N",
    option: "threadsBatch",
    parse: threads,
    doc: "threads that take in prompts (default: as --threads)",
  },
  {
    names: ["--prio"],
    value: "N",
    option: "priority",
    parse: word({ "0": "normal", "1": "medium", "2": "high", "3": "realtime" }),
    doc: "scheduling of the threads: 0 normal, 1 medium, 2 high, 3 realtime (default: 0)",
  },
  {
    names: ["--poll"],
    value: "0..100",
    option: "poll",
    parse: integer,
    doc: "how eagerly idle threads poll for work (default: 50)",
  },
  {
    names: ["--deterministic"],
    option: "deterministic",
    parse: constant(true),
    doc: "one sequence a decode, so that nothing beside can change the last bits",
  },
];

const inGroup = (group: string, rows: readonly Row[], target: Flag["target"] = "load"): Flag[] =>
  rows.map((row) => ({ ...row, target, group }));

/** Every flag of loading; `path` is the one that is no option of `loadModel` but its first argument. */
export const loadFlags: readonly Flag[] = Object.freeze([
  ...inGroup("Model:", hub, "run"),
  ...inGroup("Model:", model),
  ...inGroup("Context and cache:", context),
  ...inGroup("Devices:", devices),
  ...inGroup("Threads:", cpu),
]);
