// The published forms of R1: the four dynamic quants of the 671B model, and the distills. The
// published table as data.
import { integer, number } from "../base/check.js";

/** One of the dynamic quants of the 671B model. */
export interface R1Quant {
  /** Name of the quant, as in the file names. */
  readonly name: string;
  /** Bits a weight of the experts, on average. */
  readonly bits: number;
  /** On disk. Unit: GiB (the published table says GB and means GiB). */
  readonly sizeGiB: number;
  /** What the published table says of its answers. */
  readonly accuracy: "fair" | "good" | "better" | "best";
  /** What the experts' matrices are in, in bits a weight. */
  readonly moeMix: string;
  /** Of the 61 layers, how many the published table puts on these devices. */
  readonly layersOnGpu: {
    readonly "24 GB": number;
    readonly "80 GB": number;
    readonly "2 x 80 GB": number;
  };
  /** Repository it is published in. */
  readonly repository: string;
  /** Shell pattern of its files in that repository, for `downloadModel`. */
  readonly pattern: string;
}

/** One of R1's distilled models. */
export interface R1Distill {
  /** Name of the release. */
  readonly name: string;
  /** The model it was made from. */
  readonly base: string;
  /** The vocabulary it has. */
  readonly variant: "distill-qwen" | "distill-llama";
  /** Weights, counted over all tensors. */
  readonly parameters: number;
  /** Layers. */
  readonly layers: number;
  /** Length of a hidden row. */
  readonly embeddingLength: number;
  /** Length of a row inside a feed-forward block. */
  readonly feedForwardLength: number;
  /** Heads of attention. */
  readonly heads: number;
  /** Heads that K and V are kept for. */
  readonly headsKv: number;
  /** Values of one head. */
  readonly headLength: number;
  /** Tokens of the vocabulary. */
  readonly vocabSize: number;
  /** Longest context. Unit: tokens. */
  readonly contextLength: number;
  /** K and V cache in f16. Unit: bytes a token. */
  readonly cacheBytesPerToken: number;
  /** Size as Q4_K_M and Q8_0. Unit: GiB; computed by llama.cpp's dry run over these shapes. */
  readonly sizeGiB: { readonly Q4_K_M: number; readonly Q8_0: number };
  /** Repository of the original weights. */
  readonly repository: string;
}

/** Layers of the 671B model. */
export const R1_LAYERS = 61;

const quant = (
  name: string,
  bits: number,
  sizeGiB: number,
  accuracy: R1Quant["accuracy"],
  moeMix: string,
  layers: readonly [number, number, number],
): R1Quant =>
  Object.freeze({
    name,
    bits,
    sizeGiB,
    accuracy,
    moeMix,
    layersOnGpu: Object.freeze({ "24 GB": layers[0], "80 GB": layers[1], "2 x 80 GB": layers[2] }),
    repository: "unsloth/DeepSeek-R1-GGUF",
    pattern: `*${name}*`,
  });

/** The dynamic quants of the 671B model, smallest first. Source: the table published with them. */
export const R1_QUANTS: readonly R1Quant[] = Object.freeze([
  quant(
    "UD-IQ1_S",
    1.58,
    131,
    "fair",
    "all experts 1.56 bit; down_proj mixed 2.06 and 1.56",
    [7, 33, 61],
  ),
  quant("UD-IQ1_M", 1.73, 158, "good", "all experts 1.56 bit; down_proj left at 2.06", [5, 26, 57]),
  quant(
    "UD-IQ2_XXS",
    2.22,
    183,
    "better",
    "all experts 2.06 bit; down_proj mixed 2.5 and 2.06",
    [4, 22, 49],
  ),
  quant(
    "UD-Q2_K_XL",
    2.51,
    212,
    "best",
    "all experts 2.5 bit; down_proj mixed 3.5 and 2.5",
    [2, 19, 32],
  ),
]);

