// How the tests of proxies run (`npm run test:proxies`): with nginx and HAProxy; else as the other
// tests.
import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

export default defineConfig({
  ...base,
  test: { ...base.test, include: ["test/proxies/**/*.test.ts"], exclude: [] },
});
