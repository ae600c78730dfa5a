// Plans: every cell of the published table, the full-size shape on several memories, cache bytes
// against llama.cpp's own, refusals.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { isR1Error } from "../../lib/base/errors.js";
import { inspectGguf, type Inspection } from "../../lib/gguf/inspect.js";
import { CACHE_TYPES } from "../../lib/weights/cache-types.js";
import { DEFAULT_MODEL_PATH } from "../../lib/weights/default-model.js";
import type { OffloadPlan } from "../../lib/plan/offload-plan.js";
import { planInspected, planOffload } from "../../lib/plan/plan-offload.js";
import { normalizePlan, type PlanOptions } from "../../lib/plan/plan-options.js";
import { R1_QUANTS, ruleOfThumbLayers } from "../../lib/plan/catalogue.js";
import { loadTiny } from "../fixtures/tiny.js";

const GIB = 2 ** 30;
const folder = mkdtempSync(join(tmpdir(), "r1-plan-"));
let full: Inspection;
beforeAll(async () => {
  // Sparse: 140e9 bytes that take 11 MB.
  const [first = ""] = await SHAPES["r1-full-sparse"](join(folder, "DeepSeek-R1-UD-IQ1_S.gguf"));
  full = await inspectGguf(first);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plan = (options: PlanOptions): OffloadPlan => planInspected(full, normalizePlan(options));
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe("the published table", () => {
  const columns = [
    ["24 GB", 24],
    ["80 GB", 80],
    ["2 x 80 GB", 160],
  ] as const;
  const cells = R1_QUANTS.flatMap((quant) =>
    columns.map(([column, gib]) => ({
      name: quant.name,
      column,
      gib,
      size: quant.sizeGiB,
      told: quant.layersOnGpu[column],
    })),
  );

  it("has twelve cells", () => expect(cells).toHaveLength(12));

  it.each(cells)("$name on $column: $told layers", ({ name, column, gib, size, told }) => {
    const rule = ruleOfThumbLayers(gib, size);
    // The one cell that the rule does not give.
    if (name === "UD-Q2_K_XL" && column === "2 x 80 GB") expect([rule, told]).toEqual([42, 32]);
    else expect(rule).toBe(told);
  });

  it("is what a plan of that quant tells, beside what it plans", () => {
    for (const [vramGiB, layers] of [
      [24, 7],
      [80, 33],
      [[80, 80], 61],
    ] as const) {
      const { rule } = plan({ vramGiB });
      expect(rule).toMatchObject({ layers, published: layers });
    }
    const odd = planInspected(
      { ...full, sources: ["DeepSeek-R1-UD-Q2_K_XL-00001-of-00005.gguf"] },
      normalizePlan({ vramGiB: [80, 80] }),
    );
    expect(odd.rule).toMatchObject({ layers: 42, published: 32 });
    expect(odd.reasons.join(" ")).toContain("the published table says 32");
  });
});

describe("the full-size shape", () => {
  it.each([24, 48, 80, 160])(
    "with %i GiB has all 61 layers' attention on the GPU, and more weights there than whole layers bring",
    (vramGiB) => {
      const { placement, rule, sizeBytes } = plan({ vramGiB, cacheTypeK: "q4_0" });
      const [gpu, cpu] = placement.places;
      expect(placement.denseLayers).toBe(61);
      expect(placement.gpuLayers).toBe("all");
      expect(
        (gpu?.weightsBytes ?? 0) + (gpu?.cacheBytes ?? 0) + (gpu?.computeBytes ?? 0) + GIB,
      ).toBeLessThanOrEqual(vramGiB * GIB);
      // What the CPU reads for a token is what the rate hangs on: never more than with the rule's
      // whole layers.
      const ruled = (sizeBytes * (61 - rule.layers)) / 61;
      expect(cpu?.weightsBytes).toBeLessThan(ruled + 2 * GIB);
    },
  );

  it("with 160 GiB on one GPU is there whole", () => {
    expect(plan({ vramGiB: 160, cacheTypeK: "q4_0" }).placement).toMatchObject({
      kind: "all",
      tensorOverrides: [],
      expertLayers: 58,
    });
  });

  it.each([24, 31, 48, 80])(
    "on %i GiB keeps the experts of some layers on the CPU, by patterns that fit just these",
    (vramGiB) => {
      const { placement } = plan({ vramGiB, cacheTypeK: "q4_0" });
      expect(placement.kind).toBe("experts");
      const patterns = placement.tensorOverrides.map(({ pattern }) => new RegExp(pattern));
      const moved = full.tensors.filter(({ name }) =>
        patterns.some((pattern) => pattern.test(name)),
      );
      expect(sum(moved.map(({ bytes }) => bytes))).toBe(placement.places[1]?.expertBytes);
      expect(moved.every(({ name }) => name.includes("_exps."))).toBe(true);
      // Whole layers, but for at most one that is shared.
      const layers = moved.map(({ name }) => /\d+/.exec(name)?.[0]);
      expect(
        layers.filter((layer) => layers.filter((other) => other === layer).length < 3).length,
      ).toBeLessThan(3);
    },
  );

  it("leaves less than one tensor's room on the GPU unused", () => {
    for (const vramGiB of [24, 48, 80, 100]) {
      const [gpu] = plan({ vramGiB, cacheTypeK: "q4_0" }).placement.places;
      const used = (gpu?.weightsBytes ?? 0) + (gpu?.cacheBytes ?? 0) + (gpu?.computeBytes ?? 0);
      expect(vramGiB * GIB - GIB - used).toBeLessThan(0.97e9);
    }
  });

  it("keeps room on a GPU for one tensor fetched from system memory, unless told that it fetches none", () => {
    const [fetching] = plan({ vramGiB: 24 }).placement.places;
    const [other] = plan({ vramGiB: 24, opOffload: false }).placement.places;
    expect((fetching?.computeBytes ?? 0) - (other?.computeBytes ?? 0)).toBe(
      Math.max(
        ...full.tensors.filter(({ name }) => name.startsWith("blk.")).map(({ bytes }) => bytes),
      ),
    );
    expect(other?.expertBytes).toBeGreaterThan(fetching?.expertBytes ?? Infinity);
  });

  it("on two GPUs has a share for each, and nothing over its memory", () => {
    const { placement } = plan({ vramGiB: [80, 40], cacheTypeK: "q4_0" });
    expect(placement.tensorSplit).toHaveLength(2);
    expect(sum(placement.tensorSplit ?? [])).toBe(62);
    for (const { capacityBytes, weightsBytes, cacheBytes, computeBytes } of placement.places.slice(
      0,
      2,
    )) {
      expect(weightsBytes + cacheBytes + computeBytes + GIB).toBeLessThanOrEqual(
        capacityBytes ?? 0,
      );
    }
  });

  it("has cache bytes of the formula: 70,272 a token in f16, 37,332 in q8_0, 19,764 in q4_0", () => {
    expect(plan({ vramGiB: 0 }).cache).toMatchObject({
      bytesPerToken: 70_272,
      bytes: 70_272 * 8192,
    });
    expect(plan({ vramGiB: 0, cacheTypeK: "q8_0" }).cache.bytesPerToken).toBe(37_332);
    expect(plan({ vramGiB: 0, cacheTypeK: "q4_0" }).cache.bytesPerToken).toBe(19_764);
  });

  it("tells whether system memory holds the rest, and what the disk does to the rate", () => {
    const options = { vramGiB: 24, bandwidth: { gpu: 1000, ram: 60, disk: 3 } };
    const roomy = plan({ ...options, ramGiB: 192 });
    const tight = plan({ ...options, ramGiB: 64 });
    expect([roomy.fitsInRam, tight.fitsInRam]).toEqual([true, false]);
    expect(tight.reasons.join(" ")).toContain("with mmap it runs, at the speed of the disk");
    expect(tight.tokensPerSecondBound ?? Infinity).toBeLessThan(roomy.tokensPerSecondBound ?? 0);
    expect(plan({ vramGiB: 24 }).fitsInRam).toBeUndefined();
  });

  it("bounds the rate by the bandwidths that are told, and says which are not", () => {
    const bound = (bandwidth: PlanOptions["bandwidth"]): OffloadPlan =>
      plan({ vramGiB: 24, ramGiB: 64, ...(bandwidth === undefined ? {} : { bandwidth }) });
    const all = bound({ gpu: 1000, ram: 60, disk: 3 });
    const some = bound({ ram: 60 });
    expect(all.reasons.at(-1)).toMatch(
      /^Reading the weights allows at most [\d.]+ tokens a second \(GPU 1000 GB\/s, memory 60 GB\/s, disk 3 GB\/s\)\.$/,
    );
    expect(some.reasons.at(-1)).toContain(
      "Not counted, for want of a bandwidth: the GPU and the disk.",
    );
    // A bound stays one when less is known.
    expect(some.tokensPerSecondBound ?? 0).toBeGreaterThan(all.tokensPerSecondBound ?? Infinity);
    expect(bound(undefined).tokensPerSecondBound).toBeUndefined();
    expect(bound(undefined).reasons.join(" ")).not.toContain("tokens a second");
  });

  it("begins with both answers in one line", () => {
    const first = (options: PlanOptions): string | undefined =>
      plan({ cacheTypeK: "q4_0", ...options }).reasons[0];
    expect(first({ vramGiB: 24 })).toBe(
      "24 GiB: 7 whole layers by the rule; or all 61 layers' attention and the experts of 5.",
    );
    expect(first({ vramGiB: 80 })).toBe(
      "80 GiB: 33 whole layers by the rule; or all 61 layers' attention and the experts of 32.",
    );
    expect(first({ vramGiB: [80, 80] })).toBe(
      "80 + 80 GiB: 61 whole layers by the rule, and everything fits.",
    );
    expect(first({ vramGiB: 8 })).toMatch(
      /^8 GiB: 0 whole layers by the rule; or the attention of \d+ of 61 layers and no layer's experts\.$/,
    );
    expect(first({ vramGiB: 1 })).toBe(
      "1 GiB: 0 whole layers by the rule; but not even the compute buffers fit beside the margin.",
    );
  });

  it("puts every tensor somewhere, once, and never more on a GPU than it holds, whatever there is", () => {
    const loaded = sum(full.tensors.map(({ bytes }) => bytes));
    let before = { vram: -1, host: Infinity };
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 200_000 }),
        fc.constantFrom(...CACHE_TYPES),
        (vramGiB, contextSize, cacheTypeK) => {
          const { placement, cache } = plan({ vramGiB, contextSize, cacheTypeK });
          expect(sum(placement.places.map(({ weightsBytes }) => weightsBytes))).toBe(loaded);
          expect(sum(placement.places.map(({ cacheBytes }) => cacheBytes))).toBe(cache.bytes);
          expect(sum(placement.places.map(({ layers }) => layers))).toBe(61);
          // Each device may share the experts of one layer with the CPU; such a layer is nobody's.
          const shared = 58 - sum(placement.places.map(({ expertLayers }) => expertLayers));
          expect(shared).toBeGreaterThanOrEqual(0);
          expect(shared).toBeLessThanOrEqual(vramGiB.length);
          for (const {
            name,
            capacityBytes,
            weightsBytes,
            cacheBytes,
            computeBytes,
          } of placement.places) {
            if (name !== "CPU" && weightsBytes > 0)
              expect(weightsBytes + cacheBytes + computeBytes).toBeLessThanOrEqual(
                (capacityBytes ?? 0) - GIB,
              );
          }
        },
      ),
      { numRuns: 60 },
    );
    for (let vram = 0; vram <= 150; vram += 5) {
      const host = plan({ vramGiB: vram }).placement.places.at(-1)?.weightsBytes ?? 0;
      expect(host).toBeLessThanOrEqual(before.host);
      before = { vram, host };
    }
  });
});

