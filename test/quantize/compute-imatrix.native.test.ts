// Importance matrices of our own: the same as llama-imatrix's, fit for quantising, and nothing left
// when given up; needs the addon, dist/ and llama.cpp's tools.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isR1Error, loadModel } from "../../dist/index.js";
import { computeImatrix, quantize, readImatrix, type ImatrixOptions } from "../../dist/files.js";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { run } from "../cli/program.js";
import { temporaryFolder, tinyModelF16 } from "../fixtures/gguf-temp.js";
import { runTool, sameBytes } from "../fixtures/gguf-tools.js";

const CHUNK = 64;
/**
 * Sums with their answers, as the embedded model knows them; no special strings, which
 * llama-imatrix takes as text.
 */
const TEXT = Array.from(
  { length: 60 },
  (_, i) => `What is ${i}+${(i * 7) % 31}? It is ${i + ((i * 7) % 31)}. How many letters has it? `,
).join("\n");

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "ok",
    (error: unknown) => (isR1Error(error) ? error.code : String(error)),
  );
}

async function compute(
  folder: string,
  options: Partial<ImatrixOptions> = {},
  model = tinyModelF16,
): Promise<Awaited<ReturnType<typeof computeImatrix>>> {
  return computeImatrix(model, TEXT, {
    out: join(folder, "own.gguf"),
    chunkSize: CHUNK,
    threads: 1,
    ...options,
  });
}

describe("computeImatrix", () => {
  it("writes llama-imatrix's file, byte for byte", async () => {
    const folder = await temporaryFolder();
    const [text, upstream] = [join(folder, "text.txt"), join(folder, "upstream.gguf")];
    await writeFile(text, TEXT);
    const { path, tensors, chunks } = await compute(folder, { dataset: text });
    runTool("llama-imatrix", [
      "-m",
      tinyModelF16,
      "-f",
      text,
      "-o",
      upstream,
      "-c",
      String(CHUNK),
      "-b",
      String(CHUNK),
      "-t",
      "1",
      "--no-ppl",
      "--no-repack",
    ]);
    const [own, theirs] = await Promise.all([readImatrix(path), readImatrix(upstream)]);
    expect([chunks, tensors]).toEqual([own.chunks, own.entries.size]);
    expect([own.datasets, own.chunks]).toEqual([theirs.datasets, theirs.chunks]);
    for (const [name, values] of own.entries) {
      expect(values.length, name).toBeGreaterThan(0);
      expect(theirs.entries.get(name), name).toEqual(values);
    }
    expect(await sameBytes(path, upstream)).toBe(true);
  });

  it("makes types of 2 bits possible: quantised with it a model runs", async () => {
    const folder = await temporaryFolder();
    const model = join(folder, "random-f16.gguf");
    await SHAPES["deepseek2-256"](model);
    const seen: number[] = [];
    const { path } = await compute(folder, { onProgress: (share) => seen.push(share) }, model);
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    for (const type of ["IQ2_XXS", "Q2_K"]) {
      // Upstream refuses 2 bits for what has no values; the embedding is looked up, not multiplied.
      await quantize(model, join(folder, `${type}.gguf`), {
        type,
        imatrix: path,
        tokenEmbeddingType: "q8_0",
        outputTensorType: "q8_0",
        threads: 1,
      });
      const small = await loadModel(join(folder, `${type}.gguf`), { contextSize: 256, threads: 1 });
      expect(
        (await small.complete("What is 1+1?", { maxTokens: 4, ignoreEos: true }).result()).tokens,
      ).toHaveLength(4);
      await small.close();
    }
  }, 120_000);

  it.each([
    ["a text shorter than a chunk", { chunkSize: 100_000 }, "INVALID_ARGUMENT"],
    ["a chunk of 15 tokens", { chunkSize: 15 }, "INVALID_ARGUMENT"],
    ["a misspelt option", { chunksize: 64 }, "UNKNOWN_OPTION"],
    ["to write onto the model", { out: tinyModelF16, force: true }, "INVALID_ARGUMENT"],
    ["a folder that is not there", { out: "/nowhere/at/all.gguf" }, "FILE_NOT_FOUND"],
  ] as const)("refuses %s, and leaves nothing", async (_, options, code) => {
    const folder = await temporaryFolder();
    expect(await codeOf(compute(folder, options as object))).toBe(code);
    expect(await readdir(folder)).toEqual([]);
  });

  it("overwrites only when told to", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "own.gguf"), "mine");
    expect(await codeOf(compute(folder))).toBe("FILE_EXISTS");
    expect(await readFile(join(folder, "own.gguf"), "utf8")).toBe("mine");
    expect(await codeOf(compute(folder, { force: true }))).toBe("ok");
    expect(await readdir(folder)).toEqual(["own.gguf"]);
  });

  it("rejects with the signal's reason, before and in the middle, and with what onProgress throws; nothing is left", async () => {
    const folder = await temporaryFolder();
    const reason = new Error("enough");
    await expect(compute(folder, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    await expect(
      compute(folder, { signal: controller.signal, onProgress: () => controller.abort(reason) }),
    ).rejects.toBe(reason);
    const thrown = (): never => {
      throw reason;
    };
    await expect(compute(folder, { onProgress: thrown })).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("r1-native imatrix", () => {
  it("writes what computeImatrix writes, with the text's name in it", async () => {
    const folder = await temporaryFolder();
    const [text, out] = [join(folder, "text.txt"), join(folder, "cli.gguf")];
    await writeFile(text, TEXT);
    const args = [
      "imatrix",
      tinyModelF16,
      text,
      "--out",
      out,
      "--chunk-size",
      String(CHUNK),
      "--threads",
      "1",
    ];
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([0, `${out}\n`]);
    expect(stderr).toMatch(/values for \d+ tensors, from \d+ chunks/);
    const { path } = await compute(folder, { dataset: text });
    expect((await readFile(out)).equals(await readFile(path))).toBe(true);
    expect(await run(args)).toMatchObject({ code: 1 });
    expect((await run([...args, "--force"])).code).toBe(0);
    const missing = await run([
      "imatrix",
      tinyModelF16,
      join(folder, "none.txt"),
      "--out",
      join(folder, "x.gguf"),
    ]);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("FILE_NOT_FOUND")]);
  });
});
