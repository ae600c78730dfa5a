// Writes the exact shapes of R1's distills as sparse files: all bytes of all tensors, all zero, for
// planning and dry runs without their gigabytes. Synchronous.
import { writeGguf, pair } from "./gguf-writer.mjs";

/**
 * Types in the manner of Q4_K_M: values and half of the down projections in 6 bits, all else in 4.
 */
function typeOf(part, layer, layers) {
  const isSpared =
    layer < layers / 8 || layer >= (layers * 7) / 8 || (layer - Math.floor(layers / 8)) % 3 === 2;
  return part === "attn_v" || part === "ffn_down" ? (isSpared ? "q6_K" : "q4_K") : "q4_K";
}

/**
 * Writes one. `vocabulary` are the metadata pairs of its tokenizer.
 * @param shape layers, width, feedForward, heads, headsKv, vocab; isLlama tells the architecture.
 */
export async function writeDistill(
  path,
  { isLlama, layers, width, feedForward, heads, headsKv, vocab },
  vocabulary,
) {
  const arch = isLlama ? "llama" : "qwen2";
  const widthKv = 128 * headsKv;
  const u32 = {
    block_count: layers,
    context_length: 131072,
    embedding_length: width,
    feed_forward_length: feedForward,
  };
  const attention = { head_count: heads, head_count_kv: headsKv };
  const pairs = [
    pair("general.architecture", "str", arch),
    pair("general.name", "str", "R1 distill (full shape, all weights zero)"),
    ...Object.entries(u32).map(([name, value]) => pair(`${arch}.${name}`, "u32", value)),
    ...Object.entries(attention).map(([name, value]) =>
      pair(`${arch}.attention.${name}`, "u32", value),
    ),
    pair(`${arch}.attention.layer_norm_rms_epsilon`, "f32", 1e-6),
    pair(`${arch}.rope.freq_base`, "f32", isLlama ? 500000 : 1e6),
    ...(isLlama
      ? [pair("llama.rope.dimension_count", "u32", 128), pair("llama.vocab_size", "u32", vocab)]
      : []),
    pair("general.file_type", "u32", 15),
    ...vocabulary,
  ];
  const tensors = [
    { name: "token_embd.weight", type: "q4_K", shape: [width, vocab] },
    { name: "output_norm.weight", type: "f32", shape: [width] },
    { name: "output.weight", type: "q6_K", shape: [width, vocab] },
  ];
  for (let i = 0; i < layers; i++) {
    const vector = (part, length) =>
      tensors.push({ name: `blk.${i}.${part}`, type: "f32", shape: [length] });
    const weight = (part, inner, outer) =>
      tensors.push({
        name: `blk.${i}.${part}.weight`,
        type: typeOf(part, i, layers),
        shape: [inner, outer],
      });
    vector("attn_norm.weight", width);
    weight("attn_q", width, width);
    weight("attn_k", width, widthKv);
    weight("attn_v", width, widthKv);
    weight("attn_output", width, width);
    if (!isLlama)
      for (const [part, length] of Object.entries({
        attn_q: width,
        attn_k: widthKv,
        attn_v: widthKv,
      }))
        vector(`${part}.bias`, length);
    vector("ffn_norm.weight", width);
    weight("ffn_gate", width, feedForward);
    weight("ffn_up", width, feedForward);
    weight("ffn_down", feedForward, width);
  }
  await writeGguf(path, pairs, tensors);
  return [path];
}
