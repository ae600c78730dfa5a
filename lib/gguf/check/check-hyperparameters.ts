// Checks a model's hyperparameters against everything that ends in an abort() inside llama.cpp, so
// that a broken file causes an error instead of ending the process. Facts: src/llama-model.cpp
// (load_hparams), src/models/{deepseek2,qwen2,qwen3,llama}.cpp, ggml's assertions, llama.cpp
// v0.5.0.
import type { Metadata } from "../metadata.js";

/**
 * The shape of a model according to its metadata. Lengths are in values; counts are plain numbers.
 * A field is absent if the file does not specify it.
 */
export interface ModelShape {
  /** `general.architecture`, e.g. `deepseek2`, `qwen2`, `llama`. */
  readonly architecture: string;
  /** Transformer layers, including prediction layers. */
  readonly blockCount: number;
  /** Prediction (MTP) layers at the end of the layers. */
  readonly nextnLayers: number;
  /** Longest context that the model was trained for. Unit: tokens. */
  readonly contextLength: number;
  readonly embeddingLength: number;
  /** Attention heads of each layer. */
  readonly headCounts: readonly number[];
  /** K and V heads of each layer. */
  readonly headCountsKv: readonly number[];
  /** Values of one K head in the cache. */
  readonly keyLength: number;
  /** Values of one V head in the cache. */
  readonly valueLength: number;
  /** Values of each head that rotate with the position. */
  readonly ropeDimensions: number;
  /**
   * K is stored as one latent row, and V is a view of it: both `*_mla` keys are present and not 0.
   */
  readonly isMla: boolean;
  /** Values of a K and a V head of an MLA model after expansion. */
  readonly keyLengthMla?: number | undefined;
  readonly valueLengthMla?: number | undefined;
  readonly kvLoraRank?: number | undefined;
  readonly qLoraRank?: number | undefined;
  /** Experts of a MoE layer; 0 for a model without experts. */
  readonly expertCount: number;
  /** Experts that compute one token: the largest number over all layers. */
  readonly expertUsedCount: number;
  readonly expertSharedCount: number;
  /** Layers at the start without experts. */
  readonly leadingDenseBlockCount: number;
}

const MAX_LAYERS = 512;
const MAX_EXPERTS = 1024;
/**
 * Limit on single lengths: keeps products exact and prevents overflow in llama.cpp's 32-bit
 * arithmetic.
 */
const MAX_LENGTH = 1 << 24;

function bounded(
  m: Metadata,
  key: string,
  value: number | undefined,
  min: number,
  max: number,
): number {
  if (value === undefined) m.invalid(`metadata "${key}" is missing`);
  if (value < min || value > max)
    m.invalid(`metadata "${key}" is ${value}, outside ${min} to ${max}`);
  return value;
}

function checkExperts(
  m: Metadata,
  arch: string,
  blockCount: number,
): { expertCount: number; expertUsedCount: number } {
  const expertCount = m.u32(`${arch}.expert_count`) ?? 0;
  const used = Math.max(0, ...(m.perLayer(`${arch}.expert_used_count`, blockCount) ?? [0]));
  const groups = m.u32(`${arch}.expert_group_count`) ?? 0;
  const groupsUsed = m.u32(`${arch}.expert_group_used_count`) ?? 0;
  if (expertCount > MAX_EXPERTS)
    m.invalid(`"${arch}.expert_count" is ${expertCount}, more than ${MAX_EXPERTS}`);
  if (used > expertCount)
    m.invalid(`"${arch}.expert_used_count" is ${used}, more than the ${expertCount} experts`);
  if (expertCount > 0 && used === 0)
    m.invalid(`it has ${expertCount} experts but "${arch}.expert_used_count" is 0`);
  if (expertCount === 0 && groups !== 0)
    m.invalid(`"${arch}.expert_group_count" is ${groups} without experts`);
  if (expertCount > 0 && groups >= expertCount)
    m.invalid(`"${arch}.expert_group_count" is ${groups} for ${expertCount} experts`);
  if (groups > 1) {
    if (expertCount % groups !== 0 || expertCount / groups < 2)
      m.invalid(
        `"${arch}.expert_group_count" is ${groups}, which does not divide ${expertCount} experts into groups of two or more`,
      );
    if (groupsUsed < 1 || groupsUsed >= groups)
      m.invalid(`"${arch}.expert_group_used_count" is ${groupsUsed} of ${groups} groups`);
    if (used > (expertCount / groups) * groupsUsed)
      m.invalid(`"${arch}.expert_used_count" is ${used}, more than the chosen groups hold`);
  }
  const gating = m.u32(`${arch}.expert_gating_func`) ?? 0;
  if (gating > 4)
    m.invalid(`"${arch}.expert_gating_func" is ${gating}; 1 (softmax) to 4 are known`);
  return { expertCount, expertUsedCount: used };
}

