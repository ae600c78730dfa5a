// Validates and completes the options of quantize(), once, and freezes them.
import type { Complete } from "../base/types.js";
import * as check from "../base/check.js";
import { compilePattern } from "../base/tensor-patterns.js";
import { ggmlTypeByName } from "../gguf/ggml-types.js";
import { QUANTIZE_TYPES, quantizeType, type QuantizeType } from "./types.js";
import { RECIPES, type TensorTypeRule } from "./recipes.js";

/** Options of `quantize`. */
export interface QuantizeOptions {
  /**
   * The type to quantise to, for example `Q4_K_M` (any of `QUANTIZE_TYPES`, in upper or lower
   * case). Give this or `recipe`.
   */
  type?: string | undefined;
  /**
   * One of the dynamic recipes: `UD-IQ1_S`, `UD-IQ1_M`, `UD-IQ2_XXS`, `UD-Q2_K_XL`. For models with
   * experts.
   */
  recipe?: string | undefined;
  /**
   * Path of an importance matrix, in llama.cpp's GGUF format or its older binary format. Required
   * for types of 1 to 2 bits.
   */
  imatrix?: string | undefined;
  /**
   * Tensor types by regular expression (RE2: no look-around, no back references) over tensor names.
   * The first match counts, and takes precedence over the recipe.
   */
  tensorTypes?: readonly TensorTypeRule[] | undefined;
  /** Type of `output.weight`; by default llama.cpp's choice. */
  outputTensorType?: string | undefined;
  /** Type of `token_embd.weight`; by default llama.cpp's choice. */
  tokenEmbeddingType?: string | undefined;
  /**
   * Quantise tensors that are already quantised; quality suffers. Without it such an input is
   * refused with `INVALID_ARGUMENT`; a dry run still reports its sizes.
   * @defaultValue false
   */
  allowRequantize?: boolean | undefined;
  /**
   * Also quantise `output.weight`.
   * @defaultValue true
   */
  quantizeOutputTensor?: boolean | undefined;
  /**
   * Give all tensors the same type, without a mixture.
   * @defaultValue false
   */
  pure?: boolean | undefined;
  /**
   * The result has the same parts as the input; the output path is then their prefix.
   * @defaultValue false
   */
  keepSplit?: boolean | undefined;
  /**
   * Report the result, and write nothing.
   * @defaultValue false
   */
  dryRun?: boolean | undefined;
  /**
   * Number of threads that quantise. Range: 0 .. 512; 0: the number of the machine's threads.
   * @defaultValue 0
   */
  threads?: number | undefined;
  /**
   * Overwrite an existing output file.
   * @defaultValue false
   */
  force?: boolean | undefined;
  /** Called with the share done, 0 to 1. */
  onProgress?: ((progress: number) => void) | undefined;
  /** Called with each line of llama.cpp's log. */
  onLog?: ((line: string) => void) | undefined;
  /** Aborts the work and removes the output. */
  signal?: AbortSignal | undefined;
}

/** {@link QuantizeOptions}, complete. */
export interface NormalQuantizeOptions extends Complete<
  Omit<QuantizeOptions, "recipe" | "type" | "onProgress" | "onLog" | "signal" | "imatrix">
> {
  readonly type: QuantizeType | undefined;
  readonly recipe: string | undefined;
  readonly imatrix: string | undefined;
  readonly signal: AbortSignal | undefined;
}

const KEYS: readonly (keyof QuantizeOptions)[] = [
  "type",
  "recipe",
  "imatrix",
  "tensorTypes",
  "outputTensorType",
  "tokenEmbeddingType",
  "allowRequantize",
  "quantizeOutputTensor",
  "pure",
  "keepSplit",
  "dryRun",
  "threads",
  "force",
  "onProgress",
  "onLog",
  "signal",
];

function tensorType(value: unknown, path: string): string {
  const type = ggmlTypeByName(check.string(value, path));
  if (type?.isWeight !== true)
    check.refuse(path, "a tensor type of ggml such as q4_K or f16", value);
  return type.name;
}

/** Unit: UTF-16 code units. */
const MAX_PATTERN_LENGTH = 1000;

function rule(value: unknown, path: string): TensorTypeRule {
  const given = check.object(value, path);
  check.knownKeys(given, path, ["pattern", "type"]);
  const pattern = check.string(given["pattern"], `${path}.pattern`);
  if (pattern.length > MAX_PATTERN_LENGTH)
    check.refuse(
      `${path}.pattern`,
      `a regular expression of at most ${MAX_PATTERN_LENGTH} characters`,
      pattern,
    );
  compilePattern(pattern, `${path}.pattern`);
  return Object.freeze({ pattern, type: tensorType(given["type"], `${path}.type`) });
}

/**
 * Completes and validates the options.
 *
 * @throws {R1Error} `INVALID_ARGUMENT`, `UNKNOWN_OPTION`.
 */
export function normalizeQuantizeOptions(options: QuantizeOptions): NormalQuantizeOptions {
  check.knownKeys(check.object(options, "options"), "quantize", KEYS);
  const recipe =
    options.recipe === undefined
      ? undefined
      : check.oneOf(options.recipe, "recipe", Object.keys(RECIPES));
  if ((options.type === undefined) === (recipe === undefined))
    check.refuse("type", "a quantisation type, or else a recipe, not both", options.type);
  const type =
    options.type === undefined ? undefined : quantizeType(check.string(options.type, "type"));
  if (options.type !== undefined && type === undefined)
    check.oneOf(options.type, "type", Object.keys(QUANTIZE_TYPES));
  if (options.onProgress !== undefined) check.callback(options.onProgress, "onProgress");
  if (options.onLog !== undefined) check.callback(options.onLog, "onLog");
  return Object.freeze({
    type,
    recipe,
    imatrix: options.imatrix === undefined ? undefined : check.string(options.imatrix, "imatrix"),
    tensorTypes: Object.freeze(check.array(options.tensorTypes ?? [], "tensorTypes", rule)),
    outputTensorType:
      options.outputTensorType === undefined
        ? ""
        : tensorType(options.outputTensorType, "outputTensorType"),
    tokenEmbeddingType:
      options.tokenEmbeddingType === undefined
        ? ""
        : tensorType(options.tokenEmbeddingType, "tokenEmbeddingType"),
    allowRequantize: check.boolean(options.allowRequantize ?? false, "allowRequantize"),
    quantizeOutputTensor: check.boolean(
      options.quantizeOutputTensor ?? true,
      "quantizeOutputTensor",
    ),
    pure: check.boolean(options.pure ?? false, "pure"),
    keepSplit: check.boolean(options.keepSplit ?? false, "keepSplit"),
    dryRun: check.boolean(options.dryRun ?? false, "dryRun"),
    threads: check.integer(options.threads ?? 0, "threads", 0, 512),
    force: check.boolean(options.force ?? false, "force"),
    signal: options.signal === undefined ? undefined : check.signal(options.signal, "signal"),
  });
}
