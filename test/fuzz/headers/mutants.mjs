// Wrong models for the header fuzzer: right files with one to three changes that keep header and
// data fitting together. Writes to the path it is given; the same random numbers make the same
// file.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bytesOf, parse, TENSOR_TYPES, write } from "./gguf.mjs";

const rooted = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Every architecture that the vendored llama.cpp knows. */
export const ARCHITECTURES = [
  ...readFileSync(rooted("vendor/llama.cpp/src/llama-arch.cpp"), "utf8").matchAll(
    /\{ LLM_ARCH_\w+, +"([^"]+)" +\}/g,
  ),
].map(([, name]) => name);

const NUMBERS = [
  0,
  1,
  2,
  3,
  4,
  5,
  7,
  8,
  16,
  31,
  32,
  64,
  96,
  128,
  256,
  512,
  768,
  2 ** 20,
  2 ** 31,
  2 ** 32 - 1,
];
const FLOATS = [0, -0, 1e-30, 1e30, -1, 0.5, 1e-6, 3.4e38, Infinity, NaN];
const COUNTS = [
  "block_count",
  "head_count",
  "attention.head_count",
  "attention.head_count_kv",
  "attention.key_length",
  "attention.value_length",
  "attention.key_length_mla",
  "attention.value_length_mla",
  "attention.kv_lora_rank",
  "attention.q_lora_rank",
  "attention.sliding_window",
  "attention.sliding_window_pattern",
  "attention.indexer.head_count",
  "attention.indexer.key_length",
  "attention.indexer.top_k",
  "attention.group_norm_groups",
  "expert_count",
  "expert_used_count",
  "expert_shared_count",
  "expert_group_count",
  "expert_group_used_count",
  "expert_feed_forward_length",
  "expert_gating_func",
  "leading_dense_block_count",
  "interleave_moe_layer_step",
  "moe_every_n_layers",
  "nextn_predict_layers",
  "rope.dimension_count",
  "rope.dimension_sections",
  "feed_forward_length",
  "embedding_length",
  "embedding_length_out",
  "embedding_length_per_layer_input",
  "vocab_size",
  "context_length",
  "pooling_type",
  "attention.causal",
  "ssm.conv_kernel",
  "ssm.inner_size",
  "ssm.state_size",
  "ssm.time_step_rank",
  "ssm.group_count",
  "wkv.head_size",
  "shortconv.l_cache",
  "token_shift_count",
  "attention.shared_kv_layers",
  "full_attention_interval",
  "altup.num_inputs",
  "altup.active_idx",
  "laurel.rank",
  "n_layer_dense_lead",
  "decoder_block_count",
  "decoder_start_token_id",
  "attention.relative_buckets_count",
  "rope.scaling.original_context_length",
];
const REALS = [
  "rope.freq_base",
  "rope.freq_base_swa",
  "rope.scaling.factor",
  "rope.scaling.yarn_log_multiplier",
  "attention.layer_norm_rms_epsilon",
  "attention.layer_norm_epsilon",
  "attention.scale",
  "attention.clamp_kqv",
  "attention.max_alibi_bias",
  "attention.temperature_scale",
  "attn_logit_softcapping",
  "final_logit_softcapping",
  "logit_scale",
  "residual_scale",
  "embedding_scale",
  "expert_weights_scale",
];
const MODELS = ["llama", "gpt2", "bert", "t5", "rwkv", "plamo2", "none", "gemma4", "no-such"];
const PRES = [
  "default",
  "llama-bpe",
  "deepseek-v3",
  "qwen2",
  "gpt-2",
  "tekken",
  "gpt-4o",
  "smaug-bpe",
  "no-such",
];

function set(model, key, type, value, of) {
  const pair = model.pairs.find((one) => one.key === key);
  if (pair === undefined) model.pairs.push({ key, type, value, of });
  else Object.assign(pair, { type, value, of });
}

const architectureOf = (model) =>
  model.pairs.find(({ key }) => key === "general.architecture").value.toString();

/** A model of another architecture: the name and the keys change, the tensors stay. */
function rename(model, to) {
  const from = architectureOf(model);
  for (const pair of model.pairs)
    if (pair.key.startsWith(`${from}.`)) pair.key = `${to}${pair.key.slice(from.length)}`;
  set(model, "general.architecture", "str", Buffer.from(to));
}

