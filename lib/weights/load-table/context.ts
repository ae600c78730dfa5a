// Load options about the context and its cache; data only.
import { CACHE_TYPES } from "../cache-types.js";
import { rope } from "./checks.js";
import { choice, onOff, other, whole, type LoadRow } from "./row.js";

export const CONTEXT_ROWS = {
  contextSize: {
    doc:
      "KV cells: tokens of prompt and reply together. A value above the training context is " +
      "taken as given; 0: the training context",
    kind: whole(0, 2 ** 31 - 1),
    default: 8192,
    native: "engine",
    flags: [
      {
        names: ["-c", "--ctx-size"],
        value: "N",
        doc: "context in tokens, prompt and reply together; 0: the model's own",
      },
    ],
  },
  cacheTypeK: {
    doc:
      "type of the K cache. On an MLA file (every current conversion of R1) V is a " +
      "view of K and takes its type",
    kind: choice(...CACHE_TYPES),
    defaultText: '`"f16"`',
    native: "engine",
    flags: [
      {
        names: ["-ctk", "--cache-type-k"],
        value: "TYPE",
        doc: `type of the K cache: ${CACHE_TYPES.join(", ")}`,
        shownDefault: "f16",
      },
    ],
  },
  cacheTypeV: {
    doc: "type of the V cache; a quantised one needs flash attention",
    kind: choice(...CACHE_TYPES),
    defaultText: '`cacheTypeK` on an MLA file, else `"f16"`',
    native: "engine",
    flags: [
      {
        names: ["-ctv", "--cache-type-v"],
        value: "TYPE",
        doc: "type of the V cache",
        shownDefault: "the type of the K cache on MLA files, else f16",
      },
    ],
  },
  flashAttention: {
    doc: "fused attention; a quantised V switches it on",
    kind: choice("auto", "on", "off"),
    default: "auto",
    native: "engine",
    flags: [
      {
        names: ["-fa", "--flash-attn"],
        value: "on|off|auto",
        wordIfLeftOut: "on",
        words: {
          on: "on",
          off: "off",
          auto: "auto",
          "1": "on",
          "0": "off",
          true: "on",
          false: "off",
          enabled: "on",
          disabled: "off",
        },
        doc: "fused attention",
      },
    ],
  },
  batchSize: {
    doc: "most tokens of one decode",
    kind: whole(1, 2 ** 20),
    default: 2048,
    native: "engine",
    flags: [{ names: ["-b", "--batch-size"], value: "N", doc: "maximum tokens of one decode" }],
  },
  ubatchSize: {
    doc:
      "most tokens computed at once, at most `batchSize`: an abort in a prompt waits for one " +
      "operation over them ([benchmarks](../evidence/benchmark.md))",
    kind: whole(1, 2 ** 20),
    defaultText: "512, or `batchSize` if that is smaller",
    native: "engine",
    flags: [
      {
        names: ["-ub", "--ubatch-size"],
        value: "N",
        doc: "maximum tokens computed at once",
        shownDefault: "512",
      },
    ],
  },
  warmup: {
    doc: "decodes one empty batch before the model is called ready",
    kind: onOff,
    default: true,
    native: "engine",
    flags: [
      { names: ["--no-warmup"], sets: false, doc: "no warm-up run before the first prompt" },
      { names: ["--warmup"], sets: true, doc: "a warm-up run before the first prompt (default)" },
    ],
  },
  rope: {
    doc:
      "changes to the rotary embedding: " +
      "`{ scaling, freqBase, freqScale, yarnExtFactor, yarnAttnFactor, yarnBetaFast, " +
      "yarnBetaSlow, yarnOrigCtx }`",
    kind: other("an object", rope),
    defaultText: "as the file says",
    native: "engine",
    flags: [
      {
        names: ["--rope-scaling"],
        value: "TYPE",
        field: "scaling",
        reader: "text",
        doc: "none, linear or yarn",
        shownDefault: "the file's",
      },
      {
        names: ["--rope-scale"],
        value: "N",
        field: "freqScale",
        reader: "reciprocal",
        doc: "context grows by a factor of N",
      },
      {
        names: ["--rope-freq-base"],
        value: "N",
        field: "freqBase",
        reader: "number",
        doc: "base frequency",
        shownDefault: "the file's",
      },
      {
        names: ["--rope-freq-scale"],
        value: "N",
        field: "freqScale",
        reader: "number",
        doc: "frequency scale; context grows by a factor of 1/N",
      },
      {
        names: ["--yarn-orig-ctx"],
        value: "N",
        field: "yarnOrigCtx",
        reader: "integer",
        doc: "YaRN: context the model was trained with",
      },
      {
        names: ["--yarn-ext-factor"],
        value: "N",
        field: "yarnExtFactor",
        reader: "number",
        doc: "YaRN: mix of extrapolation",
      },
      {
        names: ["--yarn-attn-factor"],
        value: "N",
        field: "yarnAttnFactor",
        reader: "number",
        doc: "YaRN: attention factor",
      },
      {
        names: ["--yarn-beta-fast"],
        value: "N",
        field: "yarnBetaFast",
        reader: "number",
        doc: "YaRN: low correction dimension",
      },
      {
        names: ["--yarn-beta-slow"],
        value: "N",
        field: "yarnBetaSlow",
        reader: "number",
        doc: "YaRN: high correction dimension",
      },
    ],
  },
} as const satisfies Record<string, LoadRow>;
