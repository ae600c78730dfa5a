// Before the GPU tests: fetches the backend library, and steers Vulkan to Mesa's software device whatever else the machine has. Runs in vitest's main process.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { softwareDriver, vulkanBackend } from "../../scripts/gpu-backend.mjs";

export async function setup(): Promise<void> {
  const driver = softwareDriver();
  // Compiled shaders are kept here: the first run compiles for minutes, later ones do not.
  const shaders = fileURLToPath(new URL(".cache/shaders", import.meta.url));
  mkdirSync(shaders, { recursive: true });
  Object.assign(process.env, {
    R1_TEST_VULKAN_DIR: await vulkanBackend(),
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver, // its older name
    GGML_VK_VISIBLE_DEVICES: "0", // ggml passes software devices over unless they are named
    MESA_SHADER_CACHE_DIR: shaders,
  });
}