const CHANGES = {
  architecture: (model, random) => {
    const to = random.pick(ARCHITECTURES);
    rename(model, to);
    return to;
  },
  alignment: (model, random) => {
    const value = random.pick([1, 2, 4, 8, 16, 64, 128, 4096]);
    set(model, "general.alignment", "u32", value);
    model.alignment = value;
    return value;
  },
  count: (model, random) => {
    const key = random.pick(COUNTS);
    const value = random.pick(NUMBERS);
    set(model, `${architectureOf(model)}.${key}`, "u32", value);
    return `${key}=${value}`;
  },
  perLayer: (model, random) => {
    const key = random.pick(COUNTS);
    const value = Array.from({ length: random.pick([1, 2, 3, 4, 4, 4, 5, 8]) }, () =>
      random.pick([0, 1, 1, 2, 2, 4, 8, 16, 32]),
    );
    set(
      model,
      `${architectureOf(model)}.${key}`,
      "arr",
      value,
      random.pick(["u32", "i32", "bool"]),
    );
    return `${key}=[${value}]`;
  },
  real: (model, random) => {
    const key = random.pick(REALS);
    const value = random.pick(FLOATS);
    set(model, `${architectureOf(model)}.${key}`, "f32", value);
    return `${key}=${value}`;
  },
  remove: (model, random) => {
    const [gone] = model.pairs.splice(random.below(model.pairs.length), 1);
    if (gone.key === "general.architecture") model.pairs.push(gone);
    return gone.key;
  },
  template: (model, random) => {
    const depth = random.pick([100, 1000, 20_000, 200_000]);
    const [open, close] = random.pick([
      ["(", ")"],
      ["[", "]"],
      ["{% if x %}", "{% endif %}"],
      ["{{", "}}"],
      ["-", ""],
      ["not ", ""],
    ]);
    const inside = open.repeat(depth) + "1" + (random.oneIn(2) ? close.repeat(depth) : "");
    set(
      model,
      "tokenizer.chat_template",
      "str",
      Buffer.from(random.oneIn(3) ? inside : `{{ ${inside} }}`),
    );
    return `${depth} of ${open}`;
  },
  vocabulary: (model, random) => {
    const kind = random.pick(MODELS);
    set(model, "tokenizer.ggml.model", "str", Buffer.from(kind));
    const count = model.pairs.find(({ key }) => key === "tokenizer.ggml.tokens")?.value.length ?? 0;
    if (random.oneIn(2)) set(model, "tokenizer.ggml.scores", "arr", Array(count).fill(-1), "f32");
    if (random.oneIn(2)) set(model, "tokenizer.ggml.pre", "str", Buffer.from(random.pick(PRES)));
    return kind;
  },
  tokenTypes: (model, random) => {
    const pair = model.pairs.find(({ key }) => key === "tokenizer.ggml.token_type");
    if (pair === undefined) return "none";
    const type = random.pick([0, 1, 2, 3, 4, 5, 6, 7, -1]);
    const share = random.pick([1, 2, 10]);
    pair.value = pair.value.map((old) => (random.oneIn(share) ? type : old));
    return type;
  },
  specialId: (model, random) => {
    const key = `tokenizer.ggml.${random.pick(["bos", "eos", "eot", "unknown", "padding", "fim_pre"])}_token_id`;
    const value = random.pick(NUMBERS);
    set(model, key, "u32", value);
    return `${key}=${value}`;
  },
  removeTensor: (model, random) => {
    const [gone] = model.tensors.splice(random.below(model.tensors.length), 1);
    return gone.name;
  },
  removeLayer: (model, random) => {
    const layer = random.below(4);
    model.tensors = model.tensors.filter(({ name }) => !name.startsWith(`blk.${layer}.`));
    return layer;
  },
  predictionOnly: (model) => {
    set(model, `${architectureOf(model)}.nextn_predict_layers`, "u32", 1);
    model.tensors = model.tensors.filter(({ name }) => !/^blk\.[012]\./.test(name));
    return "";
  },
  reshape: (model, random) => {
    const tensor = random.pick(model.tensors);
    const { shape } = tensor;
    const next = random.pick([
      [...shape].reverse(),
      [...shape, 1],
      shape.map((n, i) => (i === shape.length - 1 && n % 2 === 0 ? n / 2 : n)),
      [shape[0] * (shape[1] ?? 1), ...shape.slice(2)],
    ]);
    if (next[0] % TENSOR_TYPES[tensor.type][0] !== 0) return "none";
    tensor.shape = next.slice(0, 4);
    tensor.data = tensor.data.subarray(0, bytesOf(tensor.type, tensor.shape));
    return `${tensor.name} ${next}`;
  },
  retype: (model, random) => {
    const tensor = random.pick(model.tensors);
    const type = Number(random.pick(Object.keys(TENSOR_TYPES)));
    if (tensor.shape[0] % TENSOR_TYPES[type][0] !== 0) return "none";
    tensor.type = type;
    tensor.data = Buffer.alloc(bytesOf(type, tensor.shape), tensor.data);
    return `${tensor.name} ${type}`;
  },
  copyTensor: (model, random) => {
    const tensor = random.pick(model.tensors);
    const suffix = random.pick([
      "attn_q.bias",
      "attn_qkv.weight",
      "attn_sinks.weight",
      "ffn_gate_inp.weight",
      "ssm_in.weight",
      "nextn.eh_proj.weight",
      "post_attention_norm.weight",
    ]);
    const name = `blk.${random.below(4)}.${suffix}`;
    if (model.tensors.some((one) => one.name === name)) return "none";
    model.tensors.push({ ...tensor, name });
    return `${name} of ${tensor.name}`;
  },
};

