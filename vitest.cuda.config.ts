// How the tests on CUDA run (`npm run test:cuda`): those that any GPU device is held to, and those
// that a software device would take too long for.
import { defineConfig } from "vitest/config";
import base from "./vitest.gpu.config.js";

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    // Both are about a library that is loaded at run time.
    exclude: ["test/gpu/library.test.ts", "test/gpu/degraded.test.ts"],
    globalSetup: ["test/gpu/setup-cuda.ts"],
    testTimeout: 60_000,
  },
});
