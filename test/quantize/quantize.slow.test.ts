// Quantising: the same bytes as llama-quantize, recipes, importance matrices, and a parent that
// survives whatever happens to the child; starts children of the test process; needs dist/, the
// addon and llama.cpp's tools.
import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel } from "../../dist/index.js";
import { quantize, RECIPES, type QuantizeOptions } from "../../dist/files.js";
import { R1_QUANTS } from "../../dist/plan.js";
import { readGguf, writeGguf } from "../../scripts/gguf-writer.mjs";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { codeOf } from "../fixtures/error-code.js";
import { model256, writeImatrix } from "../fixtures/imatrix-file.js";
import { runTool, sameBytes } from "../fixtures/gguf-tools.js";
import { temporaryFolder, tinyModel, tinyModelF16 } from "../fixtures/gguf-temp.js";

/** Quantises with both programs and compares the files. */
async function compare(
  model: string,
  options: QuantizeOptions,
  flags: readonly string[],
  type: string,
): Promise<string> {
  const folder = await temporaryFolder();
  const [own, upstream] = [join(folder, "own.gguf"), join(folder, "upstream.gguf")];
  const { bytes } = await quantize(model, own, options);
  runTool("llama-quantize", [...flags, model, upstream, type]);
  expect(bytes).toBe((await stat(upstream)).size);
  expect(await sameBytes(own, upstream)).toBe(true);
  return own;
}

async function runs(path: string): Promise<boolean> {
  const model = await loadModel(path, { contextSize: 256, threads: 1 });
  try {
    const { tokens } = await model
      .complete("<｜User｜>What is 1+1?<｜Assistant｜>", { maxTokens: 8, ignoreEos: true, seed: 1 })
      .result();
    return tokens.length === 8;
  } finally {
    await model.close();
  }
}

describe("quantize gives llama-quantize's bytes, and the result runs", () => {
  it.each(["Q4_K_M", "Q3_K_S", "Q6_K", "IQ4_XS", "IQ4_NL", "Q8_0", "Q4_0"])(
    "%s of the embedded model's f16 form",
    async (type) => {
      const path = await compare(tinyModelF16, { type: type.toLowerCase() }, [], type);
      expect(await runs(path)).toBe(true);
    },
  );

  it("with types for single tensors, for the embedding and for the output", async () => {
    const tensorTypes = [
      { pattern: "ffn_down_exps", type: "q6_K" },
      { pattern: "attn_.*", type: "q8_0" },
    ];
    const flags = [
      "--tensor-type",
      "ffn_down_exps=q6_K",
      "--tensor-type",
      "attn_.*=q8_0",
      "--token-embedding-type",
      "q8_0",
      "--output-tensor-type",
      "f16",
    ];
    await compare(
      tinyModelF16,
      { type: "Q4_K_S", tensorTypes, tokenEmbeddingType: "q8_0", outputTensorType: "f16" },
      flags,
      "Q4_K_S",
    );
  });

  it("with an importance matrix: IQ1_S, IQ1_M, IQ2_XXS and Q2_K of a model whose rows fit", async () => {
    const folder = await temporaryFolder();
    const model = await model256(folder);
    const imatrix = await writeImatrix(join(folder, "imatrix.gguf"), model);
    for (const type of ["IQ1_S", "IQ1_M", "IQ2_XXS", "Q2_K"]) {
      const path = await compare(model, { type, imatrix }, ["--imatrix", imatrix], type);
      expect(await runs(path), type).toBe(true);
    }
  }, 900_000);

  it("in the same parts as the input", async () => {
    const folder = await temporaryFolder();
    runTool("llama-gguf-split", ["--split-max-tensors", "30", tinyModelF16, join(folder, "m")]);
    const first = join(folder, "m-00001-of-00003.gguf");
    const { paths } = await quantize(first, join(folder, "own"), {
      type: "Q4_K_M",
      keepSplit: true,
    });
    runTool("llama-quantize", ["--keep-split", first, join(folder, "upstream.gguf"), "Q4_K_M"]);
    expect(paths).toHaveLength(3);
    for (const path of paths)
      expect(await sameBytes(path, path.replace("own-", "upstream-"))).toBe(true);
    expect(await runs(paths[0] ?? "")).toBe(true);
  });
});