function checkFloats(m: Metadata, arch: string, keys: Iterable<string>): void {
  for (const key of keys) {
    const entry = m.entry(key);
    if (key.startsWith(`${arch}.`) && entry?.type === "f32" && !Number.isFinite(entry.value))
      m.invalid(`metadata "${key}" is ${String(entry.value)}`);
  }
  for (const name of ["layer_norm_rms_epsilon", "layer_norm_epsilon", "group_norm_epsilon"]) {
    const eps = m.f32(`${arch}.attention.${name}`);
    if (eps !== undefined && (eps < 0 || eps > 1))
      m.invalid(`"${arch}.attention.${name}" is ${eps}`);
  }
  const base = m.f32(`${arch}.rope.freq_base`);
  if (base !== undefined && base <= 0) m.invalid(`"${arch}.rope.freq_base" is ${base}`);
  for (const name of ["rope.scaling.factor", "rope.scale_linear", "rope.scaling.attn_factor"]) {
    const factor = m.f32(`${arch}.${name}`);
    if (factor !== undefined && factor < 0) m.invalid(`"${arch}.${name}" is ${factor}`);
  }
  const scaling = m.text(`${arch}.rope.scaling.type`);
  if (scaling !== undefined && !["none", "linear", "yarn", "longrope"].includes(scaling)) {
    m.invalid(
      `"${arch}.rope.scaling.type" is ${JSON.stringify(scaling.slice(0, 40))}; none, linear, yarn and longrope are known`,
    );
  }
  // llama4 has its own length.
  if (
    arch !== "llama4" &&
    (m.f32(`${arch}.attention.temperature_scale`) ?? 0) !== 0 &&
    (m.u32(`${arch}.attention.temperature_length`) ?? 0) === 0
  ) {
    m.invalid(`"${arch}.attention.temperature_scale" is set but "temperature_length" is not`);
  }
}

function checkDeepseek2(m: Metadata, shape: ModelShape): void {
  const arch = shape.architecture;
  const rank = bounded(m, `${arch}.attention.kv_lora_rank`, shape.kvLoraRank, 1, MAX_LENGTH);
  const [keyMla, valueMla] = [shape.keyLengthMla ?? 0, shape.valueLengthMla ?? 0];
  if ((keyMla === 0) !== (valueMla === 0))
    m.invalid(
      `of "key_length_mla" (${keyMla}) and "value_length_mla" (${valueMla}) only one is set`,
    );
  const expandedKey = shape.isMla ? keyMla : shape.keyLength;
  if (expandedKey <= shape.ropeDimensions)
    m.invalid(
      `its K heads of ${expandedKey} values leave none beside the ${shape.ropeDimensions} rotating ones`,
    );
  if (!shape.isMla) {
    if (shape.headCountsKv.some((n, i) => n !== shape.headCounts[i]))
      m.invalid(
        `"${arch}.attention.head_count_kv" differs from "head_count", which only an MLA model may have`,
      );
    return;
  }
  if (shape.keyLength !== rank + shape.ropeDimensions)
    m.invalid(
      `"${arch}.attention.key_length" is ${shape.keyLength}, where ${rank} + ${shape.ropeDimensions} is right`,
    );
  if (shape.valueLength !== rank)
    m.invalid(
      `"${arch}.attention.value_length" is ${shape.valueLength}, where kv_lora_rank ${rank} is right`,
    );
  if (shape.headCountsKv.some((n) => n !== 1))
    m.invalid(`"${arch}.attention.head_count_kv" must be 1 in an MLA model`);
}

