// The doctor: what it finds in sound files, in files with exactly one thing wrong, and in those of
// other models; runs in the test process.
import { rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Diagnosis, FindingId } from "../../lib/doctor/types.js";
import { diagnose } from "../../lib/doctor/doctor.js";
import { splitGguf } from "../../lib/gguf/split.js";
import { ROLE_TEXTS } from "../../lib/template/segment.js";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { readGguf } from "../../scripts/gguf-writer.mjs";
import { changed, finding, ids } from "../fixtures/doctor.js";
import { setPair, type ModelParts } from "../fixtures/gguf-model.js";
import { temporaryFolder, tinyModel } from "../fixtures/gguf-temp.js";
import { upstreamModels, writeVocabularies } from "../fixtures/vocab-files.js";

/** The embedded model with some tokens' texts or types changed. */
async function withTokens(change: (tokens: string[], types: number[]) => void): Promise<Diagnosis> {
  const { pairs } = await readGguf(tinyModel);
  const tokens = [...(pairs.get("tokenizer.ggml.tokens")?.strings ?? [])].map(String);
  const data = pairs.get("tokenizer.ggml.token_type")?.data ?? Buffer.alloc(0);
  const types = tokens.map((_, i) => data.readInt32LE(i * 4));
  change(tokens, types);
  return changed((parts) => {
    setPair(parts, "tokenizer.ggml.tokens", "arr", { of: "str", values: tokens });
    setPair(parts, "tokenizer.ggml.token_type", "arr", { of: "i32", values: types });
  });
}

