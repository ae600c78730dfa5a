// Before the tests on a Vulkan device: fetches the backend library, and steers Vulkan to Mesa's
// software device whatever else the machine has, or to the driver that R1_TEST_VULKAN_DRIVER
// describes. Runs in vitest's main process.
import { softwareDriver, vulkanBackend } from "../../scripts/gpu-backend.mjs";

export async function setup(): Promise<void> {
  const given = process.env["R1_TEST_VULKAN_DRIVER"];
  const driver = given ?? softwareDriver();
  // Mesa keeps compiled shaders in its own folder (~/.cache/mesa_shader_cache, or
  // MESA_SHADER_CACHE_DIR): the first run on a machine compiles for minutes, those of other clones
  // do not.
  Object.assign(process.env, {
    R1_TEST_GPU_DEVICE: "Vulkan0",
    R1_TEST_GPU_KIND: given === undefined ? "software" : "hardware",
    R1_TEST_BACKEND_DIR: await vulkanBackend(),
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver, // its older name
    GGML_VK_VISIBLE_DEVICES: "0", // ggml passes software devices over unless they are named
  });
}
