// Builds the addon: the llama.cpp tree, CMake (through cmake-js), then the files in build/Release
// where node-gyp-build looks for them.
import { rmSync } from "node:fs";
import { availableParallelism, freemem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { collect } from "./build/collect.mjs";
import { cmakeJs, configure } from "./build/configure.mjs";
import { CROSS_TARGETS, crossFlags, placeCross } from "./build/cross.mjs";
import { BuildError, main, show } from "./build/process.mjs";
import { vendor } from "./vendor.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

const HELP = `usage: node scripts/build.mjs [options] [-- -DNAME=value ...]

  --tools             also build upstream's programs (the tests compare with them)
  --bench-tools       --tools, and llama-server
  --native-tests      also build and run the C++ tests of native/test
  --no-run            build those tests, but do not run them
  --sanitize=KIND     those tests only, under sanitizers: address, undefined, address,undefined or thread; in a build folder of its own
  --coverage          those tests only, counting which lines run, in a build folder of its own (npm run coverage)
  --cuda              with the CUDA backend; the same as -- -DGGML_CUDA=ON
  --vulkan            with the Vulkan backend; the same as -- -DGGML_VULKAN=ON
  --debug             with symbols and assertions and little optimisation, in a build folder of its own; a plain build
                      puts the fast one back
  --portable          for every CPU of this platform (what prebuilds are made of), in a build folder of its own
  --target=PLATFORM   for another platform, with a cross compiler, into prebuilds/PLATFORM: ${Object.keys(CROSS_TARGETS).join(" or ")}
  --fresh             forget earlier options and start from an empty build folder
  --help

What a build folder was configured with stays until it is asked for otherwise, so a plain build after --cuda keeps CUDA.
R1_CMAKE_FLAGS holds further CMake definitions, R1_LLAMA_CPP_DIR another llama.cpp tree, R1_JOBS the number of compilers at a time.
`;

/**
 * Sanitizers that a compiler can combine count as one kind; address and thread cannot be combined.
 */
const SANITIZERS = ["address", "undefined", "address,undefined", "thread"];

const OPTIONS = {
  tools: { type: "boolean", default: false },
  "bench-tools": { type: "boolean", default: false },
  "native-tests": { type: "boolean", default: false },
  "no-run": { type: "boolean", default: false },
  sanitize: { type: "string", default: "" },
  coverage: { type: "boolean", default: false },
  cuda: { type: "boolean", default: false },
  vulkan: { type: "boolean", default: false },
  debug: { type: "boolean", default: false },
  portable: { type: "boolean", default: process.env.R1_PORTABLE === "1" },
  target: { type: "string", default: "" },
  fresh: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

function parse() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    if (!["", ...SANITIZERS].includes(values.sanitize))
      throw new Error(`--sanitize takes ${SANITIZERS.join(" or ")}, not "${values.sanitize}"`);
    if (values.target !== "" && !Object.hasOwn(CROSS_TARGETS, values.target))
      throw new Error(`--target takes ${Object.keys(CROSS_TARGETS).join(" or ")}`);
    return {
      ...values,
      flags: [
        ...(process.env.R1_CMAKE_FLAGS ?? "").split(/\s+/).filter(Boolean),
        ...(values.cuda ? ["-DGGML_CUDA=ON"] : []),
        ...(values.vulkan ? ["-DGGML_VULKAN=ON"] : []),
        ...(values.debug ? ["-DCMAKE_C_FLAGS_DEBUG=-g -Og", "-DCMAKE_CXX_FLAGS_DEBUG=-g -Og"] : []),
        ...positionals,
      ],
    };
  } catch (error) {
    if (process.argv.slice(2).some((word) => /^-D./.test(word)) && !process.argv.includes("--"))
      throw new BuildError(
        "CMake definitions go after a second --: npm run build:native -- -- -DGGML_VULKAN=ON",
      );
    throw new BuildError(`${error.message}; see node scripts/build.mjs --help.`);
  }
}

/**
 * Returns an environment in which an outer make (node-gyp's) does not affect ours, and in which
 * ccache finds what a clone in another folder compiled.
 */
function buildEnvironment() {
  const outer = /^(MAKEFLAGS|MFLAGS|MAKELEVEL|MAKEOVERRIDES|DESTDIR)$/;
  return {
    CCACHE_BASEDIR: root,
    CCACHE_NOHASHDIR: "1",
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !outer.test(name))),
  };
}

/** Number of parallel compilers: one per core, with 700 MB of free memory for each. */
function jobs() {
  const asked = Number(process.env.R1_JOBS);
  return asked >= 1
    ? Math.trunc(asked)
    : Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / 700e6)));
}

function outputFolder(options) {
  if (options.sanitize !== "")
    return join(root, `build-native-${options.sanitize.replace(",", "-")}`);
  if (options.coverage) return join(root, "build-native-coverage");
  if (options.debug) return join(root, "build-native-debug");
  if (options.target !== "") return join(root, `build-native-${options.target}`);
  return join(root, options.portable ? "build-native-portable" : "build-native");
}

/** Returns CMake's name of the build type. */
function configOf(options) {
  return options.debug ? "Debug" : "Release";
}

/** Whether only the C++ tests are built, in a way that the addon is not. */
function isTestsOnly(options) {
  return options.sanitize !== "" || options.coverage;
}

function targetsOf(options) {
  if (isTestsOnly(options)) return ["r1_core_tests"];
  const tools = options.tools || options["bench-tools"];
  return [
    "r1_native",
    ...(tools ? ["r1_tools"] : []),
    ...(options["bench-tools"] ? ["llama-server"] : []),
    ...(options["native-tests"] ? ["r1_core_tests"] : []),
  ];
}

await main(async () => {
  const options = parse();
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const log = (text) => console.error(text);
  const env = buildEnvironment();
  const out = outputFolder(options);
  if (options.fresh) rmSync(out, { recursive: true, force: true });
  const llamaDir = await vendor({ log });
  const nativeTests = options["native-tests"] || isTestsOnly(options);
  await configure({
    root,
    out,
    env,
    log,
    llamaDir,
    tools: options.tools || options["bench-tools"],
    nativeTests,
    sanitize: options.sanitize,
    portable: options.portable || options.target !== "",
    config: configOf(options),
    flags: [
      ...(options.target === "" ? [] : crossFlags(options.target)),
      ...options.flags,
      ...(options.coverage ? ["-DR1_COVERAGE=ON"] : []),
    ],
  });
  const build = cmakeJs(
    "build",
    "--directory",
    root,
    "--out",
    out,
    "--config",
    configOf(options),
    "--log-level",
    "warn",
    "--parallel",
    String(jobs()),
  );
  await show(process.execPath, [...build, "--", "--target", ...targetsOf(options)], {
    cwd: root,
    env,
    stdio: ["ignore", "inherit", "inherit"],
    failure: "the native build failed; the compiler's output above says where",
  });
  if (options.target !== "") {
    const { names, glibc } = await placeCross(options.target, { root, bin: join(out, "bin") });
    const needs = glibc === undefined ? "" : `; they need glibc ${glibc}`;
    log(`r1-native: ${names.length} files in prebuilds/${options.target}${needs}`);
    return;
  }
  if (!isTestsOnly(options)) {
    const changed = collect(join(out, "bin"), join(root, "build", "Release"));
    log(
      changed.length > 0
        ? `r1-native: built ${changed.join(", ")}`
        : "r1-native: the native build is up to date",
    );
  }
  if (nativeTests && !options["no-run"])
    await show(join(out, "bin", "r1_core_tests"), [], {
      cwd: root,
      env,
      failure: "the C++ tests of native/test failed",
    });
});
