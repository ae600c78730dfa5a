// Layers and tensors on a GPU device: the same greedy text as the CPU's, and the weights where they
// were asked to be.
import { beforeAll, describe, expect, it } from "vitest";
import type { LoadOptions } from "../../lib/weights/load-options.js";
import { DEVICE, answer, answerOf, bytesOn, infoOf, loadOnCpu } from "./tools.js";

const CACHES = ["f16", "q4_0"] as const;
const onCpu = new Map<string, string>();
const rows: string[] = [];

beforeAll(async () => {
  for (const cacheTypeK of CACHES) {
    const model = await loadOnCpu({ cacheTypeK });
    expect(model.info.devices).toEqual(["CPU"]);
    onCpu.set(cacheTypeK, (await answer(model)).text);
    await model.close();
  }
});

const PLACES: readonly [what: string, options: LoadOptions][] = [
  ["gpuLayers 0", { gpuLayers: 0 }],
  ["gpuLayers 1", { gpuLayers: 1 }],
  ["gpuLayers 3", { gpuLayers: 3 }],
  ["gpuLayers all", { gpuLayers: "all" }],
  ["gpuLayers auto", { gpuLayers: "auto" }],
  ["all layers, all experts on the CPU (cpuMoe)", { gpuLayers: "all", cpuMoe: true }],
  ["all layers, experts of 2 on the CPU (nCpuMoe)", { gpuLayers: "all", nCpuMoe: 2 }],
  [
    "all layers, experts on the CPU by a pattern",
    { gpuLayers: "all", tensorOverrides: { "ffn_.*_exps": "CPU" } },
  ],
  [
    "no layers, one layer's experts on the GPU by a pattern",
    { gpuLayers: 0, tensorOverrides: { "blk\\.2\\.ffn_.*_exps": DEVICE } },
  ],
  ["all layers, the cache on the CPU", { gpuLayers: "all", offloadKqv: false }],
];

describe.each(CACHES)("with a cache of %s", (cacheTypeK) => {
  it.each(PLACES)("%s gives the CPU's greedy text", async (what, options) => {
    const { text, tokensPerSecond, info } = await answerOf({ ...options, cacheTypeK });
    rows.push(
      `${cacheTypeK.padEnd(4)}  ${what.padEnd(54)}  ${DEVICE} ${String(bytesOn(info, DEVICE)).padStart(8)}  CPU ${String(bytesOn(info, "CPU")).padStart(8)}  ${tokensPerSecond.toFixed(1)} tokens/s`,
    );
    expect(text).toBe(onCpu.get(cacheTypeK));
    expect(text.length).toBeGreaterThan(20);
  });
});

describe("the weights", () => {
  it("move to the device layer by layer, and experts stay where they are told to", async () => {
    const onGpu: number[] = [];
    for (const gpuLayers of [0, 1, 3, "all"] as const) {
      const info = await infoOf({ gpuLayers });
      onGpu.push(bytesOn(info, DEVICE));
      expect(info.devices).toEqual(gpuLayers === 0 ? ["CPU"] : [DEVICE, "CPU"]);
      expect(info.gpuLayers).toBe(gpuLayers === "all" ? -1 : gpuLayers);
    }
    expect(onGpu[0]).toBe(0);
    expect(onGpu).toEqual([...onGpu].sort((a, b) => a - b));
    expect(new Set(onGpu).size).toBe(4);

    const whole = await infoOf({ gpuLayers: "all" });
    const experts = await infoOf({ gpuLayers: "all", cpuMoe: true });
    const some = await infoOf({ gpuLayers: "all", nCpuMoe: 2 });
    expect(bytesOn(experts, DEVICE)).toBeLessThan(bytesOn(some, DEVICE));
    expect(bytesOn(some, DEVICE)).toBeLessThan(bytesOn(whole, DEVICE));
    console.log(`\n${rows.join("\n")}\n`);
  });
});
