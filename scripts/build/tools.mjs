// Checks which programs a build needs, before anything is configured, and explains each one that is
// missing.
import { BuildError, capture, which } from "./process.mjs";

const NODE_MINIMUM = [20, 19];
const CMAKE_MINIMUM = [3, 18];

/** Explains how to install a tool with the available package manager. */
function howToInstall({ apt, brew, mac }) {
  if (process.platform === "darwin") return mac ?? `brew install ${brew}`;
  if (which("apt-get")) return `sudo apt-get install ${apt}`;
  if (which("dnf")) return `sudo dnf install ${apt === "build-essential" ? "gcc-c++ make" : apt}`;
  if (which("apk")) return `apk add ${apt === "build-essential" ? "build-base" : apt}`;
  return undefined;
}

function sentence(what, wanted) {
  const how = howToInstall(wanted);
  return `${what}; install it with your package manager${how === undefined ? "" : `: ${how}`}.`;
}

function isOlder(found, minimum) {
  for (let i = 0; i < minimum.length; i++) {
    if ((found[i] ?? 0) !== minimum[i]) return (found[i] ?? 0) < minimum[i];
  }
  return false;
}

function versionOf(text) {
  return (/(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? []).slice(1).map(Number);
}

function checkNode() {
  if (!isOlder(versionOf(process.versions.node), NODE_MINIMUM)) return undefined;
  return `Node ${NODE_MINIMUM.join(".")} or newer is needed and this is ${process.versions.node}; install a newer one from nodejs.org or with your version manager.`;
}

function checkCompiler() {
  const wanted = { apt: "build-essential", mac: "xcode-select --install" };
  const compiler = [process.env.CXX?.split(" ")[0], "c++", "g++", "clang++"].find(
    (name) => name && which(name),
  );
  if (compiler === undefined)
    return sentence("A C++17 compiler is needed and none was found", wanted);
  const probe = capture(compiler, ["-std=c++17", "-fsyntax-only", "-x", "c++", "-"], {
    input: "#include <filesystem>\n#include <optional>\nint main() {}\n",
  });
  return probe.ok
    ? undefined
    : sentence(
        `A C++17 compiler is needed and ${compiler} cannot compile C++17 with <filesystem>`,
        wanted,
      );
}

function checkCMake() {
  const wanted = { apt: "cmake", brew: "cmake" };
  const minimum = CMAKE_MINIMUM.join(".");
  if (!which("cmake"))
    return sentence(`CMake ${minimum} or newer is needed and was not found`, wanted);
  const found = versionOf(capture("cmake", ["--version"]).stdout);
  return isOlder(found, CMAKE_MINIMUM)
    ? sentence(`CMake ${minimum} or newer is needed and this is ${found.join(".")}`, wanted)
    : undefined;
}

function checkMake() {
  if (which("ninja") || which("make")) return undefined;
  return sentence("ninja or make is needed and neither was found", {
    apt: "build-essential",
    mac: "xcode-select --install",
  });
}

/** node-gyp runs on Python 3 and make; a build by `npm run build:native` needs neither. */
function checkNodeGyp() {
  const found = [];
  if (!which("python3") && !process.env.PYTHON && !process.env.npm_config_python) {
    found.push(
      sentence("Python 3 is needed by node-gyp and was not found", {
        apt: "python3",
        brew: "python3",
      }),
    );
  }
  if (!which("make"))
    found.push(
      sentence("make is needed by node-gyp and was not found", {
        apt: "build-essential",
        mac: "xcode-select --install",
      }),
    );
  return found;
}

/**
 * Throws if tools are missing: one sentence for each, all at once. `nodeGyp`: the build was started
 * through node-gyp.
 */
export function requireTools({ nodeGyp = false } = {}) {
  const missing = [
    checkNode(),
    checkCompiler(),
    checkCMake(),
    ...(nodeGyp ? checkNodeGyp() : [checkMake()]),
  ].filter((text) => text !== undefined);
  if (missing.length > 0) throw new BuildError(missing.join("\nr1-native: "));
}

/** Throws if git is missing; needed only if the llama.cpp tree does not exist yet. */
export function requireGit() {
  if (!which("git"))
    throw new BuildError(
      sentence("git is needed to unpack llama.cpp and was not found", {
        apt: "git",
        mac: "xcode-select --install",
      }),
    );
}
