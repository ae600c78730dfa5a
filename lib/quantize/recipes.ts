// The four dynamic quants of the 671B model as recipes: the type of each tensor in each layer.
// Data, and a function that expands it.
import type { QuantizeType } from "./types.js";

/**
 * A tensor type for all tensors whose name matches a regular expression; the first match in a list
 * counts.
 */
export interface TensorTypeRule {
  /** ECMAScript regular expression, searched for anywhere in the tensor's name. */
  readonly pattern: string;
  /** A tensor type of ggml, e.g. `q4_K`. */
  readonly type: string;
}

/** How to quantise a DeepSeek model into one of the dynamic quants. */
export interface Recipe {
  /** Name of the quant, as in the published file names. */
  readonly name: string;
  /** The file type the result is marked with. */
  readonly type: QuantizeType;
  /** Experts' gate and up matrices. */
  readonly experts: string;
  /** Experts' down matrices, which suffer most from low precision. */
  readonly down: string;
  /** The first expert layers, whose down matrices get a better type. */
  readonly firstDown: { readonly layers: number; readonly type: string };
  /** Shared experts' gate and up matrices. */
  readonly sharedGateUp: string;
  /** The published table's average for the mix, in bits per weight. */
  readonly publishedMix: string;
}

/**
 * The recipes by name. Tensors that do not belong to experts have the same types in all recipes:
 * embedding and attention q4_K; output, the K and V projections, the down matrices of the first
 * dense layers and of the shared experts q6_K; routers and norms f32.
 *
 * UD-IQ1_S and UD-Q2_K_XL have the tensor types of the published files. For the two between them,
 * the published table's bits per weight and sizes contradict each other (1.56 and 2.06 bits make
 * 142 GiB, not 158); those recipes use types that give the published size to within 1 %.
 */
export const RECIPES: Readonly<Record<string, Recipe>> = Object.freeze({
  "UD-IQ1_S": {
    name: "UD-IQ1_S",
    type: "IQ1_S",
    experts: "iq1_s",
    down: "iq1_s",
    firstDown: { layers: 6, type: "iq2_xxs" },
    sharedGateUp: "q5_K",
    publishedMix: "experts 1.56; down 2.06 and 1.56",
  },
  "UD-IQ1_M": {
    name: "UD-IQ1_M",
    type: "IQ1_M",
    experts: "iq1_m",
    down: "iq2_xs",
    firstDown: { layers: 0, type: "iq2_xs" },
    sharedGateUp: "q5_K",
    publishedMix: "experts 1.56; down 2.06",
  },
  "UD-IQ2_XXS": {
    name: "UD-IQ2_XXS",
    type: "IQ2_XXS",
    experts: "iq2_xxs",
    down: "q2_K",
    firstDown: { layers: 3, type: "q3_K" },
    sharedGateUp: "q5_K",
    publishedMix: "experts 2.06; down 2.5 and 2.06",
  },
  "UD-Q2_K_XL": {
    name: "UD-Q2_K_XL",
    type: "Q2_K",
    experts: "q2_K",
    down: "q2_K",
    firstDown: { layers: 3, type: "q3_K" },
    sharedGateUp: "q4_K",
    publishedMix: "experts 2.5; down 3.5 and 2.5",
  },
} satisfies Record<string, Recipe>);

/** A recipe applied to a model: arguments of llama.cpp's quantiser. */
export interface ExpandedRecipe {
  readonly type: QuantizeType;
  readonly tokenEmbeddingType: string;
  readonly outputTensorType: string;
  readonly tensorTypes: readonly TensorTypeRule[];
}

/**
 * Expands a recipe for a model.
 *
 * @param denseLayers - Layers at the start without experts (`leading_dense_block_count`): 3 in R1.
 */
export function expandRecipe(recipe: Recipe, denseLayers: number): ExpandedRecipe {
  const first = Array.from({ length: recipe.firstDown.layers }, (_, i) => denseLayers + i);
  return {
    type: recipe.type,
    tokenEmbeddingType: "q4_K",
    outputTensorType: "q6_K",
    tensorTypes: [
      ...(first.length === 0
        ? []
        : [
            {
              pattern: `^blk\\.(${first.join("|")})\\.ffn_down_exps\\.`,
              type: recipe.firstDown.type,
            },
          ]),
      { pattern: "ffn_down_exps\\.", type: recipe.down },
      { pattern: "_exps\\.", type: recipe.experts },
      { pattern: "ffn_(gate|up)_shexp\\.", type: recipe.sharedGateUp },
      // Rows of 128 values hold no block of 256.
      { pattern: "attn_k_b\\.", type: "q8_0" },
      { pattern: "attn_kv_(a_mqa|b)\\.|attn_v_b\\.|ffn_down(_shexp)?\\.", type: "q6_K" },
      { pattern: "^blk\\.", type: "q4_K" },
    ],
  };
}