describe("dry runs and recipes", () => {
  it("a dry run tells the size of the real file within 1 %, and writes nothing", async () => {
    const folder = await temporaryFolder();
    const planned = await quantize(tinyModelF16, join(folder, "x.gguf"), {
      type: "Q4_K_M",
      dryRun: true,
    });
    expect(await readdir(folder)).toEqual([]);
    const real = await quantize(tinyModelF16, join(folder, "x.gguf"), { type: "Q4_K_M" });
    expect(Math.abs(planned.bytes - real.bytes) / real.bytes).toBeLessThan(0.01);
    expect(planned.tensors).toEqual(real.tensors);
    expect(planned.tensors.find(({ name }) => name === "output.weight")).toMatchObject({
      from: "f16",
      to: "q6_K",
    });
  });

  it("the four recipes give the published sizes of the 671B model within 1 %", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "r1-bf16.gguf");
    await SHAPES["r1-full-bf16-sparse"](path);
    for (const { name, sizeGiB } of R1_QUANTS) {
      const { bytes } = await quantize(path, join(folder, "x.gguf"), {
        recipe: name,
        dryRun: true,
      });
      expect(Math.abs(bytes / 2 ** 30 / sizeGiB - 1), name).toBeLessThan(0.01);
    }
  });

  it("UD-IQ1_S has the numbers of tensors of each type that the published file has, but for the K projection", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "r1-bf16.gguf");
    await SHAPES["r1-full-bf16-sparse"](path);
    const { tensors } = await quantize(path, join(folder, "x.gguf"), {
      recipe: "UD-IQ1_S",
      dryRun: true,
    });
    const counts = Object.fromEntries(
      [...new Set(tensors.map(({ to }) => to))].map((type) => [
        type,
        tensors.filter(({ to }) => to === type).length,
      ]),
    );
    expect(counts).toEqual({
      iq1_s: 168,
      iq2_xxs: 6,
      q4_K: 190,
      q5_K: 116,
      q6_K: 184,
      q8_0: 61,
      f32: 361,
    });
  });

  it("a recipe quantises a small model with experts, which then runs", async () => {
    const folder = await temporaryFolder();
    const model = await model256(folder);
    const imatrix = await writeImatrix(join(folder, "imatrix.gguf"), model);
    const { paths, tensors } = await quantize(model, join(folder, "ud.gguf"), {
      recipe: "UD-IQ1_S",
      imatrix,
    });
    expect(tensors.find(({ name }) => name === "blk.1.ffn_down_exps.weight")?.to).toBe("iq2_xxs");
    expect(tensors.find(({ name }) => name === "blk.1.ffn_up_exps.weight")?.to).toBe("iq1_s");
    expect(await runs(paths[0] ?? "")).toBe(true);
  }, 600_000);

  it("recipes are for models with experts", async () => {
    expect(Object.keys(RECIPES)).toEqual(R1_QUANTS.map(({ name }) => name));
  });
});

