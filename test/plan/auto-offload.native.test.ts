// `gpuLayers: "auto"`: on made-up devices it is what planOffload tells, and the user's own
// overrides stay.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SHAPES } from "../../scripts/synthetic-shapes.mjs";
import { checkModelFiles, type CheckedModel } from "../../lib/gguf/check/check-model.js";
import { chooseOffload } from "../../lib/plan/auto-offload.js";
import type { LoadOptions } from "../../lib/weights/load-options.js";
import { normalizeLoad } from "../../lib/weights/normalize-load.js";
import { resolveOverrides } from "../../lib/weights/tensor-overrides.js";
import { planOffload } from "../../lib/plan/plan-offload.js";

const GIB = 2 ** 30;
const folder = mkdtempSync(join(tmpdir(), "r1-auto-"));
let path = "";
let checked: CheckedModel;
beforeAll(async () => {
  [path = ""] = await SHAPES["r1-full-sparse"](join(folder, "full.gguf"));
  checked = await checkModelFiles(path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const device = (name: string, gib: number, type: "gpu" | "cpu" = "gpu") => ({
  name,
  description: "",
  type,
  freeBytes: gib * GIB,
  totalBytes: gib * GIB,
});
const choose = async (sizes: readonly number[], options: LoadOptions = {}) => {
  const config = normalizeLoad(options);
  const names = checked.tensors.map(({ name }) => name);
  return chooseOffload(
    checked,
    config,
    { typeK: "q4_0", typeV: "q4_0", flashAttention: "on" },
    [device("CPU", 64, "cpu"), ...sizes.map((gib, i) => device(`GPU${i}`, gib))],
    await resolveOverrides(names, config.tensorOverrides, undefined),
  );
};

it.each([[[24]], [[48]], [[80]], [[160]], [[80, 80]], [[24, 0.5]]])(
  "on GPUs of %j GiB it is the plan of planOffload",
  async (vramGiB) => {
    const plan = await planOffload(path, { vramGiB, cacheTypeK: "q4_0" });
    const { gpuLayers, tensorOverrides, tensorSplit, placement } = await choose(vramGiB);
    expect(placement?.denseLayers).toBe(61);
    expect(gpuLayers).toBe(plan.load.gpuLayers === "all" ? -1 : plan.load.gpuLayers);
    expect(tensorOverrides).toEqual(plan.load.tensorOverrides ?? []);
    expect(tensorSplit).toEqual(plan.load.tensorSplit ?? []);
  },
);

it("is nothing without a GPU", async () =>
  expect(await choose([])).toMatchObject({ gpuLayers: 0, tensorOverrides: [], tensorSplit: [] }));

it("plans around experts that the user keeps in system memory", async () => {
  const { gpuLayers, tensorOverrides, placement } = await choose([24], { cpuMoe: true });
  expect(gpuLayers).toBe(-1);
  expect(tensorOverrides).toEqual(
    ["gate", "up", "down"].map((kind) => ({
      pattern: `^blk\\.[0-9]+\\.ffn_${kind}_exps\\.weight$`,
      buffer: "CPU",
    })),
  );
  expect(placement?.places[0]?.expertBytes).toBe(0);
});

it("goes by whole layers where the user divides the model", async () => {
  expect(await choose([25], { tensorSplit: [1] })).toMatchObject({
    gpuLayers: 7,
    tensorSplit: [1],
    tensorOverrides: [],
  });
  expect(await choose([25], { tensorOverrides: { shexp: "GPU0" } })).toMatchObject({
    gpuLayers: 7,
    placement: undefined,
  });
});
