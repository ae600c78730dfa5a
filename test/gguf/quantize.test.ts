// Quantising: the same bytes as llama-quantize, recipes, importance matrices, and a parent that survives whatever happens to the child; starts children of the
// test process; needs dist/, the addon and llama.cpp's tools.
import { readFileSync } from "node:fs";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  isR1Error,
  loadModel,
  quantize,
  R1_QUANTS,
  readImatrix,
  RECIPES,
  type QuantizeOptions,
} from "../../dist/index.js";
import { header, pair, readGguf, writeGguf, type TensorSpec } from "../../scripts/gguf-writer.mjs";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { runTool, sameBytes } from "../fixtures/gguf-tools.js";
import { temporaryFolder, tinyModel, tinyModelF16 } from "../fixtures/gguf-temp.js";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "ok",
    (error: unknown) => (isR1Error(error) ? error.code : String(error)),
  );
}

/** A random model whose rows fit every type. */
async function model256(folder: string): Promise<string> {
  const path = join(folder, "random-f16.gguf");
  await SHAPES["deepseek2-256"](path);
  return path;
}

/** An importance matrix in llama-imatrix's format for every matrix of a model: even numbers of calls, sums that differ from input to input. */
async function writeImatrix(path: string, model: string): Promise<string> {
  const tensors: TensorSpec[] = [];
  for (const { name, shape } of (await readGguf(model)).tensors) {
    const [inputs = 1, rows = 1, experts = 1] = shape;
    if (rows === 1 || name === "token_embd.weight") continue;
    const sums = Float32Array.from({ length: inputs * experts }, (_, i) => 1 + ((i * 37) % 101));
    const counts = Float32Array.from({ length: experts }, (_, i) => (i === 3 ? 0 : 50 + i));
    tensors.push({
      name: `${name}.in_sum2`,
      type: "f32",
      shape: [inputs, experts],
      data: Buffer.from(sums.buffer),
    });
    tensors.push({
      name: `${name}.counts`,
      type: "f32",
      shape: [1, experts],
      data: Buffer.from(counts.buffer),
    });
  }
  const pairs = [
    pair("general.type", "str", "imatrix"),
    pair("imatrix.datasets", "arr", { of: "str", values: ["made for a test"] }),
    pair("imatrix.chunk_count", "u32", 4),
    pair("imatrix.chunk_size", "u32", 512),
  ];
  await writeGguf(path, pairs, tensors);
  return path;
}

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

describe("readImatrix", () => {
  it("divides sums by counts, expert by expert, and weighs unseen experts evenly", async () => {
    const folder = await temporaryFolder();
    const { entries, datasets, chunks } = await readImatrix(
      await writeImatrix(join(folder, "i.gguf"), await model256(folder)),
    );
    const values = entries.get("blk.1.ffn_up_exps.weight");
    expect(values).toHaveLength(256 * 4);
    expect(values?.[0]).toBeCloseTo(1 / 50, 6);
    expect(values?.[3 * 256]).toBe(1);
    expect(datasets).toEqual(["made for a test"]);
    expect(chunks).toBe(4);
  });

  it("reads the older binary format", async () => {
    const path = join(await temporaryFolder(), "imatrix.dat");
    const int = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);
    const name = Buffer.from("blk.0.attn_q.weight");
    await writeFile(
      path,
      Buffer.concat([
        int(1),
        int(name.length),
        name,
        int(2),
        int(3),
        Buffer.from(Float32Array.of(2, 4, 8).buffer),
        int(7),
        int(4),
        Buffer.from("text"),
      ]),
    );
    const { entries, datasets, chunks } = await readImatrix(path);
    expect([...(entries.get("blk.0.attn_q.weight") ?? [])]).toEqual([1, 2, 4]);
    expect([datasets, chunks]).toEqual([["text"], 7]);
  });

  it("refuses files that are none, broken ones and ones with values that are no numbers", async () => {
    const folder = await temporaryFolder();
    const write = async (name: string, bytes: Buffer): Promise<string> => {
      await writeFile(join(folder, name), bytes);
      return join(folder, name);
    };
    expect(await codeOf(readImatrix(await write("a", Buffer.from("nothing of the kind"))))).toBe(
      "GGUF_INVALID",
    );
    expect(
      await codeOf(readImatrix(await write("b", Buffer.from([1, 0, 0, 0, 5, 0, 0, 0, 65])))),
    ).toBe("FILE_TRUNCATED");
    expect(await codeOf(readImatrix(await write("c", header([], []))))).toBe("GGUF_INVALID");
    const tensors = [
      {
        name: "w.in_sum2",
        type: "f32",
        shape: [1],
        data: Buffer.from(Float32Array.of(Number.NaN).buffer),
      },
      { name: "w.counts", type: "f32", shape: [1], data: Buffer.from(Float32Array.of(1).buffer) },
    ];
    await writeGguf(join(folder, "d"), [], tensors);
    expect(await codeOf(readImatrix(join(folder, "d")))).toBe("GGUF_INVALID");
  });
});
