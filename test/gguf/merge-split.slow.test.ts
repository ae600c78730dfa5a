// Merging and splitting: the same bytes as llama-gguf-split, little memory, and nothing that looks
// whole after a refusal or an abort; runs in the test process (needs dist/ and llama.cpp's tools).
// Kills are in kill.test.ts.
import { fork } from "node:child_process";
import { once } from "node:events";
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../lib/base/errors.js";
import { checkModelFiles } from "../../lib/gguf/check/check-model.js";
import { mergeGguf } from "../../lib/gguf/merge.js";
import { splitGguf, type SplitOptions } from "../../lib/gguf/split.js";
import { pair, writeGguf } from "../../scripts/gguf-writer.mjs";
import { runTool, sameBytes } from "../fixtures/gguf-tools.js";
import { temporaryFolder, tinyModel, tinyModelF16 } from "../fixtures/gguf-temp.js";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "ok",
    (error: unknown) => (isR1Error(error) ? error.code : String(error)),
  );
}

/** Splits and merges with both programs, and compares every file. */
async function compare(
  model: string,
  options: SplitOptions,
  flags: readonly string[],
): Promise<number> {
  const folder = await temporaryFolder();
  for (const name of ["own", "upstream"]) await mkdir(join(folder, name));
  const { paths } = await splitGguf(model, join(folder, "own", "m"), options);
  runTool("llama-gguf-split", ["--split", ...flags, model, join(folder, "upstream", "m")]);
  const names = await readdir(join(folder, "upstream"));
  expect(await readdir(join(folder, "own"))).toEqual(names);
  for (const name of names)
    expect(await sameBytes(join(folder, "own", name), join(folder, "upstream", name)), name).toBe(
      true,
    );
  const { path } = await mergeGguf(paths[0] ?? "", join(folder, "own.gguf"));
  runTool("llama-gguf-split", ["--merge", paths[0] ?? "", join(folder, "upstream.gguf")]);
  expect(await sameBytes(path, join(folder, "upstream.gguf")), "merged").toBe(true);
  return paths.length;
}

describe("split and merge give llama-gguf-split's bytes", () => {
  it("on the embedded model, by number of tensors", async () => {
    expect(await compare(tinyModel, { maxTensors: 20 }, ["--split-max-tensors", "20"])).toBe(4);
  });

  it("on the f16 model, by size, the first part without tensors", async () => {
    expect(
      await compare(tinyModelF16, { maxSize: 2_000_000, noTensorFirst: true }, [
        "--split-max-size",
        "2M",
        "--no-tensor-first-split",
      ]),
    ).toBeGreaterThan(5);
  });

  it("on a model with odd shapes, every type of value, and vectors with padding behind them", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "odd.gguf");
    const data = (bytes: number): Buffer =>
      Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 37) & 255));
    const pairs = [
      pair("general.architecture", "str", "odd"),
      pair("split.count", "u16", 0),
      pair("a", "arr", { of: "bool", values: [true, false, true] }),
      pair("b", "arr", { of: "str", values: ["", "｜", "x".repeat(1000)] }),
      pair("c", "f64", Math.PI),
      pair("d", "i64", -5),
      pair("e", "arr", { of: "i16", values: [-1, 2] }),
    ];
    const tensors = [
      { name: "v", type: "f32", shape: [3], data: data(12) },
      { name: "m", type: "q8_0", shape: [32, 3, 1, 1], data: data(102) },
      { name: "one", type: "f32", shape: [1], data: data(4) },
      { name: "e", type: "f16", shape: [5, 3, 2], data: data(60) },
    ];
    await writeGguf(path, pairs, tensors);
    expect(await compare(path, { maxTensors: 1 }, ["--split-max-tensors", "1"])).toBe(4);
    expect(await compare(path, { maxSize: 200 * 1_000_000 }, ["--split-max-size", "200M"])).toBe(1);
  });

  it("on a sparse model of more than 4 GiB, in less than 200 MB of memory and without filling its holes", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "large.gguf");
    const mark =
      (text: string) =>
      (offset: number, length: number): Buffer => {
        const piece = Buffer.alloc(length);
        if (offset % (512 * 1024 * 1024) === 0) piece.write(text);
        return piece;
      };
    const tensors = Array.from({ length: 5 }, (_, i) => ({
      name: `t${i}`,
      type: "f32",
      shape: [(1 << 18) - 5, 850],
      ...(i % 2 === 0 ? {} : { data: mark(`t${i}`) }),
    }));
    await writeGguf(path, [pair("general.architecture", "str", "large")], tensors);
    const child = fork(
      fileURLToPath(new URL("memory-child.mjs", import.meta.url)),
      [path, join(folder, "m"), "1800000000", join(folder, "merged.gguf")],
      {
        execArgv: [],
      },
    );
    const [told] = (await once(child, "message")) as [
      { paths: string[]; bytes: number; peakBytes: number },
    ];
    expect(told.bytes).toBeGreaterThan(4 * 2 ** 30);
    expect(told.paths).toHaveLength(3);
    console.log(
      `peak memory of splitting and merging ${(told.bytes / 2 ** 30).toFixed(2)} GiB: ${(told.peakBytes / 1e6).toFixed(0)} MB`,
    );
    expect(told.peakBytes).toBeLessThan(200e6);
    expect((await stat(join(folder, "merged.gguf"))).blocks * 512).toBeLessThan(100e6);
    runTool("llama-gguf-split", [
      "--split",
      "--split-max-size",
      "1800M",
      path,
      join(folder, "upstream"),
    ]);
    for (const part of told.paths) {
      const theirs = part.replace("m-0", "upstream-0");
      expect(await sameBytes(part, theirs), part).toBe(true);
      await rm(theirs);
    }
    runTool("llama-gguf-split", ["--merge", told.paths[0] ?? "", join(folder, "upstream.gguf")]);
    expect(await sameBytes(join(folder, "merged.gguf"), join(folder, "upstream.gguf"))).toBe(true);
  }, 900_000);
});

