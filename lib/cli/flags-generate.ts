// The flags of a generation: length, end conditions and sampling, under llama.cpp's names. Data
// only.
import type { SamplerName } from "../index.js";
import { inGroup, type Flag, type Row } from "./flags.js";
import { refuseFlag } from "./flags.js";
import { constant, integer, logitBias, number, texts } from "./flag-values.js";

/** llama.cpp's names of the samplers. */
const SAMPLER_NAMES: Readonly<Record<string, SamplerName>> = {
  penalties: "penalties",
  dry: "dry",
  top_n_sigma: "topNSigma",
  "top-n-sigma": "topNSigma",
  top_k: "topK",
  "top-k": "topK",
  typ_p: "typicalP",
  "typ-p": "typicalP",
  typical: "typicalP",
  typical_p: "typicalP",
  "typical-p": "typicalP",
  top_p: "topP",
  "top-p": "topP",
  nucleus: "topP",
  min_p: "minP",
  "min-p": "minP",
  xtc: "xtc",
  temperature: "temperature",
  temp: "temperature",
};

/** llama.cpp's letters of the samplers. */
const SAMPLER_LETTERS: Readonly<Record<string, SamplerName>> = {
  e: "penalties",
  d: "dry",
  s: "topNSigma",
  k: "topK",
  y: "typicalP",
  p: "topP",
  m: "minP",
  x: "xtc",
  t: "temperature",
};

const samplers: Flag["parse"] = (values, name) =>
  (values.at(-1) ?? "")
    .split(";")
    .filter((part) => part !== "")
    .map(
      (part) =>
        SAMPLER_NAMES[part.toLowerCase()] ??
        refuseFlag(
          name,
          "sampler names from " +
            [...new Set(Object.keys(SAMPLER_NAMES).filter((key) => !key.includes("-")))].join(", "),
          part,
        ),
    );

const samplerLetters: Flag["parse"] = (values, name) =>
  Array.from(
    values.at(-1) ?? "",
    (letter) =>
      SAMPLER_LETTERS[letter] ??
      refuseFlag(name, `letters from ${Object.keys(SAMPLER_LETTERS).join("")}`, letter),
  );

/**
 * llama.cpp uses -1 for "no limit" and -2 for "until the context is full"; here both end with the
 * context.
 */
const length: Flag["parse"] = (values, name, before) => {
  const count = integer(values, name, before) as number;
  if (count === 0 || count < -2)
    refuseFlag(name, "a whole number from 1, or -1 for no limit,", values.at(-1));
  return count < 0 ? undefined : count;
};

/** llama.cpp uses -1 and 2^32-1 for "choose a seed". */
const seed: Flag["parse"] = (values, name, before) => {
  const value = integer(values, name, before) as number;
  return value === -1 || value === 0xffffffff ? undefined : value;
};

const temperature: Flag["parse"] = (values, name, before) =>
  Math.max(0, number(values, name, before) as number);

const breakers: Flag["parse"] = (values, _name, before) => {
  const { sequenceBreakers = [] } = (before ?? {}) as { sequenceBreakers?: readonly string[] };
  const all = [...sequenceBreakers, ...values];
  return all.slice(all.lastIndexOf("none") + 1);
};

const ends: Row[] = [
  {
    names: ["-n", "--predict", "--n-predict"],
    value: "N",
    option: "maxTokens",
    parse: length,
    doc:
      "maximum tokens to generate, reasoning included; -1: until the " +
      "context is full (default: -1)",
  },
  {
    names: ["-r", "--reverse-prompt", "--stop"],
    value: "TEXT",
    option: "stop",
    parse: texts,
    doc: "text that ends the generation; may be given several times",
  },
  {
    names: ["--ignore-eos"],
    option: "ignoreEos",
    parse: constant(true),
    doc: "continue after the end token",
  },
  {
    names: ["--timeout"],
    value: "MS",
    option: "timeoutMs",
    parse: integer,
    doc: "cancel the reply after this many milliseconds",
  },
  {
    names: ["--loop-guard"],
    value: "N",
    option: "loopGuard",
    parse: integer,
    doc: "end when N tokens in a row repeat a cycle; 0: never (default: 1024)",
  },
  {
    names: ["--ngram-draft"],
    value: "N",
    option: "speculation",
    field: "ngram",
    parse: integer,
    doc: "draft up to N tokens by looking up repeated text; changes the speed only",
  },
  {
    names: ["--logprobs"],
    value: "N",
    option: "logprobs",
    parse: integer,
    doc: "report each token's log probability and N alternatives, with --json",
  },
];

