// The shapes that make-synthetic.mjs can write, each a function from a path to the files it wrote.
// Synchronous.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { pair, readGguf, TENSOR_TYPES, writeGguf } from "./gguf-writer.mjs";
import { constantData, halfBits, halfValue, randomData } from "./synthetic-weights.mjs";
import { writeCells } from "./synthetic-cells.mjs";
import { writeDistill } from "./synthetic-distill.mjs";
import { writeFullBf16, writeFullLegacy, writeFullSize } from "./synthetic-full.mjs";

const root = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * Random tensor; the seed follows from the name, so that a tensor is the same whatever stands
 * before it.
 */
export function random(name, type, shape, sd = 0.02) {
  let seed = 17;
  for (const c of name) seed = (Math.imul(seed, 31) + c.charCodeAt(0)) >>> 0;
  return { name, type, shape, data: randomData(type, TENSOR_TYPES[type], sd, seed) };
}

/** A vector of one value, in f32. */
export function vector(name, length, value) {
  return { name, type: "f32", shape: [length], data: constantData(value, length) };
}

/**
 * Qwen 2's vocabulary with the tokens that R1's distills put in place of some of its special ones.
 */
async function distillQwenVocabulary() {
  const { pairs } = await readGguf(root("vendor/llama.cpp/models/ggml-vocab-qwen2.gguf"));
  const tokens = pairs.get("tokenizer.ggml.tokens").strings;
  const types = Buffer.from(pairs.get("tokenizer.ggml.token_type").data);
  const placed = [
    [151643, "<｜end▁of▁sentence｜>", 3],
    [151644, "<｜User｜>", 4],
    [151645, "<｜Assistant｜>", 4],
    [151646, "<｜begin▁of▁sentence｜>", 3],
    [151647, "<|EOT|>", 4],
    [151648, "<think>", 4],
    [151649, "</think>", 4],
    [151654, "<|vision_pad|>", 3],
  ];
  for (const [id, token, type] of placed) {
    tokens[id] = token;
    types.writeInt32LE(type, id * 4);
  }
  const typeValues = Array.from({ length: tokens.length }, (_, i) => types.readInt32LE(i * 4));
  const template = await readFile(
    root("vendor/llama.cpp/models/templates/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja"),
    "utf8",
  );
  return [
    pair("tokenizer.ggml.model", "str", "gpt2"),
    pair("tokenizer.ggml.pre", "str", "deepseek-r1-qwen"),
    pair("tokenizer.ggml.tokens", "arr", { of: "str", values: tokens }),
    pair("tokenizer.ggml.token_type", "arr", { of: "i32", values: typeValues }),
    pairs.get("tokenizer.ggml.merges").raw,
    pair("tokenizer.ggml.bos_token_id", "u32", 151646),
    pair("tokenizer.ggml.eos_token_id", "u32", 151643),
    pair("tokenizer.ggml.padding_token_id", "u32", 151654),
    pair("tokenizer.ggml.add_bos_token", "bool", true),
    pair("tokenizer.ggml.add_eos_token", "bool", false),
    pair("tokenizer.chat_template", "str", template),
  ];
}

async function writeQwen(path, { name, layers, width, heads, headsKv, feedForward, isTied }) {
  const vocabulary = await distillQwenVocabulary();
  const pairs = [
    pair("general.architecture", "str", "qwen2"),
    pair("general.name", "str", name),
    pair("qwen2.block_count", "u32", layers),
    pair("qwen2.context_length", "u32", 131072),
    pair("qwen2.embedding_length", "u32", width),
    pair("qwen2.feed_forward_length", "u32", feedForward),
    pair("qwen2.attention.head_count", "u32", heads),
    pair("qwen2.attention.head_count_kv", "u32", headsKv),
    pair("qwen2.rope.freq_base", "f32", 10000),
    pair("qwen2.attention.layer_norm_rms_epsilon", "f32", 1e-6),
    pair("general.file_type", "u32", 2),
    ...vocabulary,
  ];
  const widthKv = (width / heads) * headsKv;
  const tensors = [
    random("token_embd.weight", isTied ? "q8_0" : "q4_0", [width, 151936]),
    vector("output_norm.weight", width, 1),
  ];
  if (!isTied) tensors.push(random("output.weight", "q6_K", [width, 151936]));
  for (let i = 0; i < layers; i++) {
    const t = (part) => `blk.${i}.${part}`;
    tensors.push(
      vector(t("attn_norm.weight"), width, 1),
      random(t("attn_q.weight"), "q4_0", [width, width]),
      vector(t("attn_q.bias"), width, 0),
      random(t("attn_k.weight"), "q4_0", [width, widthKv]),
      vector(t("attn_k.bias"), widthKv, 0),
      random(t("attn_v.weight"), "q4_0", [width, widthKv]),
      vector(t("attn_v.bias"), widthKv, 0),
      random(t("attn_output.weight"), "q4_0", [width, width]),
      vector(t("ffn_norm.weight"), width, 1),
      random(t("ffn_gate.weight"), "q4_0", [width, feedForward]),
      random(t("ffn_up.weight"), "q4_0", [width, feedForward]),
      random(t("ffn_down.weight"), "q4_0", [feedForward, width]),
    );
  }
  await writeGguf(path, pairs, tensors);
  return [path];
}

