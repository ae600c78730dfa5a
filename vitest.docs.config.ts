// How the snippets of the documents run (`npm run test:docs`): one after the other, in the packed
// package; else as the other tests.
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  ...base,
  test: { ...base.test, include: ["test/snippets/**/*.test.ts"], exclude: [] },
});