/** A small right model of the shape that most architectures share. */
function dense() {
  const [width, heads, length, layers, vocabulary] = [64, 2, 32, 2, 768];
  const pairs = [{ key: "general.architecture", type: "str", value: Buffer.from("llama") }];
  const counts = {
    block_count: layers,
    context_length: 2048,
    embedding_length: width,
    feed_forward_length: 64,
    "attention.head_count": heads,
    "attention.head_count_kv": heads,
    "attention.key_length": length,
    "attention.value_length": length,
    "rope.dimension_count": length,
    vocab_size: vocabulary,
  };
  for (const [key, value] of Object.entries(counts))
    pairs.push({ key: `llama.${key}`, type: "u32", value });
  for (const key of ["attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"])
    pairs.push({ key: `llama.${key}`, type: "f32", value: 1e-6 });
  pairs.push(
    ...parse(rooted("models/tiny-r1.gguf")).pairs.filter(({ key }) => key.startsWith("tokenizer.")),
  );
  const tensors = [];
  const add = (name, ...shape) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++)
      values[i] = shape.length === 1 ? 1 : (((i * 2_654_435_761) % 997) / 997 - 0.5) / 4;
    tensors.push({ name, shape, type: 0, data: Buffer.from(values.buffer) });
  };
  add("token_embd.weight", width, vocabulary);
  add("output_norm.weight", width);
  add("output.weight", width, vocabulary);
  for (let i = 0; i < layers; i++) {
    for (const norm of ["attn_norm", "ffn_norm"]) add(`blk.${i}.${norm}.weight`, width);
    for (const part of ["q", "k", "v", "output"]) add(`blk.${i}.attn_${part}.weight`, width, width);
    for (const part of ["gate", "up", "down"]) add(`blk.${i}.ffn_${part}.weight`, 64, 64);
  }
  return { pairs, tensors };
}

let bases;

/** Writes a changed model and returns what was changed. */
export function writeMutant(path, random) {
  bases ??= [parse(rooted("models/tiny-r1.gguf")), dense()];
  const base = random.pick(bases);
  const model = {
    pairs: base.pairs.map((pair) => ({ ...pair })),
    tensors: base.tensors.map((tensor) => ({ ...tensor })),
  };
  const changes = [];
  if (random.oneIn(2)) changes.push("architecture");
  const count = random.between(changes.length === 0 ? 1 : 0, 2);
  for (let i = 0; i < count; i++) changes.push(random.pick(Object.keys(CHANGES)));
  const what = changes.map((name) => `${name} ${CHANGES[name](model, random)}`);
  writeFileSync(path, write(model));
  return what.join("; ");
}
