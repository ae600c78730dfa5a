// checkModelFiles: every claim of a file that would end in an abort inside llama.cpp is refused
// beforehand, one test a claim; runs in the test process.
import { copyFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkModelFiles } from "../../../lib/gguf/check/check-model.js";
import { readGgufFile } from "../../../lib/gguf/open-file.js";
import { pair, writeGguf } from "../../../scripts/gguf-writer.mjs";
import {
  changedModel,
  errorOf,
  setPair,
  tinyParts,
  type ModelParts,
} from "../../fixtures/gguf-model.js";
import { temporaryFolder, tinyModel } from "../../fixtures/gguf-temp.js";

const d = (name: string): string => `deepseek2.${name}`;

describe("checkModelFiles", () => {
  it("tells the shape of the embedded model", async () => {
    const model = await checkModelFiles(tinyModel);
    expect(model).toMatchObject({
      paths: [tinyModel],
      architecture: "deepseek2",
      isMla: true,
      blockCount: 4,
      headCounts: [4, 4, 4, 4],
      headCountsKv: [1, 1, 1, 1],
      keyLength: 96,
      valueLength: 64,
      kvLoraRank: 64,
      contextLength: 2048,
      expertCount: 8,
      expertUsedCount: 2,
      vocabSize: 768,
      addBosToken: true,
      bosTokenId: 0,
      tensorCount: 70,
      version: 3,
    });
    expect(model.chatTemplate).toContain("<｜Assistant｜>");
    expect(model.metadata["tokenizer.ggml.tokens"]).toMatchObject({
      elementType: "str",
      length: 768,
    });
  });

  it("lets an unchanged copy pass", async () => {
    const path = join(await temporaryFolder(), "copy.gguf");
    await changedModel(path, () => undefined);
    expect((await readFile(path)).equals(await readFile(tinyModel))).toBe(true);
    await expect(checkModelFiles(path)).resolves.toMatchObject({ tensorCount: 70 });
  });

  it("says of a file that is cut anywhere that it is cut", async () => {
    const path = join(await temporaryFolder(), "cut.gguf");
    const whole = await readFile(tinyModel);
    for (let bytes = 4; bytes < whole.length; bytes = Math.ceil(bytes * 1.17)) {
      await writeFile(path, whole.subarray(0, bytes));
      expect([bytes, (await errorOf(path)).code]).toEqual([bytes, "FILE_TRUNCATED"]);
    }
  });

  it("refuses a file that ends one byte before its last tensor does, and takes one that ends with it", async () => {
    const path = join(await temporaryFolder(), "short.gguf");
    await copyFile(tinyModel, path);
    const { dataEnd } = await readGgufFile(path);
    await truncate(path, dataEnd);
    await expect(checkModelFiles(path)).resolves.toMatchObject({ tensorCount: 70 });
    await truncate(path, dataEnd - 1);
    expect((await errorOf(path)).code).toBe("FILE_TRUNCATED");
  });

  it("says which key is wrong, and what to do", async () => {
    const path = join(await temporaryFolder(), "m.gguf");
    const error = await errorOf(
      await changedModel(path, (parts) => setPair(parts, d("block_count"), "u32", 0)),
    );
    expect(error.message).toContain("block_count");
    expect(error.message).toContain(path);
    expect(error.message).toMatch(/[Dd]ownload|convert/);
  });

  const changes: [string, (parts: ModelParts) => void][] = [
    ["no layers", (p) => setPair(p, d("block_count"), "u32", 0)],
    ["513 layers", (p) => setPair(p, d("block_count"), "u32", 513)],
    ["layers as a string", (p) => setPair(p, d("block_count"), "str", "4")],
    ["no number of layers", (p) => p.pairs.delete(d("block_count"))],
    ["no architecture", (p) => p.pairs.delete("general.architecture")],
    ["as many prediction layers as layers", (p) => setPair(p, d("nextn_predict_layers"), "u32", 4)],
    ["1025 experts", (p) => setPair(p, d("expert_count"), "u32", 1025)],
    ["more experts used than there are", (p) => setPair(p, d("expert_used_count"), "u32", 9)],
    ["no experts used", (p) => setPair(p, d("expert_used_count"), "u32", 0)],
    ["experts used but none there", (p) => setPair(p, d("expert_count"), "u32", 0)],
    [
      "groups that do not divide the experts",
      (p) => (
        setPair(p, d("expert_group_count"), "u32", 3),
        setPair(p, d("expert_group_used_count"), "u32", 1)
      ),
    ],
    [
      "no groups used",
      (p) => (
        setPair(p, d("expert_group_count"), "u32", 4),
        setPair(p, d("expert_group_used_count"), "u32", 0)
      ),
    ],
    [
      "all groups used",
      (p) => (
        setPair(p, d("expert_group_count"), "u32", 4),
        setPair(p, d("expert_group_used_count"), "u32", 4)
      ),
    ],
    [
      "as many groups as experts",
      (p) => (
        setPair(p, d("expert_group_count"), "u32", 8),
        setPair(p, d("expert_group_used_count"), "u32", 4)
      ),
    ],
    ["an unknown gating function", (p) => setPair(p, d("expert_gating_func"), "u32", 9)],
    ["an unknown rope scaling", (p) => setPair(p, d("rope.scaling.type"), "str", "spiral")],
    [
      "K heads no longer than their rotating part",
      (p) => setPair(p, d("attention.key_length_mla"), "u32", 32),
    ],
    ["only one MLA length", (p) => setPair(p, d("attention.value_length_mla"), "u32", 0)],
    [
      "a K length that does not fit the latent row",
      (p) => setPair(p, d("attention.key_length"), "u32", 128),
    ],
    [
      "a V length that does not fit the latent row",
      (p) => setPair(p, d("attention.value_length"), "u32", 32),
    ],
    [
      "two K and V heads in an MLA model",
      (p) => setPair(p, d("attention.head_count_kv"), "u32", 2),
    ],
    ["no heads", (p) => setPair(p, d("attention.head_count"), "u32", 0)],
    [
      "heads for too few layers",
      (p) => setPair(p, d("attention.head_count"), "arr", { of: "u32", values: [4, 4] }),
    ],
    ["an odd number of rotating values", (p) => setPair(p, d("rope.dimension_count"), "u32", 31)],
    [
      "a norm epsilon below zero",
      (p) => setPair(p, d("attention.layer_norm_rms_epsilon"), "f32", -1),
    ],
    [
      "a norm epsilon that is no number",
      (p) => setPair(p, d("attention.layer_norm_rms_epsilon"), "f32", Number.NaN),
    ],
    ["a rope base of zero", (p) => setPair(p, d("rope.freq_base"), "f32", 0)],
    ["an infinite expert scale", (p) => setPair(p, d("expert_weights_scale"), "f32", Infinity)],
    [
      "a temperature scale without its length",
      (p) => setPair(p, d("attention.temperature_scale"), "f32", 0.1),
    ],
    ["no context length", (p) => p.pairs.delete(d("context_length"))],
    ["no tokens", (p) => setPair(p, "tokenizer.ggml.tokens", "arr", { of: "str", values: [] })],
    [
      "tokens that are numbers",
      (p) => setPair(p, "tokenizer.ggml.tokens", "arr", { of: "u32", values: [1] }),
    ],
    [
      "the same token twice",
      (p) =>
        setPair(p, "tokenizer.ggml.tokens", "arr", {
          of: "str",
          values: Array.from({ length: 768 }, (_, i) => `t${i % 767}`),
        }),
    ],
    [
      "tokens that differ behind a NUL byte only",
      (p) =>
        setPair(p, "tokenizer.ggml.tokens", "arr", {
          of: "str",
          values: Array.from({ length: 768 }, (_, i) => (i < 2 ? `same\0${i}` : `t${i}`)),
        }),
    ],
    ["a key with a NUL byte", (p) => setPair(p, "split.count\0", "u16", 3)],
    [
      "a tensor name with a NUL byte",
      (p) =>
        void Object.assign(p.tensors.find(({ name }) => name === "output_norm.weight") ?? {}, {
          name: "output_norm.weight\0x",
        }),
    ],
    [
      "types for too few tokens",
      (p) => setPair(p, "tokenizer.ggml.token_type", "arr", { of: "i32", values: [1, 1] }),
    ],
    [
      "an unknown type of token",
      (p) =>
        setPair(p, "tokenizer.ggml.token_type", "arr", {
          of: "i32",
          values: new Array<number>(768).fill(9),
        }),
    ],
    [
      "types as u32",
      (p) =>
        setPair(p, "tokenizer.ggml.token_type", "arr", {
          of: "u32",
          values: new Array<number>(768).fill(1),
        }),
    ],
    ["no merges", (p) => p.pairs.delete("tokenizer.ggml.merges")],
    [
      "a merge of three",
      (p) => setPair(p, "tokenizer.ggml.merges", "arr", { of: "str", values: ["a b c"] }),
    ],
    [
      "a merge of one",
      (p) => setPair(p, "tokenizer.ggml.merges", "arr", { of: "str", values: ["ab"] }),
    ],
    [
      "a merge with nothing before its space",
      (p) => setPair(p, "tokenizer.ggml.merges", "arr", { of: "str", values: [" b"] }),
    ],
    ["a BOS outside the vocabulary", (p) => setPair(p, "tokenizer.ggml.bos_token_id", "u32", 768)],
    ["add_bos_token without a BOS", (p) => p.pairs.delete("tokenizer.ggml.bos_token_id")],
    [
      "an EOS outside the vocabulary",
      (p) => setPair(p, "tokenizer.ggml.eos_token_id", "u32", 4294967295),
    ],
    ["no kind of vocabulary", (p) => p.pairs.delete("tokenizer.ggml.model")],
    [
      "a norm in f16",
      (p) =>
        void Object.assign(p.tensors.find(({ name }) => name === "output_norm.weight") ?? {}, {
          type: "f16",
          data: Buffer.alloc(512),
        }),
    ],
    [
      "a matrix of integers",
      (p) =>
        void Object.assign(p.tensors.find(({ name }) => name === "output.weight") ?? {}, {
          type: "i32",
          data: Buffer.alloc(786_432),
        }),
    ],
    [
      "a tensor of a fifth layer",
      (p) =>
        void Object.assign(p.tensors.find(({ name }) => name === "blk.3.attn_norm.weight") ?? {}, {
          name: "blk.4.attn_norm.weight",
        }),
    ],
  ];
  it.each(changes)("refuses a model with %s", async (_, change) => {
    const path = join(await temporaryFolder(), "m.gguf");
    expect((await errorOf(await changedModel(path, change))).code).toBe("GGUF_INVALID");
  });

  it("refuses a model without a vocabulary as unsupported", async () => {
    const path = join(await temporaryFolder(), "m.gguf");
    const error = await errorOf(
      await changedModel(path, (parts) => setPair(parts, "tokenizer.ggml.model", "str", "none")),
    );
    expect(error.code).toBe("MODEL_UNSUPPORTED");
  });

  it("refuses a dense model whose heads do not make its width", async () => {
    const path = join(await temporaryFolder(), "q.gguf");
    const u32 = {
      block_count: 1,
      context_length: 64,
      embedding_length: 100,
      "attention.head_count": 3,
      "attention.head_count_kv": 3,
    };
    const { pairs } = await tinyParts();
    const vocabulary = [...pairs]
      .filter(([key]) => key.startsWith("tokenizer."))
      .map(([, raw]) => raw);
    const own = Object.entries(u32).map(([key, value]) => pair(`qwen2.${key}`, "u32", value));
    await writeGguf(
      path,
      [pair("general.architecture", "str", "qwen2"), ...own, ...vocabulary],
      [{ name: "output_norm.weight", type: "f32", shape: [100] }],
    );
    expect((await errorOf(path)).message).toMatch(/odd|width/);
  });
});