describe("merge and split refuse", () => {
  async function fresh(): Promise<{ folder: string; first: string }> {
    const own = await temporaryFolder();
    const { paths } = await splitGguf(tinyModel, join(own, "m"), { maxTensors: 30 });
    return { folder: own, first: paths[0] ?? "" };
  }

  it("to overwrite, unless told to", async () => {
    const own = await fresh();
    const out = join(own.folder, "out.gguf");
    await writeFile(out, "precious");
    expect(await codeOf(mergeGguf(own.first, out))).toBe("FILE_EXISTS");
    expect(await codeOf(splitGguf(tinyModel, join(own.folder, "m"), { maxTensors: 30 }))).toBe(
      "FILE_EXISTS",
    );
    expect(await readFile(out, "utf8")).toBe("precious");
    await mergeGguf(own.first, out, { force: true });
    await splitGguf(tinyModel, join(own.folder, "m"), { maxTensors: 30, force: true });
    await expect(checkModelFiles(out)).resolves.toMatchObject({ tensorCount: 70 });
    await expect(checkModelFiles(own.first)).resolves.toMatchObject({ tensorCount: 70 });
  });

  it("a file that is not split, one that is a part, a missing folder, a part as output, misspelt options", async () => {
    const own = await fresh();
    expect(await codeOf(mergeGguf(tinyModel, join(own.folder, "x.gguf")))).toBe("SHARD_INVALID");
    expect(await codeOf(splitGguf(own.first, join(own.folder, "x")))).toBe("SHARD_INVALID");
    expect(await codeOf(mergeGguf(own.first, join(own.folder, "none", "x.gguf")))).toBe(
      "FILE_NOT_FOUND",
    );
    expect(await codeOf(mergeGguf(own.first, own.first, { force: true }))).toBe("INVALID_ARGUMENT");
    expect(
      await codeOf(mergeGguf(own.first, join(own.folder, "x.gguf"), { forse: true } as object)),
    ).toBe("UNKNOWN_OPTION");
    expect(
      await codeOf(splitGguf(tinyModel, join(own.folder, "x"), { maxSize: 1, maxTensors: 1 })),
    ).toBe("INVALID_ARGUMENT");
    expect(await codeOf(splitGguf(tinyModel, join(own.folder, "x"), { maxTensors: 0 }))).toBe(
      "INVALID_ARGUMENT",
    );
    expect((await readdir(own.folder)).sort()).toEqual([
      "m-00001-of-00003.gguf",
      "m-00002-of-00003.gguf",
      "m-00003-of-00003.gguf",
    ]);
  });

  it("a model that is cut short or has lost a part", async () => {
    const own = await fresh();
    await truncate(own.first.replace("00001-of", "00003-of"), 100_000);
    expect(await codeOf(mergeGguf(own.first, join(own.folder, "x.gguf")))).toBe("FILE_TRUNCATED");
    const copy = join(own.folder, "short.gguf");
    await copyFile(tinyModel, copy);
    await truncate(copy, 1_000_000);
    expect(await codeOf(splitGguf(copy, join(own.folder, "y")))).toBe("FILE_TRUNCATED");
  });

  it("what does not fit the disk, before writing", async () => {
    const own = await temporaryFolder();
    const path = join(own, "huge.gguf");
    await writeGguf(
      path,
      [pair("general.architecture", "str", "huge")],
      [{ name: "t", type: "f32", shape: [1 << 30, 3000] }],
    );
    expect(await codeOf(splitGguf(path, join(own, "m")))).toBe("NO_SPACE");
    expect(await readdir(own)).toEqual(["huge.gguf"]);
  });

  it("to go on after an abort, and leave nothing behind", async () => {
    const own = await fresh();
    const reason = new Error("enough");
    const controller = new AbortController();
    const merged = mergeGguf(own.first, join(own.folder, "x.gguf"), {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(merged).rejects.toBe(reason);
    await expect(
      splitGguf(tinyModel, join(own.folder, "y"), { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    expect((await readdir(own.folder)).filter((name) => !name.startsWith("m-"))).toEqual([]);
  });

  it("to go on when the progress callback throws", async () => {
    const own = await fresh();
    const failure = new Error("mine");
    const fail = (): void => {
      throw failure;
    };
    await expect(
      mergeGguf(own.first, join(own.folder, "x.gguf"), { onProgress: fail }),
    ).rejects.toBe(failure);
    expect((await readdir(own.folder)).filter((name) => !name.startsWith("m-"))).toEqual([]);
  });

  it("nothing of a good model: progress rises to 1, told once", async () => {
    const seen: number[] = [];
    const { first } = await fresh();
    await mergeGguf(first, join(await temporaryFolder(), "x.gguf"), {
      onProgress: (progress) => void seen.push(progress),
    });
    expect(seen.at(-1)).toBe(1);
    expect(seen.filter((value) => value === 1)).toHaveLength(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});
