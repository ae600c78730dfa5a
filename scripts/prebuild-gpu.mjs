// `npm run prebuild:gpu -- BACKEND`: builds the library of one GPU backend for this platform into
// prebuilds/PLATFORM-ARCH-BACKEND, of which `npm run packages` makes its package.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { arch, platform } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cmakeJs, configure } from "./build/configure.mjs";
import { BuildError, main, show } from "./build/process.mjs";
import { checkLibraries, expectedFiles } from "./packages/libraries.mjs";
import { GPU_BACKENDS, targetOf } from "./packages/targets.mjs";
import { vendor } from "./vendor.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * CMake's definitions for each backend. CUDA: machine code for the GPUs that run R1 most, and code
 * that the driver compiles for the others from the same generation on; each real one adds about a
 * tenth to the size.
 */
const DEFINITIONS = {
  cuda12: [
    "-DGGML_CUDA=ON",
    "-DGGML_CUDA_NCCL=OFF",
    "-DCMAKE_CUDA_ARCHITECTURES=70-virtual;75-virtual;80-virtual;86-real;89-real;90-real",
  ],
  cuda13: [
    "-DGGML_CUDA=ON",
    "-DGGML_CUDA_NCCL=OFF",
    "-DCMAKE_CUDA_ARCHITECTURES=75-virtual;80-virtual;86-real;89-real;90-real;100-virtual;120-virtual",
  ],
  vulkan: ["-DGGML_VULKAN=ON"],
};

function targetFor(backend) {
  const known = Object.keys(GPU_BACKENDS);
  if (!known.includes(backend))
    throw new BuildError(
      `expected one of ${known.join(", ")}, as in: npm run prebuild:gpu -- vulkan`,
    );
  const name = `${platform()}-${arch()}-${backend}`;
  const target = targetOf(name);
  if (target === undefined)
    throw new BuildError(
      `there is no package ${name}; ${backend} is built for ${GPU_BACKENDS[backend].join(", ")}.`,
    );
  return target;
}

await main(async () => {
  const [backend] = process.argv.slice(2);
  const target = targetFor(backend);
  const out = join(root, `build-native-${backend}`);
  await configure({
    root,
    out,
    env: process.env,
    log: (text) => console.error(text),
    llamaDir: await vendor(),
    tools: false,
    nativeTests: false,
    sanitize: "",
    // A library that is loaded at run time, as those of the platform's package.
    portable: true,
    config: "Release",
    flags: [...DEFINITIONS[backend], ...(process.env.R1_CMAKE_FLAGS ?? "").split(/\s+/)].filter(
      Boolean,
    ),
  });
  const library = `ggml-${backend.replace(/\d+$/, "")}`;
  const build = cmakeJs(
    ...["build", "--directory", root, "--out", out, "--config", "Release"],
    ...["--log-level", "warn", "--", "--target", library],
  );
  await show(process.execPath, build, {
    cwd: root,
    failure: `${library} could not be built; the compiler's output above says why`,
  });
  const folder = join(root, "prebuilds", target.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(join(out, "bin")))
    if (expectedFiles(target).some((wanted) => wanted.test(name)))
      copyFileSync(join(out, "bin", name), join(folder, name));
  const glibc = checkLibraries(folder, target);
  const needs = glibc === undefined ? "" : `; it needs glibc ${glibc}`;
  console.error(`r1-native: ${readdirSync(folder).join(", ")} in prebuilds/${target.name}${needs}`);
});
