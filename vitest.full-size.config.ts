// How the full-size test runs (`npm run test:full-size`): alone, since it takes all of memory; else
// as the other tests.
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/full-size/**/*.test.ts"],
    exclude: [],
    fileParallelism: false,
    // A machine that reads from a slow disk takes a quarter of an hour for each of the two
    // programs.
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
  },
});
