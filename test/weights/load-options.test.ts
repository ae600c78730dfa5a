// loadModel's options: checked once, completed, frozen; and what is settled from them before native
// code is called.
import { describe, expect, it } from "vitest";
import type { R1Error } from "../../lib/base/errors.js";
import { availableMemory } from "../../lib/machine/available-memory.js";
import {
  CACHE_TYPES,
  chooseCacheTypes,
  estimateCacheBytes,
} from "../../lib/weights/cache-types.js";
import type { CacheQuestion } from "../../lib/weights/cache-types.js";
import { chooseGpuLayers } from "../../lib/machine/devices.js";
import { physicalCores, settleThreads } from "../../lib/machine/cpu.js";
import { LOAD_KEYS } from "../../lib/weights/load-table/table.js";
import { normalizeLoad } from "../../lib/weights/normalize-load.js";

describe("the options of a load", () => {
  it("have the documented defaults", () => {
    expect(normalizeLoad({})).toMatchObject({
      contextSize: 8192,
      batchSize: 2048,
      ubatchSize: 512,
      flashAttention: "auto",
      gpuLayers: "auto",
      splitMode: "layer",
      loadMode: "auto",
      numa: "disabled",
      priority: "normal",
      checkTensors: false,
      sequences: 1,
      prefixCache: true,
      repack: true,
      metadataOverrides: [],
      tensorOverrides: [],
    });
    const asked = normalizeLoad({});
    expect(settleThreads(asked, 2 ** 20)).toMatchObject({ threads: 1, threadsBatch: 1 });
    expect(settleThreads(asked, 2 ** 40)).toMatchObject({
      threads: physicalCores(),
      threadsBatch: physicalCores(),
    });
    expect(settleThreads(normalizeLoad({ threads: 3 }), 2 ** 20)).toMatchObject({
      threads: 3,
      threadsBatch: 3,
    });
    expect(normalizeLoad({ threads: 3 }).threadsBatch).toBe(3);
    expect(normalizeLoad({ batchSize: 128 }).ubatchSize).toBe(128);
  });

  it("give each sequence cells of its own where the share is roomy, or when asked to be deterministic", () => {
    expect(normalizeLoad({ sequences: 2 }).kvUnified).toBe(false);
    expect(normalizeLoad({ sequences: 3 }).kvUnified).toBe(true);
    expect(normalizeLoad({ sequences: 16, contextSize: 65_536 }).kvUnified).toBe(false);
    expect(normalizeLoad({ sequences: 16, contextSize: 0 }).kvUnified).toBe(true);
    expect(normalizeLoad({ sequences: 16, deterministic: true }).kvUnified).toBe(false);
    expect(normalizeLoad({ sequences: 2, kvUnified: true }).kvUnified).toBe(true);
  });

  it("are frozen, and take undefined as not given", () => {
    const config = normalizeLoad({ contextSize: undefined, threads: 2 });
    expect(Object.isFrozen(config)).toBe(true);
    expect(config.contextSize).toBe(8192);
  });

  it.each([
    ["ctxSize", "contextSize"],
    ["cacheTypek", "cacheTypeK"],
    ["nGpuLayers", "gpuLayers"],
    ["flashAttn", "flashAttention"],
    ["thread", "threads"],
    ["useMmap", undefined],
  ])("refuse %s and name %s", (wrong, right) => {
    expect(() => normalizeLoad({ [wrong]: 1 })).toThrow(
      expect.objectContaining({
        code: "UNKNOWN_OPTION",
        details: { option: wrong, nearest: right },
      }),
    );
  });

  it.each([
    { contextSize: -1 },
    { contextSize: 1.5 },
    { contextSize: 2 ** 31 },
    { batchSize: 0 },
    { batchSize: 64, ubatchSize: 65 },
    { threads: 0 },
    { threads: 513 },
    { cacheTypeK: "q2_k" },
    { cacheTypeV: "Q4_0" },
    { flashAttention: true },
    { gpuLayers: "some" },
    { gpuLayers: -1 },
    { devices: "CUDA0" },
    { tensorSplit: [1, -1] },
    { tensorSplit: Array.from({ length: 17 }, () => 1) },
    { splitMode: "tensor" },
    { tensorOverrides: [{ pattern: "x" }] },
    { tensorOverrides: { "": "CPU" } },
    { loadMode: "fast" },
    { priority: 2 },
    { rope: { scaling: "no" } },
    { metadataOverrides: { a: null } },
    { metadataOverrides: { a: "x".repeat(128) } },
    { metadataOverrides: { a: { kind: "int", value: 1.5 } } },
    { logger: 1 },
    { logger: { info: 1 } },
    { sequences: 0 },
    { sequences: 257 },
    { sequences: 1000 },
    { maxQueue: -1 },
    { maxQueue: 1_000_001 },
    { kvUnified: 1 },
    { batchSize: 4, sequences: 5 },
    { deterministic: true, kvUnified: true, sequences: 2 },
    { onProgress: {} },
    { signal: {} },
    { cpuMoe: true, nCpuMoe: 2 },
    null,
    [],
    "x",
  ])("refuse %o with INVALID_ARGUMENT", (options) => {
    expect(() => normalizeLoad(options)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("refuse an unknown key of rope", () => {
    expect(() => normalizeLoad({ rope: { freqbase: 1 } })).toThrow(
      expect.objectContaining({
        code: "UNKNOWN_OPTION",
        details: { option: "freqbase", nearest: "freqBase" },
      }),
    );
  });

  it.each([
    { metadataOverrides: { "deepseek2.block_count": { kind: "int", valeu: 4, value: 4 } } },
    { tensorOverrides: [{ pattern: "x", bufer: "CPU", buffer: "CPU" }] },
  ])("refuse an unknown key within %o", (options) => {
    expect(() => normalizeLoad(options)).toThrow(
      expect.objectContaining({ code: "UNKNOWN_OPTION" }),
    );
  });

  it("turn metadata into kinds", () => {
    expect(
      normalizeLoad({
        metadataOverrides: { a: 1, b: 1.5, c: true, d: "x", e: { kind: "float", value: 1 } },
      }).metadataOverrides,
    ).toEqual([
      { key: "a", kind: "int", value: 1 },
      { key: "b", kind: "float", value: 1.5 },
      { key: "c", kind: "bool", value: true },
      { key: "d", kind: "string", value: "x" },
      { key: "e", kind: "float", value: 1 },
    ]);
  });

  it("turn cpuMoe and nCpuMoe into overrides after the user's own, matching expert weights only", () => {
    expect(
      normalizeLoad({ tensorOverrides: { x: "GPU0" }, nCpuMoe: 2 }).tensorOverrides,
    ).toHaveLength(3);
    const [all] = normalizeLoad({ cpuMoe: true }).tensorOverrides;
    const pattern = new RegExp(all?.pattern ?? "");
    for (const name of [
      "blk.3.ffn_up_exps.weight",
      "blk.60.ffn_gate_up_exps.weight",
      "blk.9.ffn_down_chexps.weight",
    ])
      expect(pattern.test(name)).toBe(true);
    for (const name of ["blk.3.ffn_up.weight", "blk.3.ffn_up_shexp.weight", "blk.3.attn_q.weight"])
      expect(pattern.test(name)).toBe(false);
    const first = new RegExp(normalizeLoad({ nCpuMoe: 2 }).tensorOverrides[1]?.pattern ?? "");
    expect(first.test("blk.1.ffn_up_exps.weight")).toBe(true);
    expect(first.test("blk.11.ffn_up_exps.weight")).toBe(false);
  });

  it.each([
    ["a Buffer", Buffer.from("a key of 32 bytes, to be erased.")],
    ["a Uint8Array", new TextEncoder().encode("a key of 32 bytes, to be erased.")],
  ])("keep a copy of a key that is %s", (_, given) => {
    const before = Uint8Array.from(given);
    const { sessionKey } = normalizeLoad({ sessionKey: given });
    given.fill(0);
    expect(sessionKey).toEqual(before);
  });

  it("are all in the table", () => {
    expect(LOAD_KEYS.length).toBeGreaterThan(30);
    for (const key of [
      "contextSize",
      "cacheTypeK",
      "tensorOverrides",
      "numa",
      "rope",
      "signal",
    ] as const)
      expect(LOAD_KEYS).toContain(key);
  });
});

describe("the cache types", () => {
  const question: CacheQuestion = {
    path: "m.gguf",
    isMla: true,
    keyLength: 576,
    valueLength: 512,
    cacheTypeK: undefined,
    cacheTypeV: undefined,
    flashAttention: "auto",
  };
  const code = (change: Partial<CacheQuestion>): string => {
    try {
      chooseCacheTypes({ ...question, ...change });
    } catch (error) {
      return (error as R1Error).code;
    }
    return "none";
  };

  it.each(CACHE_TYPES)("K %s alone gives V the same type on an MLA file", (type) => {
    const isExact = ["f32", "f16", "bf16"].includes(type);
    expect(chooseCacheTypes({ ...question, cacheTypeK: type })).toEqual({
      typeK: type,
      typeV: type,
      flashAttention: isExact ? "auto" : "on",
    });
  });

  it("K q4_0 alone leaves V at f16 on a file without MLA", () => {
    expect(
      chooseCacheTypes({
        ...question,
        isMla: false,
        keyLength: 192,
        valueLength: 128,
        cacheTypeK: "q4_0",
      }),
    ).toEqual({
      typeK: "q4_0",
      typeV: "f16",
      flashAttention: "auto",
    });
  });

  it("V alone gives K its type on an MLA file, and only V elsewhere", () => {
    expect(chooseCacheTypes({ ...question, cacheTypeV: "q8_0" })).toMatchObject({
      typeK: "q8_0",
      typeV: "q8_0",
    });
    expect(chooseCacheTypes({ ...question, isMla: false, cacheTypeV: "q8_0" })).toMatchObject({
      typeK: "f16",
      typeV: "q8_0",
      flashAttention: "on",
    });
  });

  it("two types on an MLA file are refused, and the message says why", () => {
    expect(() => chooseCacheTypes({ ...question, cacheTypeK: "q4_0", cacheTypeV: "f16" })).toThrow(
      /view of K/,
    );
    expect(code({ cacheTypeK: "q4_0", cacheTypeV: "f16" })).toBe("CACHE_TYPE_UNSUPPORTED");
    expect(code({ cacheTypeK: "q4_0", cacheTypeV: "q4_0" })).toBe("none");
    expect(code({ isMla: false, cacheTypeK: "q4_0", cacheTypeV: "q8_0" })).toBe("none");
  });

  it("a quantised V without flash attention is refused", () => {
    expect(code({ isMla: false, cacheTypeV: "q4_0", flashAttention: "off" })).toBe(
      "CACHE_TYPE_UNSUPPORTED",
    );
    expect(code({ cacheTypeK: "q4_0", flashAttention: "off" })).toBe("CACHE_TYPE_UNSUPPORTED");
    expect(code({ isMla: false, cacheTypeK: "q4_0", flashAttention: "off" })).toBe("none");
  });

  it("rows that no block divides are refused", () => {
    expect(code({ isMla: false, keyLength: 80, cacheTypeK: "q4_0" })).toBe(
      "CACHE_TYPE_UNSUPPORTED",
    );
    expect(code({ isMla: false, valueLength: 80, cacheTypeV: "q4_0" })).toBe(
      "CACHE_TYPE_UNSUPPORTED",
    );
    expect(code({ isMla: false, keyLength: 80, cacheTypeK: "bf16" })).toBe("none");
  });

  it("take the bytes of r1.md: 8192 cells of the 671B model", () => {
    const rowBytes = (type: string, values: number): number =>
      type === "f16" ? values * 2 : (values / 32) * 18;
    const mla = { layers: 61, isMla: true, kvHeads: [1], keyLength: 576, valueLength: 512 };
    expect(
      estimateCacheBytes(mla, { typeK: "f16", typeV: "f16", flashAttention: "auto" }, 1, rowBytes),
    ).toBe(70_272);
    expect(
      estimateCacheBytes(mla, { typeK: "q4_0", typeV: "q4_0", flashAttention: "on" }, 1, rowBytes),
    ).toBe(19_764);
    const legacy = {
      layers: 61,
      isMla: false,
      kvHeads: Array.from({ length: 61 }, () => 128),
      keyLength: 192,
      valueLength: 128,
    };
    expect(
      estimateCacheBytes(
        legacy,
        { typeK: "f16", typeV: "f16", flashAttention: "auto" },
        1,
        rowBytes,
      ),
    ).toBe(4_997_120);
    expect(
      estimateCacheBytes(
        legacy,
        { typeK: "q4_0", typeV: "f16", flashAttention: "auto" },
        1,
        rowBytes,
      ),
    ).toBe(2_842_112);
  });
});

describe("the layers on devices", () => {
  const gib = 1024 ** 3;
  const gpu = (name: string, free: number, type: "gpu" | "igpu" = "gpu") => ({
    name,
    description: "",
    type,
    freeBytes: free * gib,
    totalBytes: free * gib,
  });
  const cpu = {
    name: "CPU",
    description: "",
    type: "cpu" as const,
    freeBytes: gib,
    totalBytes: gib,
  };
  const ask = (
    gpuLayers: number | "auto" | "all",
    devices: Parameters<typeof chooseGpuLayers>[0]["devices"],
    wanted: string[] = [],
  ) => chooseGpuLayers({ gpuLayers, wanted, devices, sizeBytes: 131 * gib, layers: 61 });

  it("are none without a GPU", () => {
    expect(ask("auto", [cpu])).toBe(0);
  });
  it("are as asked for when a number is given", () => {
    expect(ask(7, [cpu])).toBe(7);
    expect(ask("all", [cpu])).toBe(-1);
  });
  it("are all when the file fits with room to spare", () => {
    expect(ask("auto", [cpu, gpu("A", 80), gpu("B", 80)])).toBe(-1);
  });
  it("follow the published rule when it does not, on the memory that is to be used", () => {
    expect(ask("auto", [cpu, gpu("A", 25)])).toBe(7);
    expect(ask("auto", [cpu, gpu("A", 25), gpu("I", 200, "igpu")])).toBe(7);
    expect(ask("auto", [cpu, gpu("A", 25), gpu("B", 81)], ["B"])).toBe(33);
    expect(ask("auto", [cpu, gpu("A", 2)])).toBe(0);
  });
  it("are refused on a device there is not, naming those there are", () => {
    expect(() => ask("auto", [cpu, gpu("CUDA0", 24)], ["CUDA1"])).toThrow(
      /no device "CUDA1".*CPU, CUDA0/,
    );
  });
});

describe("the memory that is available", () => {
  it("is a positive number of bytes", () => {
    expect(availableMemory()).toBeGreaterThan(0);
  });
});
