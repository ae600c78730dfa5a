// Before the GPU tests: fetches the backend library, and steers Vulkan to Mesa's software device whatever else the machine has. Runs in vitest's main process.
import { softwareDriver, vulkanBackend } from "../../scripts/gpu-backend.mjs";

export async function setup(): Promise<void> {
  const driver = softwareDriver();
  // Mesa keeps compiled shaders in its own folder (~/.cache/mesa_shader_cache, or MESA_SHADER_CACHE_DIR): the first run on a machine compiles for minutes, those of other clones do not.
  Object.assign(process.env, {
    R1_TEST_VULKAN_DIR: await vulkanBackend(),
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver, // its older name
    GGML_VK_VISIBLE_DEVICES: "0", // ggml passes software devices over unless they are named
  });
}