/**
 * The trained tiny model in the older layout of R1 files: one `attn_kv_b` a layer, no MLA keys. The
 * same weights and, but for rounding, the same answers.
 */
async function writeLegacy(path) {
  const { pairs, tensors } = await readGguf(root("models/tiny-r1-f16.gguf"));
  const dropped = [
    "key_length",
    "value_length",
    "key_length_mla",
    "value_length_mla",
    "head_count_kv",
  ].map((key) => `deepseek2.attention.${key}`);
  const [heads, nope, rope, values, rank] = [4, 32, 32, 32, 64];
  const kept = [...pairs].filter(([key]) => !dropped.includes(key)).map(([, entry]) => entry.raw);
  const own = [
    pair("deepseek2.attention.head_count_kv", "u32", heads),
    pair("deepseek2.attention.key_length", "u32", nope + rope),
    pair("deepseek2.attention.value_length", "u32", values),
  ];
  const made = [];
  for (const tensor of tensors) {
    if (tensor.name.endsWith(".attn_v_b.weight")) continue;
    if (!tensor.name.endsWith(".attn_k_b.weight")) {
      made.push(tensor);
      continue;
    }
    const vName = tensor.name.replace("attn_k_b", "attn_v_b");
    const v = tensors.find(({ name }) => name === vName);
    const half = ({ data, type }, i) =>
      type === "f32" ? data.readFloatLE(i * 4) : halfValue(data.readUInt16LE(i * 2));
    const data = Buffer.alloc(rank * heads * (nope + values) * 2);
    for (let h = 0; h < heads; h++) {
      // attn_k_b holds [head][rank][nope], attn_kv_b wants [head][nope then values][rank].
      for (let n = 0; n < nope; n++) {
        for (let r = 0; r < rank; r++)
          data.writeUInt16LE(
            halfBits(half(tensor, (h * rank + r) * nope + n)),
            ((h * (nope + values) + n) * rank + r) * 2,
          );
      }
      for (let n = 0; n < values; n++) {
        for (let r = 0; r < rank; r++)
          data.writeUInt16LE(
            halfBits(half(v, (h * values + n) * rank + r)),
            ((h * (nope + values) + nope + n) * rank + r) * 2,
          );
      }
    }
    made.push({
      name: tensor.name.replace("attn_k_b", "attn_kv_b"),
      type: "f16",
      shape: [rank, heads * (nope + values)],
      data,
    });
  }
  await writeGguf(path, [...kept, ...own], made);
  return [path];
}

/**
 * A random MLA model whose rows are all multiples of 256, so that every quant of llama.cpp fits it.
 */
