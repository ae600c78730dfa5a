// Inspecting and loading agree on tables of tensors: missing, surplus, misshapen and oddly aligned
// ones. Runs in the test process; loads try the files in processes of their own (needs dist/).
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel } from "../../dist/index.js";
import { diagnose, inspectGguf } from "../../dist/files.js";
import { changedModel, tinyParts, writeParts, type ModelParts } from "../fixtures/gguf-model.js";
import { temporaryFolder } from "../fixtures/gguf-temp.js";

/** The error code of a load; "loaded" without one. */
async function loadCode(path: string): Promise<string> {
  try {
    await (await loadModel(path, { contextSize: 64 })).close();
    return "loaded";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** A `fetch` that serves one file by ranges. */
function serving(bytes: Buffer): typeof fetch {
  return (_url, init) => {
    const range = new Headers(init?.headers).get("range") ?? "";
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const end = Math.min(bytes.length, to === "" ? bytes.length : Number(to) + 1);
    const headers = { "content-range": `bytes ${from}-${end - 1}/${bytes.length}` };
    const body = Uint8Array.from(bytes.subarray(Number(from), end));
    return Promise.resolve(new Response(body, { status: 206, headers }));
  };
}

/**
 * Every kind of tensor of the embedded model: those outside layers, and of one dense and one expert
 * layer.
 */
async function kinds(): Promise<string[]> {
  const { tensors } = await tinyParts();
  return tensors.map(({ name }) => name).filter((name) => !/^blk\.([2-9]|\d\d)/.test(name));
}

describe("a model file without one of its tensors", () => {
  it("is refused by a load exactly where inspecting it, here or over HTTP, and the doctor report that", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "without.gguf");
    const verdicts = new Map<string, number>();
    for (const [i, name] of (await kinds()).entries()) {
      await changedModel(path, ({ tensors }) => {
        tensors.splice(
          tensors.findIndex((tensor) => tensor.name === name),
          1,
        );
      });
      const [code, local, remote] = await Promise.all([
        loadCode(path),
        inspectGguf(path),
        readFile(path).then((bytes) =>
          inspectGguf("http://models.test/without.gguf", { fetch: serving(bytes) }),
        ),
      ]);
      verdicts.set(code, (verdicts.get(code) ?? 0) + 1);
      const isRefused = code !== "loaded";
      expect(
        local.problems.map((problem) => problem.code),
        name,
      ).toEqual(isRefused ? [code] : []);
      expect(
        remote.problems.map((problem) => problem.code),
        `${name}, remote`,
      ).toEqual(isRefused ? [code] : []);
      if (i % 8 > 0) continue;
      const ids = (await diagnose(path)).findings.map(({ id }) => id);
      expect(ids.includes("cannot-load"), `${name}, doctor`).toBe(isRefused);
    }
    // The output may be the embedding's, and a bias of experts is optional; everything else is
    // needed.
    expect(verdicts.get("loaded")).toBeGreaterThan(0);
    expect(verdicts.get("MODEL_LOAD_FAILED")).toBeGreaterThan(20);
  }, 300_000);
});

describe("a model file with an odd table of tensors", () => {
  const odd: readonly (readonly [string, (parts: ModelParts) => void])[] = [
    [
      "a surplus tensor",
      ({ tensors }) =>
        tensors.push({ name: "extra.weight", type: "f32", shape: [8], data: Buffer.alloc(32) }),
    ],
    [
      "a tensor of another shape",
      ({ tensors }) => {
        const at = tensors.findIndex(({ name }) => name === "output_norm.weight");
        const norm = tensors[at];
        if (norm === undefined) throw new Error("no such tensor");
        tensors[at] = { ...norm, shape: [32], data: norm.data.subarray(0, 128) };
      },
    ],
    [
      "two tensors in each other's place",
      ({ tensors }) => {
        const at = (name: string): number => tensors.findIndex((tensor) => tensor.name === name);
        const [gate, down] = [at("blk.0.ffn_gate.weight"), at("blk.0.ffn_down.weight")];
        const [first, second] = [tensors[gate], tensors[down]];
        if (first === undefined || second === undefined) throw new Error("no such tensor");
        tensors[gate] = { ...second, name: first.name };
        tensors[down] = { ...first, name: second.name };
      },
    ],
    [
      "a tensor of a layer that does not exist",
      ({ tensors }) =>
        tensors.push({
          name: "blk.40.attn_norm.weight",
          type: "f32",
          shape: [8],
          data: Buffer.alloc(32),
        }),
    ],
  ];
  it.each(odd)("is refused in both ways: %s", async (_what, change) => {
    const path = await changedModel(join(await temporaryFolder(), "odd.gguf"), change);
    const code = await loadCode(path);
    expect(code).not.toBe("loaded");
    expect((await inspectGguf(path)).problems.map((problem) => problem.code)).toEqual([code]);
  });

  it("that is not a model at all is refused in both ways", async () => {
    const path = join(await temporaryFolder(), "plain.gguf");
    await writeParts(path, {
      pairs: new Map(),
      tensors: [{ name: "t", type: "f32", shape: [8], data: Buffer.alloc(32) }],
    });
    const code = await loadCode(path);
    expect((await inspectGguf(path)).problems.map((problem) => problem.code)).toEqual([code]);
  });

  it("cut short in the last tensor's data is refused in both ways", async () => {
    const folder = await temporaryFolder();
    const whole = await readFile(await changedModel(join(folder, "whole.gguf"), () => undefined));
    const path = join(folder, "cut.gguf");
    await writeFile(path, whole.subarray(0, whole.length - 64));
    const code = await loadCode(path);
    expect(code).toBe("FILE_TRUNCATED");
    expect((await inspectGguf(path)).problems.map((problem) => problem.code)).toEqual([code]);
  });
});