describe("a sound file", () => {
  it("has notes only: the embedded model", async () => {
    const found = await diagnose(tinyModel);
    expect(found).toMatchObject({
      sources: [tinyModel],
      variant: "r1",
      attention: "mla",
      vocabularySize: 768,
      preTokenizer: "deepseek-v3",
      addBosToken: true,
      metadataIds: { bos: 0, eos: 1, padding: 2 },
      templateForm: "r1",
      expertGating: "sigmoid",
      endTokens: [{ id: 1, text: ROLE_TEXTS.eos }],
    });
    expect(found.findings.map(({ id, severity }) => `${severity} ${id}`)).toEqual([
      "info ids-differ",
      "info markers-user-defined",
      "info template-bare",
      "info double-bos",
      "info mla-cache-types",
    ]);
    expect(found.roles.find(({ role }) => role === "user")).toEqual({
      role: "user",
      text: "<｜User｜>",
      expected: 128_803,
      actual: 3,
      kind: "user-defined",
    });
    // Both values are told.
    expect(finding(found, "ids-differ").found).toContain("<｜User｜> is 3, in the table 128803");
  });

  it("is plain data", async () => {
    const found = await diagnose(tinyModel);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  it("has nothing to correct: each finding says what it does and what to do", async () => {
    for (const { found, effect, fix, changes } of (await diagnose(tinyModel)).findings) {
      for (const text of [found, effect, fix]) expect(text).toMatch(/^[^]{3,}[.]$/u);
      expect(changes).toEqual([]);
    }
  });
});

describe("whole vocabularies", () => {
  let vocabularies: ReturnType<
    typeof writeVocabularies<"r1" | "r1-control" | "distill-qwen" | "distill-llama">
  >;
  beforeAll(() => {
    vocabularies = writeVocabularies(["r1", "r1-control", "distill-qwen", "distill-llama"]);
  });
  afterAll(() => vocabularies.remove());

  it.each([
    ["r1", "r1"],
    ["r1-control", "r1"],
    ["distill-qwen", "distill-qwen"],
    ["distill-llama", "distill-llama"],
  ] as const)("%s is told, with the ids of the table", async (name, variant) => {
    const found = await diagnose(vocabularies.paths[name]);
    expect(found.variant).toBe(variant);
    for (const { expected, actual } of found.roles)
      if (expected !== null) expect(actual).toBe(expected);
    for (const id of [
      "ids-differ",
      "role-missing",
      "bos-id",
      "eos-id",
      "padding-id",
      "padding-is-eos",
      "add-bos",
      "pre-tokenizer",
      "token-types",
      "end-tokens",
    ])
      expect(found.findings.map((one) => one.id)).not.toContain(id);
    expect(ids(found)).toContain("no-tensors");
    // llama.cpp's converter marks all that look like <｜...｜> as control.
    expect(finding(found, "markers-user-defined").found.includes("<｜User｜>")).toBe(
      name !== "r1-control",
    );
  });

  it("of a base model whose tokens were not renamed is told as such", async () => {
    const found = await diagnose(join(upstreamModels, "ggml-vocab-qwen2.gguf"));
    expect(found.variant).toBe("other");
    expect(finding(found, "vocabulary-not-r1")).toMatchObject({
      severity: "error",
      found: expect.stringContaining("<|im_start|>, not <｜User｜>") as unknown,
    });
  });

  it("of a third model is told as such", async () => {
    const found = await diagnose(join(upstreamModels, "ggml-vocab-phi-3.gguf"));
    expect(finding(found, "vocabulary-not-r1").found).toContain("is another model's");
    expect(found.findings.filter(({ id }) => id.startsWith("template"))).toEqual([]);
  });

  it("of another release than the weights is told", async () => {
    const { pairs } = await readGguf(vocabularies.paths["distill-qwen"]);
    const found = await changed((parts) => {
      for (const [key, { raw }] of pairs)
        if (key.startsWith("tokenizer.ggml.")) parts.pairs.set(key, raw);
      parts.pairs.delete("deepseek2.vocab_size");
    });
    expect(finding(found, "vocabulary-of-another-release").found).toContain(
      "the token ids are those of distill-qwen",
    );
    expect(finding(found, "vocabulary-size").found).toContain(
      "has 151936 tokens, the weights have embeddings for 768",
    );
    // Nothing in a vocabulary that is not the weights' own is mended.
    expect(found.findings.flatMap(({ changes }) => changes)).toEqual([]);
  });

  it("with a token moved: both values, as an error", async () => {
    const { pairs } = await readGguf(vocabularies.paths.r1);
    const found = await changed((parts) => {
      for (const [key, { raw }] of pairs)
        if (key.startsWith("tokenizer.ggml.")) parts.pairs.set(key, raw);
      const tokens = [...(pairs.get("tokenizer.ggml.tokens")?.strings ?? [])].map(String);
      [tokens[128_803], tokens[128_804]] = [tokens[128_804] ?? "", tokens[128_803] ?? ""];
      setPair(parts, "tokenizer.ggml.tokens", "arr", { of: "str", values: tokens });
    });
    expect(finding(found, "ids-differ")).toMatchObject({
      severity: "error",
      found:
        "<｜User｜> is 128804, in the table 128803; <｜Assistant｜> is 128803, in the table 128804.",
    });
  });
});

describe("one thing wrong", () => {
  it.each([
    [
      "padding is EOS",
      "padding-is-eos",
      "warning",
      (parts) => setPair(parts, "tokenizer.ggml.padding_token_id", "u32", 1),
      { from: 1, to: 2 },
    ],
    [
      "no padding",
      "padding-id",
      "info",
      (parts) => parts.pairs.delete("tokenizer.ggml.padding_token_id"),
      { from: null, to: 2 },
    ],
    [
      "BOS named wrongly",
      "bos-id",
      "error",
      (parts) => setPair(parts, "tokenizer.ggml.bos_token_id", "u32", 20),
      { from: 20, to: 0 },
    ],
    [
      "no EOS named",
      "eos-id",
      "error",
      (parts) => parts.pairs.delete("tokenizer.ggml.eos_token_id"),
      { from: null, to: 1 },
    ],
    [
      "add_bos_token false",
      "add-bos",
      "warning",
      (parts) => setPair(parts, "tokenizer.ggml.add_bos_token", "bool", false),
      { from: false, to: true },
    ],
    [
      "add_bos_token absent",
      "add-bos",
      "warning",
      (parts) => parts.pairs.delete("tokenizer.ggml.add_bos_token"),
      { from: null, to: true },
    ],
    [
      "add_eos_token true",
      "add-eos",
      "error",
      (parts) => setPair(parts, "tokenizer.ggml.add_eos_token", "bool", true),
      { from: true, to: false },
    ],
    [
      "no gating",
      "gating-missing",
      "error",
      (parts) => parts.pairs.delete("deepseek2.expert_gating_func"),
      { from: null, to: 2 },
    ],
    [
      "softmax gating",
      "gating-wrong",
      "error",
      (parts) => setPair(parts, "deepseek2.expert_gating_func", "u32", 1),
      { from: 1, to: 2 },
    ],
    [
      "no pre-tokeniser",
      "pre-tokenizer",
      "error",
      (parts) => parts.pairs.delete("tokenizer.ggml.pre"),
      { from: null, to: "deepseek-v3" },
    ],
    [
      "another pre-tokeniser",
      "pre-tokenizer",
      "error",
      (parts) => setPair(parts, "tokenizer.ggml.pre", "str", "qwen2"),
      { from: "qwen2", to: "deepseek-v3" },
    ],
  ] satisfies [string, FindingId, string, (parts: ModelParts) => void, object][])(
    "%s: %s, and nothing else",
    async (_, id, severity, change, change1) => {
      const found = await changed(change);
      expect(ids(found)).toEqual([id]);
      expect(finding(found, id)).toMatchObject({ severity, changes: [change1] });
    },
  );

  it("tags marked as ordinary text", async () => {
    const found = await withTokens((_, types) => types.fill(1, 5, 7));
    expect(found.variant).toBe("r1");
    expect(ids(found)).toEqual(["token-types"]);
    expect(finding(found, "token-types").changes).toEqual([
      { key: "tokenizer.ggml.token_type", index: 5, type: "i32", from: 1, to: 4 },
      { key: "tokenizer.ggml.token_type", index: 6, type: "i32", from: 1, to: 4 },
    ]);
  });

  it("a tag that ends replies", async () => {
    const found = await changed((parts) => setPair(parts, "tokenizer.ggml.eot_token_id", "u32", 6));
    expect(ids(found)).toEqual(["end-tokens"]);
    expect(finding(found, "end-tokens").found).toContain('6 ("</think>")');
    expect(found.endTokens.map(({ id }) => id)).toEqual([1, 6]);
  });

  it("no reasoning tags", async () => {
    const found = await withTokens((tokens) => {
      tokens[5] = "<thought>";
    });
    expect(finding(found, "role-missing")).toMatchObject({
      severity: "warning",
      found: expect.stringContaining("<think>") as unknown,
    });
  });

  it("no <｜User｜>: another model's vocabulary", async () => {
    const found = await withTokens((tokens) => {
      tokens[3] = "<person>";
    });
    expect(found.variant).toBe("other");
    expect(ids(found)).toEqual(["vocabulary-not-r1"]);
  });

  it("an architecture of none of the releases", async () => {
    const found = await changed((parts) =>
      setPair(parts, "general.architecture", "str", "mistral"),
    );
    expect(found.variant).toBe("other");
    expect(ids(found)).toContain("architecture-unknown");
  });

  it("the layout before MLA", async () => {
    const path = join(await temporaryFolder(), "legacy.gguf");
    await SHAPES["deepseek2-legacy"](path);
    const found = await diagnose(path);
    expect(found.attention).toBe("legacy");
    expect(ids(found)).toEqual(["legacy-attention"]);
    expect(finding(found, "legacy-attention")).toMatchObject({ severity: "warning", changes: [] });
    expect(found.findings.map(({ id }) => id)).not.toContain("mla-cache-types");
  });

  it("missing and short parts", async () => {
    const { paths } = await splitGguf(tinyModel, join(await temporaryFolder(), "m"), {
      maxTensors: 30,
    });
    expect(ids(await diagnose(paths[1] ?? ""))).toEqual([]);
    await truncate(paths[2] ?? "", 100_000);
    await rm(paths[1] ?? "");
    const found = await diagnose(paths[0] ?? "");
    expect(ids(found)).toEqual(["parts-missing", "cannot-load"]);
    expect(finding(found, "parts-missing").found).toContain(paths[1]);
    await rm(paths[0] ?? "");
    expect(ids(await diagnose(paths[2] ?? ""))).toEqual(["parts-missing", "cannot-load"]);
  });
});

describe("diagnose", () => {
  it("refuses unknown options and what is no file", async () => {
    // @ts-expect-error a misspelt option
    await expect(diagnose(tinyModel, { singal: 1 })).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
      details: { nearest: "signal" },
    });
    await expect(diagnose("no-such.gguf")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(diagnose("package.json")).rejects.toMatchObject({ code: "NOT_GGUF" });
  });

  it("gives up when its signal aborts", async () => {
    await expect(
      diagnose(tinyModel, { signal: AbortSignal.abort(new Error("enough")) }),
    ).rejects.toThrow("enough");
  });
});
