// Lists the tensors that a model cannot load without, for files of which only the header is
// available. Facts: load_arch_tensors of llama.cpp v0.5.0,
// src/models/{deepseek2,llama,qwen2,qwen3}.cpp.
import type { ModelShape } from "./check-hyperparameters.js";

/**
 * Required by one layer: each entry is a tensor, or alternatives of which one set must be present.
 */
type Need = string | readonly (readonly string[])[];

const QKV: Need = [["attn_qkv"], ["attn_q", "attn_k", "attn_v"]];
const DENSE: readonly Need[] = ["ffn_gate", "ffn_down", "ffn_up"];

function deepseekLayer(shape: ModelShape, layer: number): readonly Need[] {
  const experts: readonly Need[] = [
    "ffn_gate_inp",
    "ffn_down_exps",
    [["ffn_gate_up_exps"], ["ffn_gate_exps", "ffn_up_exps"]],
    "ffn_gate_shexp",
    "ffn_down_shexp",
    "ffn_up_shexp",
  ];
  return [
    "attn_norm",
    "attn_kv_a_norm",
    "attn_kv_a_mqa",
    "attn_output",
    "ffn_norm",
    ...((shape.qLoraRank ?? 0) > 0 ? ["attn_q_a_norm", "attn_q_a", "attn_q_b"] : ["attn_q"]),
    ...(shape.isMla ? ["attn_k_b", "attn_v_b"] : ["attn_kv_b"]),
    ...(layer < shape.leadingDenseBlockCount ? DENSE : experts),
  ];
}

/**
 * Returns the tensors that a layer needs; undefined for an architecture that this file does not
 * know.
 */
function layerNeeds(shape: ModelShape, layer: number): readonly Need[] | undefined {
  const plain: readonly Need[] = ["attn_norm", QKV, "attn_output", "ffn_norm"];
  switch (shape.architecture) {
    case "deepseek2":
      return deepseekLayer(shape, layer);
    case "llama":
      return shape.expertCount === 0
        ? [...plain, ...DENSE]
        : [...plain, "ffn_gate_inp", "ffn_down_exps", "ffn_up_exps"];
    case "qwen2":
      return [...plain, ...DENSE];
    case "qwen3":
      return [...plain, "attn_k_norm", "attn_q_norm", ...DENSE];
    default:
      return undefined;
  }
}

/**
 * Returns the names of the tensors that a model lacks. Empty if none are missing, or if the
 * architecture is not one of R1's. Prediction layers at the end are optional as a whole and are not
 * checked.
 *
 * @param names - Names of all tensors, of all parts.
 */
export function missingTensors(shape: ModelShape, names: ReadonlySet<string>): string[] {
  const missing: string[] = [];
  const need = (name: string): void => {
    if (!names.has(name)) missing.push(name);
  };
  if (layerNeeds(shape, 0) === undefined) return [];
  need("token_embd.weight");
  need("output_norm.weight");
  for (let layer = 0; layer < shape.blockCount - shape.nextnLayers; layer++) {
    const full = (name: string): string => `blk.${layer}.${name}.weight`;
    for (const one of layerNeeds(shape, layer) ?? []) {
      if (typeof one === "string") need(full(one));
      else if (!one.some((set) => set.every((name) => names.has(full(name)))))
        missing.push(...(one.at(-1) ?? []).map(full).filter((name) => !names.has(name)));
    }
  }
  return missing;
}