describe("the cache bytes of a plan", () => {
  it.each([
    ["f16", 512, 1],
    ["q8_0", 1000, 1],
    ["q4_0", 2048, 1],
    ["f32", 300, 1],
    ["q5_1", 4096, 2],
  ] as const)(
    "are those that llama.cpp allocates: %s, %i cells, %i sequences",
    async (cacheTypeK, contextSize, sequences) => {
      const planned = await planOffload(DEFAULT_MODEL_PATH, {
        vramGiB: 0,
        cacheTypeK,
        contextSize,
        sequences,
      });
      const model = await loadTiny({ cacheTypeK, contextSize, sequences, threads: 1 });
      try {
        expect(planned.cache).toMatchObject({
          typeK: model.info.cache.typeK,
          typeV: model.info.cache.typeV,
          bytes: model.info.cache.bytes,
        });
      } finally {
        await model.close();
      }
    },
  );
});

describe("a model without a GPU's help", () => {
  it("is planned for the CPU, and the plan loads", async () => {
    const { placement, load, reasons } = await planOffload(DEFAULT_MODEL_PATH, {
      vramGiB: 0,
      contextSize: 512,
    });
    expect(placement).toMatchObject({ kind: "cpu", gpuLayers: 0, denseLayers: 0 });
    expect(reasons[0]).toContain("no GPU");
    const model = await loadTiny({ ...load, threads: 1 });
    await model.close();
  });

  it("fits whole on a GPU that is large enough", async () => {
    expect(
      (await planOffload(DEFAULT_MODEL_PATH, { vramGiB: 4, contextSize: 512 })).placement.kind,
    ).toBe("all");
  });
});

