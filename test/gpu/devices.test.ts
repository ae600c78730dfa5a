// What is told of a GPU device: its name, kind and memory, by devices(), model.info and the
// program.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { devices } from "../../lib/machine/devices.js";
import { BACKEND, BACKEND_FLAGS, DEVICE, answer, loadOnGpu } from "./tools.js";

const PROGRAM = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const run = (...args: string[]): string =>
  spawnSync(process.execPath, [PROGRAM, ...args, ...BACKEND_FLAGS], { encoding: "utf8" }).stdout;

describe("devices", () => {
  it("tells each device's memory", () => {
    const found = devices(BACKEND);
    expect(found.map(({ name, type }) => [name, type]).sort()).toEqual([
      ["CPU", "cpu"],
      [DEVICE, "gpu"],
    ]);
    for (const { freeBytes, totalBytes } of found) {
      expect(freeBytes).toBeGreaterThan(0);
      expect(freeBytes).toBeLessThanOrEqual(totalBytes);
    }
    console.log(
      found
        .map(
          ({ name, description, freeBytes, totalBytes }) =>
            `${name} (${description}): ${freeBytes} of ${totalBytes} bytes free`,
        )
        .join("\n"),
    );
  });
});

describe("model.info", () => {
  it("says which device holds how many bytes", async () => {
    const model = await loadOnGpu({ gpuLayers: "all" });
    const { memory, cache, computeBytes, devices: names } = model.info;
    const [gpu, cpu] = memory;
    expect([gpu?.device, cpu?.device]).toEqual([DEVICE, "CPU"]);
    expect(names).toEqual([DEVICE, "CPU"]);
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
    const table = run("devices");
    expect(table).toMatch(new RegExp(`^${DEVICE} +gpu `, "m"));
    // Free memory changes from one moment to the next.
    const withoutSizes = (text: string): string => text.replaceAll(/[\d.]+ [KMG]iB/g, "SIZE");
    expect(withoutSizes(run("--list-devices"))).toBe(withoutSizes(table));
    expect(
      (JSON.parse(run("devices", "--json")) as { devices: { name: string }[] }).devices
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["CPU", DEVICE]);
  });

  it("answers on it", () => {
    const text = run("-p", "What is 1+1?", "-n", "16", "--temp", "0", "-ngl", "1");
    expect(text).toBe(run("-p", "What is 1+1?", "-n", "16", "--temp", "0", "-ngl", "0"));
    expect(text).toContain("<think>");
  });
});
