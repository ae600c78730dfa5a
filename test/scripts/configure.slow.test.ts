// The configuration of a build folder: what is left behind when CMake refuses it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { configure } from "../../scripts/build/configure.mjs";

const root = mkdtempSync(join(tmpdir(), "r1-configure-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
writeFileSync(join(root, "package.json"), '{ "name": "stub", "version": "1.0.0" }\n');
writeFileSync(
  join(root, "CMakeLists.txt"),
  `cmake_minimum_required(VERSION 3.18)
project(stub NONE)
option(GGML_CUDA "refused here" OFF)
if(GGML_CUDA)
  message(FATAL_ERROR "there is no CUDA")
endif()
`,
);

const attempt = (name: string, ...flags: string[]) =>
  configure({
    root,
    out: join(root, name),
    env: process.env,
    log: () => undefined,
    config: "Release",
    llamaDir: root,
    tools: false,
    nativeTests: false,
    sanitize: "",
    portable: false,
    flags,
  });

it("a refused first configuration does not spoil the plain one after it", async () => {
  await expect(attempt("first", "-DGGML_CUDA=ON")).rejects.toThrow("CMake could not configure");
  await attempt("first");
  expect(readFileSync(join(root, "first/CMakeCache.txt"), "utf8")).toContain("GGML_CUDA:BOOL=OFF");
});

it("a folder that was configured keeps its configuration when another is refused", async () => {
  await attempt("second");
  await expect(attempt("second", "-DGGML_CUDA=ON")).rejects.toThrow("CMake could not configure");
  expect(readFileSync(join(root, "second/CMakeCache.txt"), "utf8")).toContain("GGML_CUDA:BOOL=OFF");
  expect(existsSync(join(root, "second/r1-build.json"))).toBe(true);
});
