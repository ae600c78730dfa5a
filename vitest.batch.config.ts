// How the long tests of batches run (`npm run test:batch`): sixty kills, full disks, a million rows;
// one after the other, else as the other tests.
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/batch/full/**/*.test.ts"],
    exclude: [],
    fileParallelism: false,
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
  },
});
