// The table of numeric sampling options: public name, native field, range, default, llama.cpp flag,
// meaning.
import type { NativeSampling } from "../binding/native-request.js";

/** Largest seed: llama.cpp reads 2^32-1 as "choose one", so that value is excluded. */
export const MAX_SEED = 0xffffffff - 1;

/** Numeric fields of the native configuration that the table describes. */
type NumericField = Exclude<
  {
    [K in keyof NativeSampling]: NativeSampling[K] extends number ? K : never;
  }[keyof NativeSampling],
  "seed"
>;

/** One numeric option. */
export interface SamplingRow {
  /** Public name; a member of a group is `group.member`. */
  readonly name: string;
  readonly native: NumericField;
  readonly integer: boolean;
  readonly min: number;
  readonly max: number;
  readonly default: number;
  /** The flag of llama.cpp's programs that sets the same value; empty: there is none. */
  readonly flag: string;
  /** One line for help texts. */
  readonly doc: string;
}

const COUNT = 1_048_576;

function row(
  name: string,
  native: NumericField,
  kind: "integer" | "number",
  min: number,
  max: number,
  preset: number,
  flag: string,
  doc: string,
): SamplingRow {
  return Object.freeze({
    name,
    native,
    integer: kind === "integer",
    min,
    max,
    default: preset,
    flag,
    doc,
  });
}

/**
 * Every numeric option except the seed. Defaults are those of llama.cpp's `common_params_sampling`,
 * except temperature, which is R1's 0.6 (llama.cpp: 0.8). The ranges exclude values that would make
 * llama.cpp abort, divide by zero, or produce NaN.
 */
export const SAMPLING_TABLE: readonly SamplingRow[] = Object.freeze([
  row(
    "temperature",
    "temperature",
    "number",
    0,
    100,
    0.6,
    "--temp",
    "Divides the logits before sampling; 0: greedy",
  ),
  row(
    "topK",
    "topK",
    "integer",
    0,
    2 ** 31 - 1,
    40,
    "--top-k",
    "Keep the k most likely tokens; 0: all",
  ),
  row(
    "topP",
    "topP",
    "number",
    0,
    1,
    0.95,
    "--top-p",
    "Keep the smallest set of tokens whose probabilities sum to this; 1: all",
  ),
  row(
    "minP",
    "minP",
    "number",
    0,
    1,
    0.05,
    "--min-p",
    "Drop tokens below this fraction of the most likely one's probability; 0: none",
  ),
  row(
    "typicalP",
    "typicalP",
    "number",
    0,
    1,
    1,
    "--typical",
    "Locally typical sampling up to this mass; 1: off",
  ),
  row(
    "xtc.probability",
    "xtcProbability",
    "number",
    0,
    1,
    0,
    "--xtc-probability",
    "Chance of excluding the top choices; 0: off",
  ),
  row(
    "xtc.threshold",
    "xtcThreshold",
    "number",
    0,
    1,
    0.1,
    "--xtc-threshold",
    "Least probability of a top choice to exclude; above 0.5: off",
  ),
  row(
    "topNSigma",
    "topNSigma",
    "number",
    -1,
    100,
    -1,
    "--top-nsigma",
    "Keep tokens within n standard deviations of the best; 0 or below: off",
  ),
  row(
    "repeatPenalty",
    "repeatPenalty",
    "number",
    0.01,
    100,
    1,
    "--repeat-penalty",
    "Divides the logits of recent tokens; 1: off",
  ),
  row(
    "frequencyPenalty",
    "frequencyPenalty",
    "number",
    -100,
    100,
    0,
    "--frequency-penalty",
    "Subtracted from a logit for each recent occurrence",
  ),
  row(
    "presencePenalty",
    "presencePenalty",
    "number",
    -100,
    100,
    0,
    "--presence-penalty",
    "Subtracted from a logit once if the token is recent",
  ),
  row(
    "penaltyLastN",
    "penaltyLastN",
    "integer",
    0,
    COUNT,
    64,
    "--repeat-last-n",
    "Tokens that count as recent; 0: penalties off",
  ),
  row(
    "dry.multiplier",
    "dryMultiplier",
    "number",
    0,
    100,
    0,
    "--dry-multiplier",
    "Strength of the DRY penalty; 0: off",
  ),
  row(
    "dry.base",
    "dryBase",
    "number",
    0,
    100,
    1.75,
    "--dry-base",
    "Growth of the DRY penalty with each repeated token; below 1: off",
  ),
  row(
    "dry.allowedLength",
    "dryAllowedLength",
    "integer",
    0,
    COUNT,
    2,
    "--dry-allowed-length",
    "Repeated tokens that are not penalised",
  ),
  row(
    "dry.penaltyLastN",
    "dryPenaltyLastN",
    "integer",
    0,
    COUNT,
    64,
    "--dry-penalty-last-n",
    "Tokens that DRY looks back over; 0: off",
  ),
  row(
    "mirostat.version",
    "mirostat",
    "integer",
    0,
    2,
    0,
    "--mirostat",
    "0: off, 1: Mirostat, 2: Mirostat 2.0",
  ),
  row(
    "mirostat.tau",
    "mirostatTau",
    "number",
    0,
    100,
    5,
    "--mirostat-ent",
    "Target surprise of Mirostat",
  ),
  row(
    "mirostat.eta",
    "mirostatEta",
    "number",
    0,
    1,
    0.1,
    "--mirostat-lr",
    "How fast Mirostat corrects",
  ),
  row(
    "dynamicTemperature.range",
    "dynatempRange",
    "number",
    0,
    100,
    0,
    "--dynatemp-range",
    "Range around the temperature, in both directions; 0: off",
  ),
  row(
    "dynamicTemperature.exponent",
    "dynatempExponent",
    "number",
    0,
    100,
    1,
    "--dynatemp-exp",
    "How entropy maps to the dynamic temperature",
  ),
  row(
    "minKeep",
    "minKeep",
    "integer",
    0,
    COUNT,
    0,
    "",
    "Minimum number of tokens that the truncating samplers keep; 0: one",
  ),
]);