const sampling: Row[] = [
  {
    names: ["--temperature", "--temp"],
    value: "N",
    option: "temperature",
    parse: temperature,
    doc: "temperature; 0: always the most likely token (default: 0.6)",
  },
  {
    names: ["--min-p"],
    value: "N",
    option: "minP",
    parse: number,
    doc: "drop tokens less likely than this share of the best; 0: none (default: 0.05)",
  },
  {
    names: ["--top-p"],
    value: "N",
    option: "topP",
    parse: number,
    doc: "keep the fewest tokens that sum to this; 1: all (default: 0.95)",
  },
  {
    names: ["--top-k"],
    value: "N",
    option: "topK",
    parse: integer,
    doc: "keep the k most likely tokens; 0: all (default: 40)",
  },
  {
    names: ["-s", "--seed"],
    value: "N",
    option: "seed",
    parse: seed,
    doc: "seed of the random choices; -1: a random one (default: -1)",
  },
  {
    names: ["--typical", "--typical-p"],
    value: "N",
    option: "typicalP",
    parse: number,
    doc: "locally typical sampling; 1: off (default: 1)",
  },
  {
    names: ["--top-nsigma", "--top-n-sigma"],
    value: "N",
    option: "topNSigma",
    parse: number,
    doc: "keep tokens within N standard deviations of the best; -1: off (default: -1)",
  },
  {
    names: ["--xtc-probability"],
    value: "N",
    option: "xtc",
    field: "probability",
    parse: number,
    doc: "XTC: chance to drop the top choices (default: 0)",
  },
  {
    names: ["--xtc-threshold"],
    value: "N",
    option: "xtc",
    field: "threshold",
    parse: number,
    doc: "XTC: what counts as a top choice (default: 0.1)",
  },
  {
    names: ["--repeat-penalty"],
    value: "N",
    option: "repeatPenalty",
    parse: number,
    doc: "penalty for recent tokens; 1: off (default: 1)",
  },
  {
    names: ["--repeat-last-n"],
    value: "N",
    option: "penaltyLastN",
    parse: integer,
    doc: "tokens that count as recent (default: 64)",
  },
  {
    names: ["--frequency-penalty"],
    value: "N",
    option: "frequencyPenalty",
    parse: number,
    doc: "penalty for each time a token occurred (default: 0)",
  },
  {
    names: ["--presence-penalty"],
    value: "N",
    option: "presencePenalty",
    parse: number,
    doc: "penalty for tokens that occurred at all (default: 0)",
  },
  {
    names: ["--dry-multiplier"],
    value: "N",
    option: "dry",
    field: "multiplier",
    parse: number,
    doc: "DRY: strength; 0: off (default: 0)",
  },
  {
    names: ["--dry-base"],
    value: "N",
    option: "dry",
    field: "base",
    parse: number,
    doc: "DRY: growth with length (default: 1.75)",
  },
  {
    names: ["--dry-allowed-length"],
    value: "N",
    option: "dry",
    field: "allowedLength",
    parse: integer,
    doc: "DRY: length of repetition without penalty (default: 2)",
  },
  {
    names: ["--dry-penalty-last-n"],
    value: "N",
    option: "dry",
    field: "penaltyLastN",
    parse: integer,
    doc: "DRY: tokens to look back over (default: 64)",
  },
  {
    names: ["--dry-sequence-breaker"],
    value: "TEXT",
    option: "dry",
    field: "sequenceBreakers",
    parse: breakers,
    doc: "DRY: text that ends a repetition; none: no such text",
  },
  {
    names: ["--dynatemp-range"],
    value: "N",
    option: "dynamicTemperature",
    field: "range",
    parse: number,
    doc: "dynamic temperature: range around --temp (default: 0)",
  },
  {
    names: ["--dynatemp-exp"],
    value: "N",
    option: "dynamicTemperature",
    field: "exponent",
    parse: number,
    doc: "dynamic temperature: exponent (default: 1)",
  },
  {
    names: ["--mirostat"],
    value: "N",
    option: "mirostat",
    field: "version",
    parse: integer,
    doc: "Mirostat 1 or 2 instead of the other samplers; 0: off (default: 0)",
  },
  {
    names: ["--mirostat-lr"],
    value: "N",
    option: "mirostat",
    field: "eta",
    parse: number,
    doc: "Mirostat: learning rate (default: 0.1)",
  },
  {
    names: ["--mirostat-ent"],
    value: "N",
    option: "mirostat",
    field: "tau",
    parse: number,
    doc: "Mirostat: target surprise (default: 5)",
  },
  {
    names: ["-l", "--logit-bias"],
    value: "ID+BIAS",
    option: "logitBias",
    parse: logitBias,
    doc: "make a token more or less likely: 15043+1 or 15043-1; may be given several times",
  },
  {
    names: ["--samplers"],
    value: "NAMES",
    option: "samplers",
    parse: samplers,
    doc: "the samplers in order, separated by ;",
  },
  {
    names: ["--sampler-seq", "--sampling-seq"],
    value: "LETTERS",
    option: "samplers",
    parse: samplerLetters,
    doc: "the same in letters (default: edskypmxt)",
  },
];

/** Every flag of a generation. */
export const generateFlags: readonly Flag[] = Object.freeze([
  ...inGroup("generate", "Generation:", ends),
  ...inGroup("generate", "Sampling:", sampling),
]);
