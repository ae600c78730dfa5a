// Builds for another platform than this one, with a cross compiler, and puts the result into
// prebuilds/.
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { collect } from "./collect.mjs";
import { BuildError, capture, which } from "./process.mjs";

const require = createRequire(import.meta.url);
const toolchains = join(dirname(fileURLToPath(import.meta.url)), "toolchains");

/**
 * The platforms that can be built for here: the prefix of the compiler's programs, the compiler,
 * its package in Debian, and libraries of the compiler that the package carries.
 */
export const CROSS_TARGETS = Object.freeze({
  "linux-arm64": {
    prefix: "aarch64-linux-gnu-",
    compiler: "aarch64-linux-gnu-g++",
    apt: "g++-aarch64-linux-gnu",
    libraries: ["libgomp.so.1"],
  },
  "win32-x64": {
    prefix: "x86_64-w64-mingw32-",
    compiler: "x86_64-w64-mingw32-g++-posix",
    apt: "g++-mingw-w64-x86-64-posix",
    libraries: ["libgomp-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll", "libwinpthread-1.dll"],
  },
});

/** Throws if the cross compiler is missing. */
function requireCompiler(target) {
  const { compiler, apt } = CROSS_TARGETS[target];
  if (!which(compiler))
    throw new BuildError(
      `${compiler} is needed to build for ${target}; on Debian: sudo apt-get install ${apt}.`,
    );
}

/** Returns the CMake definitions of a cross build. */
export function crossFlags(target) {
  requireCompiler(target);
  const flags = [`-DCMAKE_TOOLCHAIN_FILE=${join(toolchains, `${target}.cmake`)}`];
  if (!target.startsWith("win32")) return flags;
  // The functions of Node that an addon may call; an import library is made from them.
  const { def_paths } = require("node-api-headers");
  return [...flags, `-DR1_NODE_DEFS=${Object.values(def_paths).join(";")}`];
}

/** The file of a library that comes with the compiler. */
function compilerLibrary(target, name) {
  const { compiler, prefix } = CROSS_TARGETS[target];
  const found = capture(compiler, [`-print-file-name=${name}`]).stdout.trim();
  if (found.includes("/")) return found;
  // Debian keeps MinGW's thread library outside the compiler's own folders.
  return join("/usr", prefix.slice(0, -1), "lib", name);
}

/**
 * Copies what was built into prebuilds/<target>, with the compiler's libraries beside it and
 * without symbols, and checks it.
 *
 * @returns The names, and the oldest glibc that they run with (undefined on Windows).
 */
export async function placeCross(target, { root, bin }) {
  // Not part of the published package, whose builds are for its own machine.
  const { checkLibraries } = await import("../packages/libraries.mjs");
  const { targetOf } = await import("../packages/targets.mjs");
  const { prefix, libraries } = CROSS_TARGETS[target];
  const folder = join(root, "prebuilds", target);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  collect(bin, folder);
  renameSync(join(folder, "r1_native.node"), join(folder, "r1-native.node"));
  for (const name of libraries)
    cpSync(compilerLibrary(target, name), join(folder, name), { dereference: true });
  for (const name of readdirSync(folder)) {
    const { ok, stderr } = capture(`${prefix}strip`, ["--strip-all", join(folder, name)]);
    if (!ok) throw new BuildError(`${name} could not be stripped: ${stderr.trim()}`);
  }
  return { names: readdirSync(folder), glibc: checkLibraries(folder, targetOf(target)) };
}