describe("a bandwidth that is to be measured", () => {
  it("is this machine's, and told", async () => {
    const { bandwidth, tokensPerSecondBound, reasons } = await planOffload(DEFAULT_MODEL_PATH, {
      vramGiB: 0,
      bandwidth: { ram: "measured" },
    });
    expect(bandwidth.ram).toBeGreaterThan(0.1);
    expect(bandwidth.ram).toBeLessThan(10_000);
    expect(tokensPerSecondBound).toBeGreaterThan(1);
    expect(reasons.at(-1)).toContain("measured here: memory");
  });
});

describe("a plan", () => {
  const wrong: [options: PlanOptions | Record<string, unknown>, code: string][] = [
    [{ vram: 24 }, "UNKNOWN_OPTION"],
    [{ vramGiB: -1 }, "INVALID_ARGUMENT"],
    [{ vramGiB: "24" }, "INVALID_ARGUMENT"],
    [{ vramGiB: 24, devices: ["CUDA0"] }, "INVALID_ARGUMENT"],
    [{ devices: ["CUDA9"] }, "INVALID_ARGUMENT"],
    [{ vramGiB: 24, backendDir: "." }, "INVALID_ARGUMENT"],
    [{ backendDir: "no-such-folder" }, "INVALID_ARGUMENT"],
    [{ vramGiB: 24, bandwidth: { gpu: "measured" } }, "INVALID_ARGUMENT"],
    [{ vramGiB: 24, bandwidth: 3 }, "INVALID_ARGUMENT"],
    [{ vramGiB: 24, contextSize: 0 }, "INVALID_ARGUMENT"],
    [{ vramGiB: 24, cacheTypeK: "q3_K" }, "INVALID_ARGUMENT"],
    [{ vramGiB: 24, cacheTypeK: "q4_0", cacheTypeV: "f16" }, "CACHE_TYPE_UNSUPPORTED"],
    [{ vramGiB: 24, opOffload: "no" }, "INVALID_ARGUMENT"],
    [{ vramGiB: 24, bandwidth: { gup: 3 } }, "UNKNOWN_OPTION"],
    [{ vramGiB: 24, bandwidth: { gpu: 0 } }, "INVALID_ARGUMENT"],
  ];
  it.each(wrong)("with %j is %s", async (options, code) => {
    const error: unknown = await planOffload(DEFAULT_MODEL_PATH, options as PlanOptions).catch(
      (reason: unknown) => reason,
    );
    expect(isR1Error(error) ? error.code : error).toBe(code);
  });

  it("of a file that is not there is FILE_NOT_FOUND", async () => {
    const error: unknown = await planOffload(join(folder, "none.gguf")).catch(
      (reason: unknown) => reason,
    );
    expect(isR1Error(error, "FILE_NOT_FOUND")).toBe(true);
  });
});
