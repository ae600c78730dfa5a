// Collects what a plan needs to know about a model from its files' metadata. Pure.
import type { ModelShape } from "../gguf/check/check-hyperparameters.js";
import type { PlanTensor } from "./memory.js";
import type { PlanModel } from "./offload.js";

/** Puts it together. */
export function describeForPlan(
  shape: ModelShape,
  tensors: readonly PlanTensor[],
  sizeBytes: number,
): PlanModel {
  const length = (suffix: string, dimension: number): number =>
    tensors.find(({ name }) => name.endsWith(suffix))?.shape[dimension] ?? 0;
  return {
    tensors,
    sizeBytes,
    layers: shape.blockCount - shape.nextnLayers,
    expertCount: shape.expertCount,
    expertsUsed: shape.expertUsedCount,
    isMla: shape.isMla,
    kvHeads: shape.headCountsKv,
    keyLength: shape.keyLength,
    valueLength: shape.valueLength,
    embeddingLength: shape.embeddingLength,
    heads: Math.max(1, ...shape.headCounts),
    vocabSize: length("token_embd.weight", 1),
    feedForwardLength: length("_exps.weight", 1) || length("ffn_up.weight", 1),
  };
}
