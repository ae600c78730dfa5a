// What is told of a GPU device: its name, kind and memory, by devices(), model.info and the program.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { devices } from "../../lib/model/devices.js";
import { BACKEND_DIR, answer, loadOnGpu } from "./tools.js";

const PROGRAM = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const run = (...args: string[]): string => spawnSync(process.execPath, [PROGRAM, ...args], { encoding: "utf8" }).stdout;

describe("devices", () => {
  it("has the GPU only once its library's folder was named, and from then on", () => {
    expect(devices().map(({ name }) => name)).toEqual(["CPU"]);
    const found = devices({ backendDir: BACKEND_DIR });
    expect(found.map(({ name, type }) => [name, type])).toEqual([
      ["CPU", "cpu"],
      ["Vulkan0", "gpu"],
    ]);
    expect(found[1]?.description).toMatch(/llvmpipe/);
    for (const { freeBytes, totalBytes } of found) {
      expect(freeBytes).toBeGreaterThan(0);
      expect(freeBytes).toBeLessThanOrEqual(totalBytes);
    }
    console.log(found.map(({ name, freeBytes, totalBytes }) => `${name}: ${freeBytes} of ${totalBytes} bytes free`).join("\n"));
    expect(devices().map(({ name }) => name)).toEqual(["CPU", "Vulkan0"]);
  });

  it("of the same library twice are there once, from whichever folder it comes", async () => {
    const models = await Promise.all([
      loadOnGpu({ gpuLayers: 1 }),
      loadOnGpu({ gpuLayers: 1, backendDir: `${BACKEND_DIR}/../${BACKEND_DIR.split("/").at(-1)}` }),
    ]);
    await Promise.all(models.map((model) => model.close()));
    expect(devices().map(({ name }) => name)).toEqual(["CPU", "Vulkan0"]);
  });
});

describe("model.info", () => {
  it("says which device holds how many bytes", async () => {
    const model = await loadOnGpu({ gpuLayers: "all" });
    const { memory, cache, computeBytes, devices: names } = model.info;
    const [gpu, cpu] = memory;
    expect([gpu?.device, cpu?.device]).toEqual(["Vulkan0", "CPU"]);
    expect(names).toEqual(["Vulkan0", "CPU"]);
    expect(gpu!.cacheBytes).toBe(cache.bytes); // all layers' cells
    expect(cpu!.cacheBytes).toBe(0);
    expect(gpu!.computeBytes + cpu!.computeBytes).toBe(computeBytes);
    // The input embedding stays on the CPU, everything else is on the device.
    expect(gpu!.weightBytes).toBeGreaterThan(cpu!.weightBytes);
    expect((await answer(model)).text).not.toBe("");
    await model.close();
  });
});

describe("the program", () => {
  it("lists the device, by both spellings", () => {
    const table = run("devices", "--backend-dir", BACKEND_DIR);
    expect(table).toMatch(/^Vulkan0 +gpu .*llvmpipe/m);
    expect(run("--list-devices", "--backend-dir", BACKEND_DIR)).toBe(table);
    expect((JSON.parse(run("devices", "--backend-dir", BACKEND_DIR, "--json")) as { name: string }[]).map(({ name }) => name)).toEqual(["CPU", "Vulkan0"]);
  });

  it("answers on it", () => {
    const text = run("-p", "What is 1+1?", "-n", "16", "--temp", "0", "-ngl", "1", "--backend-dir", BACKEND_DIR);
    expect(text).toBe(run("-p", "What is 1+1?", "-n", "16", "--temp", "0"));
    expect(text).toContain("<think>");
  });
});
