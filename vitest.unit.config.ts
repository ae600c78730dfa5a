// How the quick tests run (`npm run test:unit`): those that need no addon and take seconds, in
// threads, since nothing of the process is at stake; else as the other tests.
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    exclude: [...(base.test?.exclude ?? []), "test/**/*.native.test.ts", "test/**/*.slow.test.ts"],
    pool: "threads",
    maxWorkers: 4,
    testTimeout: 30_000,
  },
});
