// The Vulkan backend's library: its devices are there from when its folder is named, and once.
import { describe, expect, it } from "vitest";
import { devices } from "../../lib/machine/devices.js";
import { BACKEND_DIR, DEVICE, IS_SOFTWARE, loadOnGpu } from "./tools.js";

describe("devices", () => {
  it("has the GPU only once its library's folder was named, and from then on", () => {
    expect(devices().map(({ name }) => name)).toEqual(["CPU"]);
    const found = devices({ backendDir: BACKEND_DIR });
    expect(found.map(({ name, type }) => [name, type])).toEqual([
      ["CPU", "cpu"],
      [DEVICE, "gpu"],
    ]);
    if (IS_SOFTWARE) expect(found[1]?.description).toMatch(/llvmpipe/);
    expect(devices().map(({ name }) => name)).toEqual(["CPU", DEVICE]);
  });

  it("of the same library twice are there once, from whichever folder it comes", async () => {
    const models = await Promise.all([
      loadOnGpu({ gpuLayers: 1 }),
      loadOnGpu({ gpuLayers: 1, backendDir: `${BACKEND_DIR}/../${BACKEND_DIR.split("/").at(-1)}` }),
    ]);
    await Promise.all(models.map((model) => model.close()));
    expect(devices().map(({ name }) => name)).toEqual(["CPU", DEVICE]);
  });
});
