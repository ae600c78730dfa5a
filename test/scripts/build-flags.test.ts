// Command lines of scripts/build.mjs that are refused before anything is built.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
const build = (...args: string[]) =>
  spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });

describe("a build", () => {
  it.each([[["-DGGML_VULKAN=ON"]], [["--cuda", "-DCMAKE_CUDA_ARCHITECTURES=86-real"]]])(
    "says where CMake definitions go: %j",
    (args) => {
      const { status, stderr } = build(...args);
      expect(status).toBe(1);
      expect(stderr).toContain("CMake definitions go after a second --");
      expect(stderr).not.toContain("positional");
    },
  );

  it("names a flag that it does not know", () => {
    const { status, stderr } = build("--vulcan");
    expect(status).toBe(1);
    expect(stderr).toContain("--vulcan");
  });
});
