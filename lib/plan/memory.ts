// Computes how many bytes a model needs: the cache by formula, weights by tensor, compute buffers
// by estimate. Pure.

/** Bytes and values of one block of each type a cache can have. */
const CACHE_BLOCKS: Readonly<Record<string, readonly [bytes: number, values: number]>> = {
  f32: [4, 1],
  f16: [2, 1],
  bf16: [2, 1],
  q8_0: [34, 32],
  q5_1: [24, 32],
  q5_0: [22, 32],
  iq4_nl: [18, 32],
  q4_1: [20, 32],
  q4_0: [18, 32],
};

/** Bytes of a row of values in a cache type; values are cut into whole blocks. */
function cacheRowBytes(type: string, values: number): number {
  const block = CACHE_BLOCKS[type];
  if (block === undefined) throw new TypeError(`no cache type ${type}`);
  return Math.ceil(values / block[1]) * block[0];
}

/** What the size of a cache depends on. */
export interface CacheLayout {
  /** One latent row a token stands for K and V. */
  readonly isMla: boolean;
  /** K and V heads of each layer; 1 with MLA. */
  readonly kvHeads: readonly number[];
  /** Values of one K head and of one V head as cached. */
  readonly keyLength: number;
  readonly valueLength: number;
}

/** llama.cpp rounds a context up to this many cells. */
const CELL_STEP = 256;

/** Cells that a context of `contextSize` tokens has. */
export function cacheCells(contextSize: number): number {
  return Math.ceil(contextSize / CELL_STEP) * CELL_STEP;
}

/** Bytes a token takes in the cache of one layer. */
export function cacheBytesPerToken(
  layout: CacheLayout,
  layer: number,
  typeK: string,
  typeV: string,
): number {
  const heads = layout.kvHeads[layer] ?? layout.kvHeads[0] ?? 1;
  const key = cacheRowBytes(typeK, heads * layout.keyLength);
  // With multi-head latent attention V is a view of K.
  return layout.isMla ? key : key + cacheRowBytes(typeV, heads * layout.valueLength);
}

/** One tensor of a model file. */
export interface PlanTensor {
  readonly name: string;
  /** Innermost dimension first. */
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** A model's bytes, by what can be placed apart. */
export interface WeightGroups {
  /** Token embedding: llama.cpp keeps it in system memory. */
  readonly embedding: number;
  /** Output matrix and its norm; of models that have none of their own the embedding once more. */
  readonly output: number;
  /** The same in system memory, where the embedding need not be there twice. */
  readonly outputOnHost: number;
  /** Of each layer: attention, norms, router, shared experts, dense feed-forward. */
  readonly dense: readonly number[];
  /** Of each layer: routed experts; 0 where it has none. */
  readonly experts: readonly number[];
  /** The same, tensor by tensor: gate, up and down can be placed apart. */
  readonly expertTensors: readonly (readonly PlanTensor[])[];
  /** The largest tensor of any layer. */
  readonly largest: number;
}

/**
 * Puts a model's tensors into groups. Tensors of prediction layers, from `layers` on, count to
 * none: they are not loaded.
 */
export function groupWeights(tensors: readonly PlanTensor[], layers: number): WeightGroups {
  const dense = new Array<number>(layers).fill(0);
  const experts = new Array<number>(layers).fill(0);
  const expertTensors = Array.from({ length: layers }, (): PlanTensor[] => []);
  let embedding = 0;
  let output = 0;
  let hasOutput = false;
  let largest = 0;
  for (const tensor of tensors) {
    const { name, bytes } = tensor;
    const layer = /^blk\.(\d+)\./.exec(name)?.[1];
    if (layer !== undefined) {
      const isExpert = /_exps\./.test(name);
      const group = isExpert ? experts : dense;
      if (Number(layer) < layers) largest = Math.max(largest, bytes);
      if (isExpert) expertTensors[Number(layer)]?.push(tensor);
      if (Number(layer) < layers) group[Number(layer)] = (group[Number(layer)] ?? 0) + bytes;
    } else if (name.startsWith("token_embd")) embedding += bytes;
    else {
      output += bytes;
      hasOutput ||= name === "output.weight";
    }
  }
  return {
    embedding,
    output: hasOutput ? output : output + embedding,
    outputOnHost: output,
    dense,
    experts,
    expertTensors,
    largest,
  };
}

/** What the compute buffers depend on. */
export interface ComputeShape {
  readonly isMla: boolean;
  readonly embeddingLength: number;
  readonly heads: number;
  /** Values of one K head and of one V head as cached. */
  readonly keyLength: number;
  readonly valueLength: number;
  readonly vocabSize: number;
  readonly expertsUsed: number;
  /** Inner width of one expert, or of the feed-forward where there are none. */
  readonly feedForwardLength: number;
}

const F32_BYTES = 4;
const F16_BYTES = 2;

/**
 * Bytes of the compute buffers of one place, an estimate: the largest results that live at once
 * while `ubatchSize` tokens pass a layer, or their logits, and the mask of the attention. The
 * weights of the sums were found by comparing with llama.cpp's own account
 * (docs/evidence/plan-accuracy.md). It assumes flash attention, without which heads * cells *
 * tokens come on top.
 *
 * @param cells - Cells of the KV cache.
 */
export function computeBytes(shape: ComputeShape, ubatchSize: number, cells: number): number {
  const {
    isMla,
    embeddingLength,
    heads,
    keyLength,
    valueLength,
    vocabSize,
    expertsUsed,
    feedForwardLength,
  } = shape;
  const attention =
    (isMla ? 1.5 : 1) * heads * (keyLength + valueLength) + (isMla ? 0 : 3 * embeddingLength);
  // Of the experts' results, of the hidden row and its sum, one each before and after weighing.
  const feedForward =
    expertsUsed > 0
      ? (2 * expertsUsed + 6) * embeddingLength
      : 3 * feedForwardLength + 2 * embeddingLength;
  // Of every token, as llama.cpp's own programs reserve; an engine of this library asks for fewer.
  // By then the mask is done with.
  const logits = F32_BYTES * (vocabSize + 2 * embeddingLength);
  return Math.ceil(
    ubatchSize * Math.max(logits, F32_BYTES * Math.max(attention, feedForward) + F16_BYTES * cells),
  );
}

/**
 * Bytes of system memory's compute buffers when no layer is computed there: the embedded tokens,
 * and the mask.
 */
export function inputBytes(
  { embeddingLength }: ComputeShape,
  ubatchSize: number,
  cells: number,
): number {
  return ubatchSize * (F32_BYTES * 2 * embeddingLength + F16_BYTES * cells);
}

/** Results of routed experts whose layer is computed elsewhere, before and after weighing. */
export function expertResultBytes(
  { expertsUsed, embeddingLength }: ComputeShape,
  ubatchSize: number,
): number {
  return ubatchSize * F32_BYTES * 2 * expertsUsed * embeddingLength;
}

/**
 * Several devices that hold a whole model work on this many batches at once, each with inputs of
 * its own.
 */
const PIPELINE_COPIES = 4;

/** What these copies add to each device, and to system memory. */
export function pipelineBytes(
  { embeddingLength }: ComputeShape,
  ubatchSize: number,
  cells: number,
): { readonly device: number; readonly host: number } {
  const mask = ubatchSize * F16_BYTES * cells;
  return {
    device: (PIPELINE_COPIES - 1) * (mask + ubatchSize * F32_BYTES * embeddingLength),
    host: (PIPELINE_COPIES - 1) * mask,
  };
}