describe("quantize refuses", () => {
  it.each([
    ["no type", {}, "INVALID_ARGUMENT"],
    ["an unknown type", { type: "Q9_X" }, "INVALID_ARGUMENT"],
    ["a type and a recipe", { type: "Q4_0", recipe: "UD-IQ1_S" }, "INVALID_ARGUMENT"],
    ["a misspelt option", { type: "Q4_0", thread: 1 }, "UNKNOWN_OPTION"],
    ["an unknown tensor type", { type: "Q4_0", outputTensorType: "q9_K" }, "INVALID_ARGUMENT"],
    [
      "a broken pattern",
      { type: "Q4_0", tensorTypes: [{ pattern: "(", type: "q8_0" }] },
      "INVALID_ARGUMENT",
    ],
    ["few bits without an importance matrix", { type: "IQ2_XXS" }, "INVALID_ARGUMENT"],
    // llama.cpp lets these two through to an assertion that ends the process.
    [
      "few bits for the embedding without values for it",
      { type: "Q4_0", tokenEmbeddingType: "iq2_xxs" },
      "INVALID_ARGUMENT",
    ],
    [
      "few bits for the output without values for it",
      { type: "Q4_0", outputTensorType: "iq1_s" },
      "INVALID_ARGUMENT",
    ],
    [
      "an importance matrix that is not there",
      { type: "Q4_0", imatrix: "/nowhere/imatrix.gguf" },
      "FILE_NOT_FOUND",
    ],
  ] as const)("%s", async (_, options, code) => {
    const folder = await temporaryFolder();
    expect(await codeOf(quantize(tinyModelF16, join(folder, "x.gguf"), options))).toBe(code);
    expect(await readdir(folder)).toEqual([]);
  });

  it("to requantise unless told to, to overwrite unless told to, and to write onto its input", async () => {
    const folder = await temporaryFolder();
    const out = join(folder, "x.gguf");
    await expect(quantize(tinyModel, out, { type: "Q4_0" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(
        /^Tensor ".*" and \d+ others are quantised already \(q8_0\).*\(option `allowRequantize`\)/,
      ) as string,
      details: { option: "allowRequantize", from: "q8_0" },
    });
    expect(await readdir(folder)).toEqual([]);
    await quantize(tinyModel, out, { type: "Q4_0", allowRequantize: true });
    expect(await codeOf(quantize(tinyModelF16, out, { type: "Q4_0" }))).toBe("FILE_EXISTS");
    expect(await codeOf(quantize(out, out, { type: "Q4_0", force: true }))).toBe(
      "INVALID_ARGUMENT",
    );
    await quantize(tinyModelF16, out, { type: "Q8_0", force: true });
  });

  it("an importance matrix of another model", async () => {
    const folder = await temporaryFolder();
    const imatrix = await writeImatrix(join(folder, "imatrix.gguf"), await model256(folder));
    expect(
      await codeOf(
        quantize(await model256(folder), join(folder, "y.gguf"), {
          type: "IQ1_S",
          imatrix: tinyModelF16,
        }),
      ),
    ).toBe("GGUF_INVALID");
    const path = join(folder, "wide.gguf");
    await SHAPES["deepseek2-256"](path);
    const { pairs, tensors } = await readGguf(imatrix);
    await writeGguf(
      join(folder, "less.gguf"),
      [...pairs.values()].map(({ raw }) => raw),
      tensors.filter(({ name }) => !name.startsWith("blk.2.ffn_up_exps")),
    );
    expect(
      await codeOf(
        quantize(path, join(folder, "y.gguf"), {
          type: "IQ1_S",
          imatrix: join(folder, "less.gguf"),
        }),
      ),
    ).toBe("INVALID_ARGUMENT");
  });
});

describe("quantize survives", () => {
  it("an abort: the signal's reason, nothing left", async () => {
    const folder = await temporaryFolder();
    const reason = new Error("enough");
    const controller = new AbortController();
    const work = quantize(await model256(folder), join(folder, "x.gguf"), {
      type: "Q4_K_M",
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(work).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual(["random-f16.gguf"]);
  });

  it("the death of its child: a typed error, nothing left", async () => {
    const folder = await temporaryFolder();
    const model = await model256(folder);
    let isKilled = false;
    const onLog = (line: string): void => {
      if (isKilled || !/converting to/.test(line)) return;
      isKilled = true;
      // The child is the only process of this one that runs the quantising program.
      for (const pid of childrenOf(process.pid)) process.kill(pid, "SIGKILL");
    };
    expect(
      await codeOf(quantize(model, join(folder, "x.gguf"), { type: "Q4_K_M", threads: 1, onLog })),
    ).toBe("CHILD_CRASHED");
    expect(await readdir(folder)).toEqual(["random-f16.gguf"]);
  });
});

function childrenOf(pid: number): number[] {
  return (readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").match(/\d+/g) ?? []).map(
    Number,
  );
}
