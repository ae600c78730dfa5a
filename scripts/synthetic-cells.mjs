// Writes a small model with R1's whole vocabulary and 256 KiB of cells per token (R1 has 70 KB, its
// largest distill 320), for measurements that depend on these and not on weights. Synchronous.
import { pair, TENSOR_TYPES, writeGguf } from "./gguf-writer.mjs";
import { r1Vocabulary } from "./synthetic-full.mjs";
import { constantData, randomData } from "./synthetic-weights.mjs";

const [LAYERS, WIDTH, HEADS, HEAD, FEED_FORWARD, VOCAB] = [16, 64, 32, 128, 64, 129_280];

/** Writes it. The weights are random, so its text is nonsense. */
export async function writeCells(path) {
  const key = (name) => `llama.${name}`;
  const u32 = {
    block_count: LAYERS,
    context_length: 32_768,
    embedding_length: WIDTH,
    feed_forward_length: FEED_FORWARD,
    "attention.head_count": HEADS,
    "attention.head_count_kv": HEADS,
    "attention.key_length": HEAD,
    "attention.value_length": HEAD,
    "rope.dimension_count": HEAD,
    vocab_size: VOCAB,
  };
  const pairs = [
    pair("general.architecture", "str", "llama"),
    pair("general.name", "str", "R1's vocabulary over a small synthetic model"),
    ...Object.entries(u32).map(([name, value]) => pair(key(name), "u32", value)),
    pair(key("attention.layer_norm_rms_epsilon"), "f32", 1e-6),
    pair(key("rope.freq_base"), "f32", 10_000),
    ...(await r1Vocabulary()),
  ];
  let seed = 0;
  const matrix = (name, inner, outer) => ({
    name: `${name}.weight`,
    type: "q8_0",
    shape: [inner, outer],
    data: randomData("q8_0", TENSOR_TYPES.q8_0, 0.2, ++seed),
  });
  const ones = (name) => ({
    name: `${name}.weight`,
    type: "f32",
    shape: [WIDTH],
    data: constantData(1, WIDTH),
  });
  const tensors = [
    matrix("token_embd", WIDTH, VOCAB),
    ones("output_norm"),
    matrix("output", WIDTH, VOCAB),
  ];
  for (let i = 0; i < LAYERS; i++) {
    const t = (part) => `blk.${i}.${part}`;
    tensors.push(
      ones(t("attn_norm")),
      matrix(t("attn_q"), WIDTH, HEADS * HEAD),
      matrix(t("attn_k"), WIDTH, HEADS * HEAD),
      matrix(t("attn_v"), WIDTH, HEADS * HEAD),
      matrix(t("attn_output"), HEADS * HEAD, WIDTH),
      ones(t("ffn_norm")),
      matrix(t("ffn_gate"), WIDTH, FEED_FORWARD),
      matrix(t("ffn_up"), WIDTH, FEED_FORWARD),
      matrix(t("ffn_down"), FEED_FORWARD, WIDTH),
    );
  }
  await writeGguf(path, pairs, tensors);
  return [path];
}