async function write256(path) {
  const { pairs } = await readGguf(root("models/tiny-r1-f16.gguf"));
  const s = {
    layers: 3,
    width: 256,
    heads: 4,
    qRank: 256,
    rank: 256,
    nope: 256,
    rope: 64,
    values: 256,
    dense: 512,
    expert: 256,
    experts: 4,
    vocab: 768,
  };
  const u32 = {
    block_count: s.layers,
    expert_count: s.experts,
    embedding_length: s.width,
    feed_forward_length: s.dense,
    "attention.q_lora_rank": s.qRank,
    "attention.kv_lora_rank": s.rank,
    "attention.key_length": s.rank + s.rope,
    "attention.value_length": s.rank,
    "attention.key_length_mla": s.nope + s.rope,
    "attention.value_length_mla": s.values,
    "rope.dimension_count": s.rope,
    expert_feed_forward_length: s.expert,
  };
  const own = new Map(
    Object.entries(u32).map(([key, value]) => [
      `deepseek2.${key}`,
      pair(`deepseek2.${key}`, "u32", value),
    ]),
  );
  const all = [...pairs].map(([key, entry]) => own.get(key) ?? entry.raw);
  const tensors = [
    random("token_embd.weight", "f16", [s.width, s.vocab], 0.5),
    vector("output_norm.weight", s.width, 1),
    random("output.weight", "f16", [s.width, s.vocab], 0.06),
  ];
  for (let i = 0; i < s.layers; i++) {
    const w = (part, shape) =>
      random(`blk.${i}.${part}.weight`, "f16", shape, 1 / Math.sqrt(shape[0]));
    const norm = (part, length) => vector(`blk.${i}.${part}.weight`, length, 1);
    tensors.push(
      norm("attn_norm", s.width),
      w("attn_q_a", [s.width, s.qRank]),
      norm("attn_q_a_norm", s.qRank),
      w("attn_q_b", [s.qRank, s.heads * (s.nope + s.rope)]),
      w("attn_kv_a_mqa", [s.width, s.rank + s.rope]),
      norm("attn_kv_a_norm", s.rank),
      w("attn_k_b", [s.nope, s.rank, s.heads]),
      w("attn_v_b", [s.rank, s.values, s.heads]),
      w("attn_output", [s.heads * s.values, s.width]),
      norm("ffn_norm", s.width),
    );
    if (i === 0) {
      tensors.push(
        w("ffn_gate", [s.width, s.dense]),
        w("ffn_up", [s.width, s.dense]),
        w("ffn_down", [s.dense, s.width]),
      );
      continue;
    }
    tensors.push(
      random(`blk.${i}.ffn_gate_inp.weight`, "f32", [s.width, s.experts], 0.06),
      vector(`blk.${i}.exp_probs_b.bias`, s.experts, 0),
      w("ffn_gate_exps", [s.width, s.expert, s.experts]),
      w("ffn_up_exps", [s.width, s.expert, s.experts]),
      w("ffn_down_exps", [s.expert, s.width, s.experts]),
      w("ffn_gate_shexp", [s.width, s.expert]),
      w("ffn_up_shexp", [s.width, s.expert]),
      w("ffn_down_shexp", [s.expert, s.width]),
    );
  }
  await writeGguf(path, all, tensors);
  return [path];
}

const QWEN_7B = {
  isLlama: false,
  layers: 28,
  width: 3584,
  feedForward: 18_944,
  heads: 28,
  headsKv: 4,
  vocab: 152_064,
};
const QWEN_32B = {
  isLlama: false,
  layers: 64,
  width: 5120,
  feedForward: 27_648,
  heads: 40,
  headsKv: 8,
  vocab: 152_064,
};
const LLAMA_70B = {
  isLlama: true,
  layers: 80,
  width: 8192,
  feedForward: 28_672,
  heads: 64,
  headsKv: 8,
  vocab: 128_256,
};

/** Tokens that llama.cpp's vocabularies lack: rows without a name, as the releases have. */
async function paddedVocabulary(file, length) {
  const { pairs } = await readGguf(root(`vendor/llama.cpp/models/${file}`));
  const known = pairs.get("tokenizer.ggml.tokens").strings;
  const tokens = Array.from({ length }, (_, id) => known[id] ?? `[PAD${id}]`);
  const names = ["model", "pre", "merges", "bos_token_id", "eos_token_id"]
    .map((name) => pairs.get(`tokenizer.ggml.${name}`))
    .filter((entry) => entry !== undefined);
  return [
    ...names.map(({ raw }) => raw),
    pair("tokenizer.ggml.tokens", "arr", { of: "str", values: tokens }),
  ];
}

/** Name -> writer. */
export const SHAPES = {
  "qwen-0.5b": (path) =>
    writeQwen(path, {
      name: "synthetic 0.5B",
      layers: 24,
      width: 896,
      heads: 14,
      headsKv: 2,
      feedForward: 4864,
      isTied: true,
    }),
  "qwen-1.5b": (path) =>
    writeQwen(path, {
      name: "synthetic R1-Distill-Qwen-1.5B shape",
      layers: 28,
      width: 1536,
      heads: 12,
      headsKv: 2,
      feedForward: 8960,
      isTied: false,
    }),
  "r1-cells": writeCells,
  "deepseek2-legacy": writeLegacy,
  "deepseek2-256": write256,
  "r1-full-sparse": writeFullSize,
  "r1-full-legacy-sparse": writeFullLegacy,
  "r1-full-bf16-sparse": writeFullBf16,
  "distill-qwen-7b-sparse": async (path) =>
    writeDistill(path, QWEN_7B, await paddedVocabulary("ggml-vocab-qwen2.gguf", QWEN_7B.vocab)),
  "distill-qwen-32b-sparse": async (path) =>
    writeDistill(path, QWEN_32B, await paddedVocabulary("ggml-vocab-qwen2.gguf", QWEN_32B.vocab)),
  "distill-llama-70b-sparse": async (path) =>
    writeDistill(
      path,
      LLAMA_70B,
      await paddedVocabulary("ggml-vocab-llama-bpe.gguf", LLAMA_70B.vocab),
    ),
};
