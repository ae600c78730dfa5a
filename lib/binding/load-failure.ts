// Determines from the message of a failed load what is wrong with the addon and what helps.
import { readFileSync, realpathSync } from "node:fs";
import { dirname } from "node:path";

/** What is wrong and what to do about it: two clauses for an error message. */
export interface LoadFailure {
  readonly reason: string;
  readonly advice: string;
}

/** How to build the addon: in a project that has r1-native installed, and in a clone of it. */
export const BUILD = Object.freeze({
  installed:
    "`npx r1-native build` builds it from the source in the package, without a network; it needs " +
    "a C++17 compiler and CMake.",
  inClone: "Build it: `npm run build:native`.",
});

const REBUILD =
  "Build it on this machine: `npx r1-native build` in your project, or `npm run build:native` " +
  "in a clone of r1-native.";

/** The version of glibc that this process runs with; undefined with another C library. */
function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as {
    header: { glibcVersionRuntime?: string };
  };
  return header.glibcVersionRuntime;
}

function olderSystem(missing: string): string {
  const glibc = missing.startsWith("GLIBC_") ? glibcVersion() : undefined;
  const here = glibc === undefined ? "" : `, and this system has glibc ${glibc}`;
  return `it was built on a newer system than this one (it needs ${missing}${here})`;
}

/**
 * The first match wins. The patterns match the messages of glibc's and musl's loaders, macOS's
 * dyld and Windows.
 */
const SYMPTOMS: readonly {
  readonly words: RegExp;
  readonly reason: (match: RegExpExecArray) => string;
  readonly advice: string;
}[] = [
  {
    words: /version [`']((?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found/,
    reason: (match) => olderSystem(match[1] ?? "a newer C library"),
    advice: REBUILD,
  },
  {
    words:
      /wrong ELF class|invalid ELF header|incompatible architecture|not a mach-o file|is not a valid Win32 application|file too short/i,
    reason: () =>
      `it was built for another platform or processor than ${process.platform}-${process.arch}`,
    advice: `A node_modules folder copied from another machine causes this. ${REBUILD}`,
  },
  {
    words:
      /(?:Error loading shared library |)(lib[\w.+-]+\.(?:so|dylib)[\d.]*): (?:cannot open shared object file|No such file)|Library not loaded: (\S+)/,
    reason: (match) => `the library ${match[1] ?? match[2] ?? "it needs"} is missing`,
    advice:
      "The libggml and libllama files must be beside r1_native.node; other libraries are in " +
      `your system's packages. ${REBUILD}`,
  },
  {
    words:
      /undefined symbol: (\S+?),?(?:\s|$)|symbol not found.*?'?(_\S+)'?|Error relocating .*: (\S+): symbol not found/i,
    reason: (match) =>
      `it and the libraries beside it are not from the same build (${match[1] ?? match[2] ?? match[3] ?? "a symbol"} is missing)`,
    advice: REBUILD,
  },
  {
    words: /failed to map segment|Operation not permitted|Permission denied|noexec/i,
    reason: () => "the system does not allow it to be loaded",
    advice: "Check its permissions, and that its folder is not mounted noexec.",
  },
  {
    words: /Cannot load native addon because loading addons is disabled/,
    reason: () => "this process runs with addons disabled",
    advice:
      "Start Node without `--no-addons`, or with `--allow-addons` if the permission model is on.",
  },
];

/**
 * Returns a library of llama.cpp from another folder that this process has loaded, on Linux. The
 * system's loader takes it for ours of the same name.
 */
export function otherCopy(folder: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const maps = readFileSync("/proc/self/maps", "utf8");
    return maps
      .split("\n")
      .flatMap((line) => /\s(\/.*\/lib(?:ggml|ggml-base|llama)\.so)$/.exec(line)?.[1] ?? [])
      .find((path) => dirname(path) !== realpathSync(folder));
  } catch {
    return undefined;
  }
}

/**
 * @param message - The loader's own message.
 * @param other - A library that {@link otherCopy} found.
 */
export function explainLoadFailure(message: string, other?: string): LoadFailure {
  if (other !== undefined && /undefined symbol|symbol not found/.test(message))
    return {
      reason: `another package has loaded an older llama.cpp into this process (${other})`,
      advice: "Use r1-native in a process of its own, or load its model first.",
    };
  for (const { words, reason, advice } of SYMPTOMS) {
    const match = words.exec(message);
    if (match !== null) return { reason: reason(match), advice };
  }
  return { reason: message.split("\n")[0] ?? message, advice: REBUILD };
}
