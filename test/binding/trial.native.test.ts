// Claims on the trial: what ends llama.cpp ends a process of its own, and a file that has passed is
// remembered. Files come from the header fuzzer's own writer.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
// As compiled: an isolated model is a program of dist/.
import { isR1Error, loadModel } from "../../dist/index.js";
import { computeImatrix } from "../../dist/files.js";
import { parse, write } from "../fuzz/headers/gguf.mjs";

const TINY = join(import.meta.dirname, "../../models/tiny-r1.gguf");
const folder = mkdtempSync(join(tmpdir(), "r1-trial-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
beforeEach(() => vi.stubEnv("XDG_CACHE_HOME", join(folder, `cache-${count++}`)));
afterEach(() => vi.unstubAllEnvs());

/**
 * A file whose header passes every check, and on which llama.cpp's first decode reads a null
 * pointer.
 */
function deadly(): string {
  const model = parse(TINY);
  model.pairs.push({ key: "deepseek2.nextn_predict_layers", type: "u32", value: 1 });
  model.tensors = model.tensors.filter(({ name }) => !/^blk\.[012]\./.test(name));
  const path = join(folder, `deadly-${count}.gguf`);
  writeFileSync(path, write(model));
  return path;
}

function harmless(): string {
  const path = join(folder, `harmless-${count}.gguf`);
  writeFileSync(path, write(parse(TINY)));
  return path;
}

const remembered = (): string[] =>
  readdirSync(join(process.env["XDG_CACHE_HOME"] as string, "r1-native", "trials"));

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (isR1Error(error) ? error.code : String(error)),
  );

const SMALL = { contextSize: 512, threads: 1 } as const;

describe("a file that ends llama.cpp", () => {
  it("is MODEL_UNSUPPORTED, by a plain load, an isolated one, as a draft model and for an importance matrix", async () => {
    const path = deadly();
    expect(await codeOf(loadModel(path, SMALL))).toBe("MODEL_UNSUPPORTED");
    expect(await codeOf(loadModel(path, { ...SMALL, isolation: "process" }))).toBe(
      "MODEL_UNSUPPORTED",
    );
    expect(await codeOf(loadModel({ ...SMALL, draftModel: path }))).toBe("MODEL_UNSUPPORTED");
    const out = join(folder, "deadly.imatrix");
    expect(await codeOf(computeImatrix(path, "text ".repeat(200), { out, chunkSize: 16 }))).toBe(
      "MODEL_UNSUPPORTED",
    );
  });
});

describe("a file that passed", () => {
  it("passes whatever the smallest batch is", async () => {
    for (const [batchSize, sequences] of [
      [1, 1],
      [2, 1],
      [4, 4],
      [5, 2],
    ] as const) {
      const options = { ...SMALL, batchSize, ubatchSize: batchSize, sequences };
      const model = await loadModel(harmless(), { ...options, trial: "always" });
      expect((await model.complete("1+1=", { maxTokens: 2 }).result()).usage.completionTokens).toBe(
        2,
      );
      await model.close();
    }
  });

  it("is remembered by one small file, and no damaged entry is believed", async () => {
    const path = harmless();
    await (await loadModel(path, SMALL)).close();
    const [name = "", ...others] = remembered();
    expect(others).toEqual([]);
    const place = join(process.env["XDG_CACHE_HOME"] as string, "r1-native", "trials");
    writeFileSync(join(place, name), "anything else");
    await (await loadModel(path, SMALL)).close();
    expect(remembered()).toEqual([name]);
  });

  it("loads where the cache folder cannot be written", async () => {
    const place = process.env["XDG_CACHE_HOME"] as string;
    writeFileSync(place, "a file where the folder should be");
    await (await loadModel(harmless(), SMALL)).close();
    rmSync(place);
    mkdirSync(place);
    expect(readdirSync(place)).toEqual([]);
  });

  it('is neither tried nor remembered with trial "never"', async () => {
    await (await loadModel(harmless(), { ...SMALL, trial: "never" })).close();
    expect(() => remembered()).toThrow("ENOENT");
  });
});

describe("a trial under way", () => {
  it("ends with the signal's reason", async () => {
    const reason = new Error("enough");
    const abort = new AbortController();
    const loading = loadModel(harmless(), { ...SMALL, trial: "always", signal: abort.signal });
    setTimeout(() => abort.abort(reason), 20);
    await expect(loading).rejects.toBe(reason);
    expect(() => remembered()).toThrow("ENOENT");
  });
});

it("refuses another value of trial", async () => {
  expect(await codeOf(loadModel({ trial: "sometimes" as "auto" }))).toBe("INVALID_ARGUMENT");
});
