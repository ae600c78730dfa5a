// The flags that load a model: files, memory and the KV cache, in llama.cpp's words; data only.
import { inGroup, type Flag, type Row } from "./flags.js";
import { cpuRows, deviceRows } from "./flags-devices.js";
import {
  constant,
  integer,
  metadataOverrides,
  number,
  onOffAuto,
  text,
  word,
} from "./flag-values.js";

const CACHE_TYPES = "f32, f16, bf16, q8_0, q4_0, q4_1, iq4_nl, q5_0, q5_1";

/** A repository as llama.cpp names it, as a reference. */
export const hubName = (name: string): string => (name.startsWith("hf:") ? name : `hf:${name}`);

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

/**
 * Every flag of loading; `path` is the one that is no option of `loadModel` but its first argument.
 */
export const loadFlags: readonly Flag[] = Object.freeze([
  ...inGroup("run", "Model:", hub),
  ...inGroup("load", "Model:", model),
  ...inGroup("load", "Context and cache:", context),
  ...inGroup("load", "Devices:", deviceRows),
  ...inGroup("load", "Threads:", cpuRows),
]);
