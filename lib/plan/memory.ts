// How many bytes a model takes: cache by formula, weights by tensor, compute by estimate. Pure; runs on any JavaScript thread.

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
export function cacheRowBytes(type: string, values: number): number {
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
export function cacheBytesPerToken(layout: CacheLayout, layer: number, typeK: string, typeV: string): number {
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
}

/** Puts a model's tensors into groups. Tensors of prediction layers, from `layers` on, count to none: they are not loaded. */
export function groupWeights(tensors: readonly PlanTensor[], layers: number): WeightGroups {
  const dense = new Array<number>(layers).fill(0);
  const experts = new Array<number>(layers).fill(0);
  let embedding = 0;
  let output = 0;
  let hasOutput = false;
  for (const { name, bytes } of tensors) {
    const layer = /^blk\.(\d+)\./.exec(name)?.[1];
    if (layer !== undefined) {
      const group = /_exps\./.test(name) ? experts : dense;
      if (Number(layer) < layers) group[Number(layer)] = (group[Number(layer)] ?? 0) + bytes;
    } else if (name.startsWith("token_embd")) embedding += bytes;
    else {
      output += bytes;
      hasOutput ||= name === "output.weight";
    }
  }
  return { embedding, output: hasOutput ? output : output + embedding, outputOnHost: output, dense, experts };
}

/** What the compute buffers depend on. */
export interface ComputeShape {
  readonly embeddingLength: number;
  readonly heads: number;
  readonly keyLength: number;
  readonly valueLength: number;
  readonly vocabSize: number;
  readonly expertsUsed: number;
  /** Inner width of one expert, or of the feed-forward where there are none. */
  readonly feedForwardLength: number;
}

const F32_BYTES = 4;

/**
 * Bytes of one device's compute buffers, an estimate: the largest results that live at once while `ubatchSize` tokens pass one layer, and their logits.
 * It assumes flash attention, without which heads * cells * tokens come on top.
 */
export function computeBytes(shape: ComputeShape, ubatchSize: number): number {
  const { embeddingLength, heads, keyLength, valueLength, vocabSize, expertsUsed, feedForwardLength } = shape;
  const attention = heads * (keyLength + valueLength);
  const feedForward = Math.max(1, expertsUsed) * (2 * feedForwardLength + embeddingLength);
  return Math.ceil(F32_BYTES * ubatchSize * (4 * embeddingLength + attention + feedForward + vocabSize));
}
