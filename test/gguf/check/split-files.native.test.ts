// checkModelFiles on split models: parts that are missing, changed or of another model; runs in the
// test process.
import { mkdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { checkModelFiles } from "../../../lib/gguf/check/check-model.js";
import { splitGguf } from "../../../lib/gguf/split.js";
import { pair, writeGguf } from "../../../scripts/gguf-writer.mjs";
import {
  changedModel,
  errorOf,
  setPair,
  tinyParts,
  writeParts,
  type ModelParts,
} from "../../fixtures/gguf-model.js";
import { temporaryFolder, tinyModel } from "../../fixtures/gguf-temp.js";

describe("checkModelFiles on split models", () => {
  let parts: ModelParts;
  beforeAll(async () => {
    parts = await tinyParts();
  });

  async function split(): Promise<{ folder: string; paths: readonly string[] }> {
    const folder = await temporaryFolder();
    const { paths } = await splitGguf(tinyModel, join(folder, "m"), { maxTensors: 30 });
    return { folder, paths };
  }

  it("finds all parts from the first", async () => {
    const { paths } = await split();
    expect(await checkModelFiles(paths[0] ?? "")).toMatchObject({
      paths,
      tensorCount: 70,
      isMla: true,
    });
  });

  it("names the parts that are missing", async () => {
    const { paths } = await split();
    await rm(paths[1] ?? "");
    const error = await errorOf(paths[0] ?? "");
    expect(error.code).toBe("SHARD_MISSING");
    expect(error.message).toContain("m-00002-of-00003.gguf");
    expect(error.message).not.toContain("m-00003-of-00003.gguf");
    expect(error.details["missing"]).toEqual([paths[1]]);
  });

  it("says which part to give when it gets a later one", async () => {
    const { paths } = await split();
    const error = await errorOf(paths[1] ?? "");
    expect(error.code).toBe("SHARD_INVALID");
    expect(error.message).toContain(paths[0]);
  });

  it("refuses parts whose names were exchanged", async () => {
    const { folder, paths } = await split();
    await rename(paths[1] ?? "", join(folder, "x"));
    await rename(paths[2] ?? "", paths[1] ?? "");
    await rename(join(folder, "x"), paths[2] ?? "");
    expect((await errorOf(paths[0] ?? "")).code).toBe("SHARD_INVALID");
  });

  it("refuses a first part that lost its name", async () => {
    const { folder, paths } = await split();
    await rename(paths[0] ?? "", join(folder, "model.gguf"));
    const error = await errorOf(join(folder, "model.gguf"));
    expect(error.code).toBe("SHARD_INVALID");
    expect(error.message).toContain("-00001-of-00003.gguf");
  });

  it("refuses a later part that is cut short", async () => {
    const { paths } = await split();
    await truncate(paths[2] ?? "", 100_000);
    const error = await errorOf(paths[0] ?? "");
    expect(error.code).toBe("FILE_TRUNCATED");
    expect(error.message).toContain(paths[2]);
  });

  it("refuses an empty later part and one that is no GGUF file", async () => {
    const { paths } = await split();
    await truncate(paths[2] ?? "", 0);
    expect((await errorOf(paths[0] ?? "")).code).toBe("FILE_EMPTY");
    await writeFile(paths[2] ?? "", "something else entirely, and long enough");
    expect((await errorOf(paths[0] ?? "")).code).toBe("NOT_GGUF");
  });

  it.each([
    ["split.no as u32 in a later part", "split.no", "u32", 1],
    ["split.count as i32 in a later part", "split.count", "i32", 2],
    ["split.tensors.count as u16 in a later part", "split.tensors.count", "u16", 70],
    ["another count in a later part", "split.count", "u16", 3],
    ["another number in a later part", "split.no", "u16", 0],
  ])("refuses %s, which aborts inside llama.cpp or mixes models", async (_, key, type, value) => {
    const folder = await temporaryFolder();
    const keys = (no: number): Map<string, Buffer> =>
      new Map([
        ["split.no", pair("split.no", "u16", no)],
        ["split.count", pair("split.count", "u16", 2)],
        ["split.tensors.count", pair("split.tensors.count", "i32", 70)],
      ]);
    const first = {
      pairs: new Map([...parts.pairs, ...keys(0)]),
      tensors: parts.tensors.slice(0, 40),
    };
    const second = { pairs: keys(1), tensors: parts.tensors.slice(40) };
    const path = await writeParts(join(folder, "m-00001-of-00002.gguf"), first);
    await writeParts(join(folder, "m-00002-of-00002.gguf"), second);
    await expect(checkModelFiles(path)).resolves.toMatchObject({ tensorCount: 70 });
    setPair(second, key, type, value);
    await writeParts(join(folder, "m-00002-of-00002.gguf"), second);
    expect((await errorOf(path)).code).toBe("SHARD_INVALID");
  });

  it("refuses a model whose first part counts other tensors than there are", async () => {
    const { folder } = await split();
    await mkdir(join(folder, "n"));
    const keys = [
      pair("split.no", "u16", 0),
      pair("split.count", "u16", 2),
      pair("split.tensors.count", "i32", 71),
    ];
    const path = join(folder, "n", "m-00001-of-00002.gguf");
    await writeGguf(path, [...parts.pairs.values(), ...keys], parts.tensors.slice(0, 40));
    await writeGguf(
      join(folder, "n", "m-00002-of-00002.gguf"),
      [pair("split.no", "u16", 1), pair("split.count", "u16", 2)],
      parts.tensors.slice(40),
    );
    expect((await errorOf(path)).message).toContain("71");
  });

  it("takes a merged file as one file", async () => {
    const path = join(await temporaryFolder(), "merged.gguf");
    await changedModel(path, (changed) => {
      setPair(changed, "split.no", "u16", 0);
      setPair(changed, "split.count", "u16", 0);
    });
    await expect(checkModelFiles(path)).resolves.toMatchObject({ paths: [path] });
  });
});
