// How the GPU tests run (`npm run test:gpu`): one file after the other, since a software device
// takes all cores; else as the other tests.
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/gpu/**/*.test.ts"],
    // Those of hardware/ would take a software device for ever.
    exclude:
      process.env["R1_TEST_VULKAN_DRIVER"] === undefined
        ? ["test/gpu/hardware/**"]
        : ["test/gpu/hardware/upstream.test.ts"],
    globalSetup: ["test/gpu/setup.ts"],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