/**
 * The published rule of thumb for the number of layers to put on devices:
 * `floor(memory / size * 61 - 4)`, from 0 to 61. It gives every cell of the table but one: 42 for
 * UD-Q2_K_XL on 2 x 80 GB, where the table says 32. Try one layer fewer when memory runs out.
 *
 * @param memoryGiB - Memory of all devices together.
 * @param sizeGiB - Size of the model.
 * @param layers - Layers of the model. @defaultValue 61
 * @throws {R1Error} `INVALID_ARGUMENT` for sizes that are no numbers, are negative, or a model of
 * none.
 */
export function ruleOfThumbLayers(
  memoryGiB: number,
  sizeGiB: number,
  layers: number = R1_LAYERS,
): number {
  number(memoryGiB, "memoryGiB", 0, 1e9);
  number(sizeGiB, "sizeGiB", Number.MIN_VALUE, 1e9);
  integer(layers, "layers", 1, 1e6);
  return Math.max(0, Math.min(layers, Math.floor((memoryGiB / sizeGiB) * layers - 4)));
}

interface DistillShape {
  readonly size: string;
  readonly base: string;
  readonly family: "Qwen" | "Llama";
  readonly parameters: number;
  /** Layers, width, feed-forward width, heads, K and V heads, vocabulary. */
  readonly shape: readonly [number, number, number, number, number, number];
  readonly sizes: readonly [q4: number, q8: number];
}

function distill({ size, base, family, parameters, shape, sizes }: DistillShape): R1Distill {
  const [layers, embeddingLength, feedForwardLength, heads, headsKv, vocabSize] = shape;
  const headLength = 128;
  return Object.freeze({
    name: `DeepSeek-R1-Distill-${family}-${size}`,
    base,
    variant: family === "Qwen" ? "distill-qwen" : "distill-llama",
    parameters,
    layers,
    embeddingLength,
    feedForwardLength,
    heads,
    headsKv,
    headLength,
    vocabSize,
    contextLength: 131_072,
    cacheBytesPerToken: layers * headsKv * headLength * 2 * 2,
    sizeGiB: Object.freeze({ Q4_K_M: sizes[0], Q8_0: sizes[1] }),
    repository: `deepseek-ai/DeepSeek-R1-Distill-${family}-${size}`,
  });
}

/**
 * R1's distilled models, smallest first. Source: the configuration files of their repositories;
 * sizes by dry run.
 */
export const R1_DISTILLS: readonly R1Distill[] = Object.freeze(
  (
    [
      {
        size: "1.5B",
        base: "Qwen2.5-Math-1.5B",
        family: "Qwen",
        parameters: 1_777_088_000,
        shape: [28, 1536, 8960, 12, 2, 151_936],
        sizes: [1.04, 1.76],
      },
      {
        size: "7B",
        base: "Qwen2.5-Math-7B",
        family: "Qwen",
        parameters: 7_615_616_512,
        shape: [28, 3584, 18_944, 28, 4, 152_064],
        sizes: [4.36, 7.54],
      },
      {
        size: "8B",
        base: "Llama-3.1-8B",
        family: "Llama",
        parameters: 8_030_261_248,
        shape: [32, 4096, 14_336, 32, 8, 128_256],
        sizes: [4.58, 7.95],
      },
      {
        size: "14B",
        base: "Qwen2.5-14B",
        family: "Qwen",
        parameters: 14_770_033_664,
        shape: [48, 5120, 13_824, 40, 8, 152_064],
        sizes: [8.37, 14.62],
      },
      {
        size: "32B",
        base: "Qwen2.5-32B",
        family: "Qwen",
        parameters: 32_763_876_352,
        shape: [64, 5120, 27_648, 40, 8, 152_064],
        sizes: [18.48, 32.42],
      },
      {
        size: "70B",
        base: "Llama-3.3-70B-Instruct",
        family: "Llama",
        parameters: 70_553_706_496,
        shape: [80, 8192, 28_672, 64, 8, 128_256],
        sizes: [39.59, 69.82],
      },
    ] satisfies DistillShape[]
  ).map(distill),
);
