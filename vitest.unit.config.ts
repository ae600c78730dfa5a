// How the quick tests run (`npm run test:unit`): those that need no addon, start no program and
// take seconds; else as the other tests.
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/unit/**/*.test.ts"],
    exclude: [
      // They need the addon.
      "test/unit/gguf-check.test.ts",
      "test/unit/gguf-check-parts.test.ts",
      // They start child processes, or use dist/.
      "test/unit/bounded-worker.test.ts",
      "test/unit/import.test.ts",
      "test/unit/load-model.test.ts",
      "test/unit/plain-words.test.ts",
      "test/unit/template-budget.test.ts",
      // They take more than some seconds: random schemas, whole suites, all files of the project.
      "test/unit/layers.test.ts",
      "test/unit/sampling-answers.test.ts",
      "test/unit/sampling-schema-*.test.ts",
      "test/unit/schema-check.test.ts",
    ],
  },
});