function checkDense(m: Metadata, shape: ModelShape): void {
  const arch = shape.architecture;
  if (shape.keyLength !== shape.valueLength)
    m.invalid(
      `its K heads have ${shape.keyLength} values and its V heads ${shape.valueLength}; in ${arch} they are the same`,
    );
  if (shape.ropeDimensions !== shape.keyLength)
    m.invalid(
      `"${arch}.rope.dimension_count" is ${shape.ropeDimensions}, where the head length ${shape.keyLength} is right`,
    );
  for (const [i, heads] of shape.headCounts.entries()) {
    if (heads % (shape.headCountsKv[i] ?? 1) !== 0)
      m.invalid(
        `the ${heads} heads of layer ${i} cannot share ${shape.headCountsKv[i]} K and V heads`,
      );
    if (arch === "qwen2" && heads * shape.keyLength !== shape.embeddingLength)
      m.invalid(
        `${heads} heads of ${shape.keyLength} values do not make its width of ${shape.embeddingLength}`,
      );
  }
}

/**
 * Reads and checks the shape of a model.
 *
 * @param keys - All metadata keys of the file.
 * @throws {R1Error} `GGUF_INVALID`, naming the key.
 */
export function checkHyperparameters(m: Metadata, keys: Iterable<string>): ModelShape {
  const arch = m.text("general.architecture");
  if (arch === undefined || arch.length === 0)
    m.invalid(`metadata "general.architecture" is missing`);
  const get = (name: string): number | undefined => m.u32(`${arch}.${name}`);
  const need = (name: string, min: number, max: number): number =>
    bounded(m, `${arch}.${name}`, get(name), min, max);
  const blockCount = need("block_count", 1, MAX_LAYERS);
  const nextnLayers = get("nextn_predict_layers") ?? 0;
  if (nextnLayers >= blockCount)
    m.invalid(`"${arch}.nextn_predict_layers" is ${nextnLayers} of ${blockCount} layers`);
  const contextLength = need("context_length", 1, 2 ** 31 - 1);
  const embeddingLength = need("embedding_length", 1, MAX_LENGTH);
  checkFloats(m, arch, keys);
  const experts = checkExperts(m, arch, blockCount);
  const headCounts = m.perLayer(`${arch}.attention.head_count`, blockCount) ?? [];
  const headCountsKv = m.perLayer(`${arch}.attention.head_count_kv`, blockCount) ?? headCounts;
  // In some architectures zero heads mean a layer without attention; R1's four architectures have
  // no such layers.
  const strict = ["deepseek2", "qwen2", "qwen3", "llama"].includes(arch);
  for (const count of [...headCounts, ...headCountsKv])
    bounded(m, `${arch}.attention.head_count`, count, strict ? 1 : 0, 65_536);
  if (strict && headCounts.length === 0)
    m.invalid(`metadata "${arch}.attention.head_count" is missing`);
  const derived =
    (headCounts[0] ?? 0) === 0 ? 0 : Math.floor(embeddingLength / (headCounts[0] ?? 1));
  const keyLength = get("attention.key_length") ?? derived;
  const valueLength = get("attention.value_length") ?? derived;
  const ropeDimensions = get("rope.dimension_count") ?? keyLength;
  const [keyLengthMla, valueLengthMla] = [
    get("attention.key_length_mla"),
    get("attention.value_length_mla"),
  ];
  const [kvLoraRank, qLoraRank] = [get("attention.kv_lora_rank"), get("attention.q_lora_rank")];
  for (const [name, value] of Object.entries({ keyLength, valueLength, ropeDimensions })) {
    if (value > MAX_LENGTH || (strict && value === 0)) m.invalid(`its ${name} is ${value}`);
  }
  if (ropeDimensions % 2 !== 0)
    m.invalid(`"${arch}.rope.dimension_count" is ${ropeDimensions}, an odd number`);
  const shape: ModelShape = {
    architecture: arch,
    blockCount,
    nextnLayers,
    contextLength,
    embeddingLength,
    headCounts,
    headCountsKv,
    keyLength,
    valueLength,
    ropeDimensions,
    isMla: (keyLengthMla ?? 0) !== 0 && (valueLengthMla ?? 0) !== 0,
    ...(keyLengthMla === undefined ? {} : { keyLengthMla }),
    ...(valueLengthMla === undefined ? {} : { valueLengthMla }),
    ...(kvLoraRank === undefined ? {} : { kvLoraRank }),
    ...(qLoraRank === undefined ? {} : { qLoraRank }),
    ...experts,
    expertSharedCount: get("expert_shared_count") ?? 0,
    leadingDenseBlockCount: get("leading_dense_block_count") ?? 0,
  };
  if (arch === "deepseek2") checkDeepseek2(m, shape);
  else if (strict) checkDense(m, shape);
  return shape;
}
