// The sampling options: their public form, and the conversion to a complete native configuration.
import { randomInt } from "node:crypto";
import { array, integer, knownKeys, number, object, oneOf, refuse, string } from "../base/check.js";
import type { NativeSampling } from "../binding/native-request.js";
import { MAX_SEED, SAMPLING_TABLE } from "./table.js";

/** The samplers in llama.cpp's default order; the values are the native names. */
export const SAMPLERS = Object.freeze({
  penalties: "penalties",
  dry: "dry",
  topNSigma: "top_n_sigma",
  topK: "top_k",
  typicalP: "typ_p",
  topP: "top_p",
  minP: "min_p",
  xtc: "xtc",
  temperature: "temperature",
} as const);

/** A step of the sampler chain. */
export type SamplerName = keyof typeof SAMPLERS;

/**
 * How tokens are chosen. The defaults are R1's recommended values (temperature 0.6, top-p 0.95,
 * min-p 0.05, no penalties) and otherwise llama.cpp's own, so that leaving everything out gives the
 * documented command line except for its seed. The `general.sampling.*` keys of a file are ignored:
 * the same options mean the same on every file.
 *
 * Every option throws {@link R1Error} `INVALID_ARGUMENT` outside its range; a misspelt name throws
 * `UNKNOWN_OPTION`. Source of ranges and meanings: llama.cpp's `common_params_sampling` and
 * `llama-sampler.cpp`.
 */
export interface SamplingOptions {
  /**
   * Divides the logits before sampling; 0 always picks the most likely token (greedy). Range:
   * 0..100.
   * @defaultValue 0.6
   */
  readonly temperature?: number | undefined;
  /**
   * Keeps the k most likely tokens; 0: all. llama.cpp's default is active in the documented
   * command, and makes the later samplers cheap. Range: 0..2^31-1.
   * @defaultValue 40
   */
  readonly topK?: number | undefined;
  /**
   * Keeps the smallest set of tokens whose probabilities sum to this value; 1: all. Range: 0..1.
   * @defaultValue 0.95
   */
  readonly topP?: number | undefined;
  /**
   * Drops tokens whose probability is below this fraction of the most likely token's; 0: none.
   * Suppresses very rare tokens, especially on the 1.58-bit model. Range: 0..1.
   * @defaultValue 0.05
   */
  readonly minP?: number | undefined;
  /**
   * Locally typical sampling: keeps tokens of typical information up to this mass; 1: all. Range:
   * 0..1.
   * @defaultValue 1
   */
  readonly typicalP?: number | undefined;
  /**
   * Exclude top choices: with `probability`, drops all but the least likely of the tokens above
   * `threshold` (above 0.5: never). Ranges: 0..1.
   * @defaultValue probability 0, threshold 0.1
   */
  readonly xtc?: { readonly probability?: number; readonly threshold?: number };
  /**
   * Keeps tokens within n standard deviations of the best logit; 0 or below: all. Range: -1..100.
   * @defaultValue -1
   */
  readonly topNSigma?: number | undefined;
  /**
   * Divides (or multiplies, when negative) the logits of recent tokens; 1: off. Range: 0.01..100.
   * @defaultValue 1
   */
  readonly repeatPenalty?: number | undefined;
  /**
   * Subtracted from a token's logit for each time it occurs among the recent ones. Range:
   * -100..100.
   * @defaultValue 0
   */
  readonly frequencyPenalty?: number | undefined;
  /**
   * Subtracted from a token's logit once if it occurs among the recent ones. Range: -100..100.
   * @defaultValue 0
   */
  readonly presencePenalty?: number | undefined;
  /**
   * How many tokens count as recent, including the prompt; 0: penalties off. Unit: tokens. Range:
   * 0..1048576.
   * @defaultValue 64
   */
  readonly penaltyLastN?: number | undefined;
  /**
   * Penalises tokens that continue a sequence that occurred before: `multiplier` * `base`^(length -
   * `allowedLength`), looking back over `penaltyLastN` tokens, never across one of
   * `sequenceBreakers` (at most 64, of 1 to 40 bytes). Ranges: multiplier 0..100 (0: off), base
   * 0..100 (below 1: off), allowedLength 0..1048576, penaltyLastN 0..1048576.
   * @defaultValue multiplier 0, base 1.75, allowedLength 2, penaltyLastN 64, sequenceBreakers
   * ["\n", ":", "\"", "*"]
   */
  readonly dry?: {
    readonly multiplier?: number;
    readonly base?: number;
    readonly allowedLength?: number;
    readonly penaltyLastN?: number;
    readonly sequenceBreakers?: readonly string[];
  };
  /**
   * Keeps the surprise of the text at `tau` with step `eta`; version 0: off, 1 or 2: replaces all
   * samplers except temperature. Ranges: tau 0..100, eta 0..1.
   * @defaultValue version 0, tau 5, eta 0.1
   */
  readonly mirostat?: {
    readonly version?: 0 | 1 | 2;
    readonly tau?: number;
    readonly eta?: number;
  };
  /**
   * Temperature between `temperature` - `range` and + `range`, chosen by the entropy of the
   * candidates to the power `exponent`; range 0: off. Ranges: 0..100.
   * @defaultValue range 0, exponent 1
   */
  readonly dynamicTemperature?: { readonly range?: number; readonly exponent?: number };
  /**
   * Values added to the logits of token ids; -Infinity forbids a token. At most 65536 entries;
   * values -1000..1000 or -Infinity.
   * @defaultValue none
   */
  readonly logitBias?: ReadonlyMap<number, number> | Readonly<Record<string, number>> | undefined;
  /**
   * Seed of the random choices; the result reports it. Range: 0..4294967294.
   * @defaultValue a random one for each request
   */
  readonly seed?: number | undefined;
  /**
   * Minimum number of tokens that top-p, min-p, typical and XTC keep; 0: one. Range: 0..1048576.
   * @defaultValue 0
   */
  readonly minKeep?: number | undefined;
  /**
   * The sampler chain, in order, each sampler at most once; a sampler that is left out does not
   * run.
   * @defaultValue penalties, dry, topNSigma, topK, typicalP, topP, minP, xtc, temperature
   */
  readonly samplers?: readonly SamplerName[] | undefined;
}

