// The CMake configuration of a build folder: compares the requested one with the last one, and runs
// cmake-js if they differ.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { BuildError, show, which } from "./process.mjs";
import { requireTools } from "./tools.mjs";

const require = createRequire(import.meta.url);

/** Stores in the build folder what it was configured with, so that a plain build keeps it. */
const STAMP = "r1-build.json";

/** Arguments to run cmake-js with. */
export function cmakeJs(...args) {
  return [require.resolve("cmake-js/bin/cmake-js"), ...args];
}

/** `-DNAME=value` or `-DNAME:TYPE=value` -> [NAME, whole flag]. */
function nameOf(flag) {
  const name = /^-D([A-Za-z0-9_]+)(?::[A-Z]+)?=/.exec(flag)?.[1];
  if (name === undefined)
    throw new BuildError(`"${flag}" is no CMake definition; expected -DNAME=value.`);
  return name;
}

/** Later flags replace earlier ones of the same name. */
function mergeFlags(...lists) {
  return Object.values(Object.fromEntries(lists.flat().map((flag) => [nameOf(flag), flag])));
}

function readStamp(out) {
  try {
    return JSON.parse(readFileSync(join(out, STAMP), "utf8"));
  } catch {
    return undefined;
  }
}

function cached(out, name) {
  try {
    return new RegExp(`^${name}:[A-Z]+=(.*)$`, "m").exec(
      readFileSync(join(out, "CMakeCache.txt"), "utf8"),
    )?.[1];
  } catch {
    return undefined;
  }
}

/** A tree that was moved, or whose generator is missing, cannot be configured again in place. */
function isUnusable(out, root) {
  const home = cached(out, "CMAKE_HOME_DIRECTORY");
  if (home === undefined) return existsSync(join(out, "CMakeCache.txt"));
  const program = cached(out, "CMAKE_MAKE_PROGRAM");
  return home !== root || (program !== undefined && !which(program));
}

/** Returns the requested configuration of the folder: the last one, with the new options on top. */
function wantedOf(last, { llamaDir, tools, nativeTests, sanitize, portable, flags }) {
  return {
    llamaDir,
    tools: tools || last?.tools === true,
    nativeTests: nativeTests || last?.nativeTests === true,
    sanitize,
    portable,
    flags: mergeFlags(last?.flags ?? [], flags),
  };
}

function definitions(wanted, out) {
  const onOff = (value) => (value ? "ON" : "OFF");
  return mergeFlags([
    `-DR1_LLAMA_CPP_DIR=${wanted.llamaDir}`,
    `-DR1_TOOLS=${onOff(wanted.tools)}`,
    `-DR1_NATIVE_TESTS=${onOff(wanted.nativeTests)}`,
    `-DR1_PORTABLE=${onOff(wanted.portable)}`,
    `-DR1_SANITIZE=${wanted.sanitize}`,
    // cmake-js would put libraries in a separate folder; ours are next to the addon.
    `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(out, "bin")}`,
    ...wanted.flags,
  ]);
}

/** Configures `out` if its configuration differs; returns the configuration. */
export async function configure({ root, out, env, log, config, ...asked }) {
  if (isUnusable(out, root)) rmSync(out, { recursive: true, force: true });
  const last = readStamp(out);
  const wanted = wantedOf(last, asked);
  const isConfigured = existsSync(join(out, "build.ninja")) || existsSync(join(out, "Makefile"));
  if (isConfigured && JSON.stringify(last) === JSON.stringify(wanted)) return wanted;

  requireTools();
  const known = cached(out, "CMAKE_GENERATOR");
  const generator = known ?? (which("ninja") ? "Ninja" : "Unix Makefiles");
  log(
    `r1-native: configuring (${generator}${which("ccache") ? ", ccache" : ""}${wanted.flags.length > 0 ? `, ${wanted.flags.join(" ")}` : ""})`,
  );
  mkdirSync(out, { recursive: true });
  const args = cmakeJs(
    "configure",
    "--directory",
    root,
    "--out",
    out,
    "--config",
    config,
    "--generator",
    generator,
    "--log-level",
    "warn",
    "--",
  );
  const cache = join(out, "CMakeCache.txt");
  const before = existsSync(cache) ? readFileSync(cache) : undefined;
  try {
    await show(process.execPath, [...args, ...definitions(wanted, out)], {
      cwd: root,
      env,
      stdio: ["ignore", process.env.R1_VERBOSE ? "inherit" : "ignore", "inherit"],
      failure:
        "CMake could not configure the build; its output above says why (R1_VERBOSE=1 shows all of it)",
    });
  } catch (error) {
    // CMake stores definitions even if it fails: the next plain build would fail by the same ones.
    if (before === undefined) rmSync(cache, { force: true });
    else writeFileSync(cache, before);
    throw error;
  }
  writeFileSync(join(out, STAMP), JSON.stringify(wanted));
  return wanted;
}
