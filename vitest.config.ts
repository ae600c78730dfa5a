// How the tests run: each file in a process of its own (an addon's state is the process's), none
// twice, and a closing line for whoever started them.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They need a Vulkan device, all of memory, nginx and HAProxy, or minutes: each has a command of
    // its own, `npm run test:gpu`, `npm run test:docs` and so on.
    exclude: [
      "test/gpu/**",
      "test/full-size/**",
      "test/queue-servers/**",
      "test/batch/full/**",
      "test/proxies/**",
      "test/snippets/**",
    ],
    pool: "forks",
    // Two engines at a time, with two threads each, are what a small machine carries without
    // timings going astray.
    maxWorkers: 2,
    // Engines of several tests share the cores: threads that wait give theirs up (see
    // lib/binding/load.ts).
    env: { GOMP_SPINCOUNT: "0" },
    // Generous: a test that hangs must end, and a machine that others load must not fail one.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    teardownTimeout: 20_000,
    retry: 0,
    setupFiles: ["./test/random-seed.ts"],
    reporters: ["default", "./test/closing-line.ts"],
    passWithNoTests: false,
  },
});