/** Every key of {@link SamplingOptions}; the compiler checks that none is missing. */
export const SAMPLING_KEYS: readonly (keyof SamplingOptions)[] = Object.freeze(
  Object.keys({
    temperature: 0,
    topK: 0,
    topP: 0,
    minP: 0,
    typicalP: 0,
    xtc: 0,
    topNSigma: 0,
    repeatPenalty: 0,
    frequencyPenalty: 0,
    presencePenalty: 0,
    penaltyLastN: 0,
    dry: 0,
    mirostat: 0,
    dynamicTemperature: 0,
    logitBias: 0,
    seed: 0,
    minKeep: 0,
    samplers: 0,
  } satisfies Record<keyof SamplingOptions, 0>) as (keyof SamplingOptions)[],
);

const SAMPLER_NAMES = Object.freeze(Object.keys(SAMPLERS)) as readonly SamplerName[];
const DEFAULT_BREAKERS: readonly string[] = Object.freeze(["\n", ":", '"', "*"]);
const MAX_BIASES = 65_536;

function checkSamplers(value: unknown, path: string): string[] {
  const names = array(value, path, (element, at) => oneOf(element, at, SAMPLER_NAMES));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) refuse(path, `each sampler at most once, not "${twice}" twice`, value);
  return names.map((name) => SAMPLERS[name]);
}

function checkBreakers(value: unknown, path: string): string[] {
  const breakers = array(value, path, (element, at) => {
    const text = string(element, at);
    return Buffer.byteLength(text) <= 40 ? text : refuse(at, "a string of 1 to 40 bytes", element);
  });
  return breakers.length <= 64 ? breakers : refuse(path, "at most 64 strings", value);
}

const MAX_TOKEN = 2 ** 31 - 1;

const isTokenId = (id: unknown): id is number =>
  Number.isInteger(id) && (id as number) >= 0 && (id as number) <= MAX_TOKEN;

function checkBias(value: unknown, path: string): [number, number][] {
  const entries: [unknown, unknown][] =
    value instanceof Map
      ? [...(value as Map<unknown, unknown>)]
      : Object.entries(object(value, path));
  if (entries.length > MAX_BIASES) refuse(path, `at most ${MAX_BIASES} entries`, value);
  return entries.map(([key, bias]) => {
    const token = typeof key === "string" && /^\d{1,10}$/.test(key) ? Number(key) : key;
    if (!isTokenId(token)) refuse(path, `token ids from 0 to ${MAX_TOKEN} as keys`, key);
    return [token, bias === -Infinity ? bias : number(bias, `${path}[${token}]`, -1000, 1000)];
  });
}

/**
 * Converts a user's options to the complete, frozen configuration for native code. A missing or
 * undefined option gets its default; the default seed is random.
 *
 * @param options - Only keys of {@link SamplingOptions}.
 * @param where - Name of the method or object for the message about an unknown option, e.g. `chat`.
 * @throws {R1Error} `INVALID_ARGUMENT` for a value outside its range, `UNKNOWN_OPTION` for a
 * misspelt name.
 */
export function normalizeSampling(
  options: Readonly<Record<string, unknown>>,
  where: string,
): NativeSampling {
  knownKeys(options, where, SAMPLING_KEYS);

  const groups = new Map<string, Record<string, unknown>>();
  const groupOf = (name: string): Record<string, unknown> => {
    const known = groups.get(name);
    if (known !== undefined) return known;
    const group = options[name] === undefined ? {} : object(options[name], name);
    const members = SAMPLING_TABLE.filter((row) => row.name.startsWith(`${name}.`)).map((row) =>
      row.name.slice(name.length + 1),
    );
    knownKeys(group, name, name === "dry" ? [...members, "sequenceBreakers"] : members);
    groups.set(name, group);
    return group;
  };

  const values: Record<string, number> = {};
  for (const row of SAMPLING_TABLE) {
    const [group, member] = row.name.split(".") as [string, string | undefined];
    const given = member === undefined ? options[group] : groupOf(group)[member];
    values[row.native] =
      given === undefined
        ? row.default
        : (row.integer ? integer : number)(given, row.name, row.min, row.max);
  }

  const { samplers, seed, logitBias } = options;
  const { sequenceBreakers } = groupOf("dry");
  const biases = logitBias === undefined ? [] : checkBias(logitBias, "logitBias");
  return Object.freeze({
    ...(values as unknown as NativeSampling),
    samplers: Object.freeze(
      samplers === undefined ? Object.values(SAMPLERS) : checkSamplers(samplers, "samplers"),
    ) as string[],
    seed: seed === undefined ? randomInt(MAX_SEED + 1) : integer(seed, "seed", 0, MAX_SEED),
    drySequenceBreakers: Object.freeze(
      sequenceBreakers === undefined
        ? DEFAULT_BREAKERS
        : checkBreakers(sequenceBreakers, "dry.sequenceBreakers"),
    ) as string[],
    logitBiasTokens: Int32Array.from(biases, ([token]) => token),
    logitBiasValues: Float32Array.from(biases, ([, bias]) => bias),
  });
}
