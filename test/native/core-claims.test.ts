// Runs the C++ tests of native/core (native/test), which know nothing of Node. `npm test` builds their program first.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../../build-native/bin/r1_core_tests", import.meta.url));

describe("native/core", () => {
  it("holds every claim of its C++ tests", { timeout: 600_000 }, () => {
    const run = spawnSync(program, [], { encoding: "utf8" });
    expect(
      run.error,
      "run `npm run build:native -- --native-tests` to build the C++ tests",
    ).toBeUndefined();
    expect({
      status: run.status,
      signal: run.signal,
      output: run.stdout + run.stderr,
    }).toMatchObject({ status: 0, signal: null });
    expect(run.stdout).toMatch(/^[1-9]\d* claims hold, 0 do not$/m);
  });
});
