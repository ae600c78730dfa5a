// Writes a small model with a vocabulary as large as R1-Distill-Qwen's, so that what is done for
// large vocabularies runs in a test. Random weights; test process.
import { fileURLToPath } from "node:url";
import { pair, readGguf, writeGguf } from "../../scripts/gguf-writer.mjs";
import type { TensorSpec } from "../../scripts/gguf-writer.mjs";

const VOCABULARY = 151_936;
const WIDTH = 128;
const HEAD = 64;
const FEED_FORWARD = 256;
const LAYERS = 2;

/** Random q8_0 blocks, the same each time; `deviation` is that of the values. */
function randomBlocks(values: number, deviation: number, seed: number): Buffer {
  const data = Buffer.alloc((values / 32) * 34);
  const scale = Math.round((deviation / 73) * 2 ** 24); // bytes spread evenly over -127..127 have a deviation of 73; a half float below 2^-14 is a multiple of 2^-24
  let state = seed >>> 0;
  for (let at = 0; at < data.length; at += 34) {
    data.writeUInt16LE(halfOf(scale), at);
    for (let i = 0; i < 32; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      data.writeInt8(Math.trunc(((state >>> 16) / 65536) * 255) - 127, at + 2 + i);
    }
  }
  return data;
}

/** Bits of the half float n * 2^-24. */
function halfOf(n: number): number {
  if (n < 1024) return n;
  let exponent = 1;
  let mantissa = n;
  while (mantissa >= 2048) {
    mantissa = Math.round(mantissa / 2);
    exponent++;
  }
  return (exponent << 10) | (mantissa - 1024);
}

function random(name: string, columns: number, rows: number, deviation: number): TensorSpec {
  const seed = Array.from(name).reduce((sum, c) => Math.imul(sum, 31) + c.charCodeAt(0), 17);
  return {
    name,
    type: "q8_0",
    shape: [columns, rows],
    data: randomBlocks(columns * rows, deviation, seed),
  };
}

function constant(name: string, length: number, value: number): TensorSpec {
  return {
    name,
    type: "f32",
    shape: [length],
    data: Buffer.from(new Float32Array(length).fill(value).buffer),
  };
}

/** Two layers in the shape of Qwen 2, with Qwen 2's 151,936 tokens. */
export async function writeLargeVocabularyModel(path: string): Promise<void> {
  const { pairs } = await readGguf(
    fileURLToPath(new URL("../../vendor/llama.cpp/models/ggml-vocab-qwen2.gguf", import.meta.url)),
  );
  const vocabulary = [...pairs]
    .filter(([key]) => key.startsWith("tokenizer."))
    .map(([, entry]) => entry.raw);
  const own = [
    pair("general.architecture", "str", "qwen2"),
    pair("qwen2.block_count", "u32", LAYERS),
    pair("qwen2.context_length", "u32", 4096),
    pair("qwen2.embedding_length", "u32", WIDTH),
    pair("qwen2.feed_forward_length", "u32", FEED_FORWARD),
    pair("qwen2.attention.head_count", "u32", WIDTH / HEAD),
    pair("qwen2.attention.head_count_kv", "u32", 1),
    pair("qwen2.rope.freq_base", "f32", 10000),
    pair("qwen2.attention.layer_norm_rms_epsilon", "f32", 1e-6),
  ];
  const tensors = [
    random("token_embd.weight", WIDTH, VOCABULARY, 0.3),
    constant("output_norm.weight", WIDTH, 1),
  ];
  for (let i = 0; i < LAYERS; i++) {
    const name = (part: string): string => `blk.${i}.${part}`;
    tensors.push(
      constant(name("attn_norm.weight"), WIDTH, 1),
      random(name("attn_q.weight"), WIDTH, WIDTH, 0.2),
      constant(name("attn_q.bias"), WIDTH, 0),
      random(name("attn_k.weight"), WIDTH, HEAD, 0.2),
      constant(name("attn_k.bias"), HEAD, 0),
      random(name("attn_v.weight"), WIDTH, HEAD, 0.2),
      constant(name("attn_v.bias"), HEAD, 0),
      random(name("attn_output.weight"), WIDTH, WIDTH, 0.2),
      constant(name("ffn_norm.weight"), WIDTH, 1),
      random(name("ffn_gate.weight"), WIDTH, FEED_FORWARD, 0.2),
      random(name("ffn_up.weight"), WIDTH, FEED_FORWARD, 0.2),
      random(name("ffn_down.weight"), FEED_FORWARD, WIDTH, 0.2),
    );
  }
  await writeGguf(path, [...own, ...vocabulary], tensors);
}
