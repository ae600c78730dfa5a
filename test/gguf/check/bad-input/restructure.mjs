// Makes whole but wrong models out of a good one, the same for the same seed: headers and data fit
// together, but hyperparameters, tensor types and shapes do not. What flipped bits rarely reach.
// Pure; runs anywhere.
import { pair, tensorBytes } from "../../../../scripts/gguf-writer.mjs";
import { randomIntegers } from "../../../../scripts/random.mjs";

const VALUES = [0, 1, 2, 3, 4, 5, 6, 8, 16, 24, 32, 48, 64, 96, 128, 256, 512, 768, 1024, 2048];
const FLOATS = [0, 1e-30, 1e30, -1, 0.5, 1e-6, 3.4e38, -1e30];
const TYPES = ["f32", "f16", "bf16", "q4_0", "q8_0", "q2_K", "q6_K", "iq1_s", "iq2_xxs", "i32"];
const U32_KEYS = [
  "expert_group_count",
  "expert_group_used_count",
  "nextn_predict_layers",
  "attention.sliding_window",
  "attention.causal",
  "pooling_type",
  "embedding_length_out",
  "interleave_moe_layer_step",
];
const F32_KEYS = [
  "rope.freq_base",
  "rope.scaling.factor",
  "rope.scaling.yarn_log_multiplier",
  "rope.scaling.yarn_ext_factor",
  "attention.layer_norm_rms_epsilon",
  "attention.scale",
  "attention.clamp_kqv",
  "attention.max_alibi_bias",
  "attention.temperature_scale",
  "final_logit_softcapping",
  "logit_scale",
];
const NEW_TENSORS = [
  ["rope_freqs.weight", [16]],
  ["output.bias", [768]],
  ["blk.0.attn_q.bias", [256]],
  ["blk.1.ffn_gate_up_exps.weight", [256, 512, 8]],
  ["blk.0.attn_qkv.weight", [256, 512]],
  ["cls.weight", [256, 256]],
  ["position_embd.weight", [256, 768]],
  ["blk.1.ffn_up_exps.scale", [8]],
  ["token_embd_norm.weight", [256]],
];

const CHANGES = [
  (model, next) => {
    const keys = [
      ...[...model.pairs]
        .filter(([key, { type }]) => key.startsWith(model.prefix) && type === "u32")
        .map(([key]) => key),
      ...U32_KEYS.map((key) => model.prefix + key),
    ];
    const key = keys[next() % keys.length];
    model.raw.set(key, pair(key, "u32", VALUES[next() % VALUES.length]));
  },
  (model, next) => {
    const key = model.prefix + F32_KEYS[next() % F32_KEYS.length];
    model.raw.set(key, pair(key, "f32", FLOATS[next() % FLOATS.length]));
  },
  (model, next) => {
    const tensor = model.tensors[next() % model.tensors.length];
    const type = TYPES[next() % TYPES.length];
    if (tensor.shape[0] % 256 !== 0) return;
    Object.assign(tensor, {
      type,
      data: Buffer.alloc(tensorBytes(type, tensor.shape), next() & 255),
    });
  },
  (model, next) => void model.tensors.splice(next() % model.tensors.length, 1),
  (model, next) => {
    const tensor = model.tensors[next() % model.tensors.length];
    const shape = [...tensor.shape].reverse();
    if (shape[0] % 32 === 0)
      Object.assign(tensor, { shape, data: Buffer.alloc(tensorBytes(tensor.type, shape)) });
  },
  (model, next) => {
    const [name, shape] = NEW_TENSORS[next() % NEW_TENSORS.length];
    if (model.tensors.every((tensor) => tensor.name !== name))
      model.tensors.push({
        name,
        type: "f32",
        shape,
        data: Buffer.alloc(tensorBytes("f32", shape), next() & 1),
      });
  },
];

/**
 * The wrong model of a seed: metadata and tensors for `writeGguf`. `good` is what `readGguf` gives.
 */
export function restructure(good, seed) {
  const next = randomIntegers(seed);
  const prefix = `${good.pairs.get("general.architecture").text}.`;
  const model = {
    prefix,
    pairs: good.pairs,
    raw: new Map([...good.pairs].map(([key, { raw }]) => [key, raw])),
    tensors: good.tensors.map((tensor) => ({ ...tensor })),
  };
  for (let n = 1 + (next() % 3); n > 0; n--) CHANGES[next() % CHANGES.length](model, next);
  return { pairs: [...model.raw.values()], tensors: model.tensors };
}
