// Checks the libraries of a package: that all are there, that they find each other and need nothing
// that a small system lacks, and which glibc they need.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BuildError, capture, which } from "../build/process.mjs";
import { importsOf } from "./pe.mjs";

/** Libraries that every system with the named C library and Node has. */
const OF_SYSTEM = {
  glibc: /^(ld-linux[\w.-]*|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+))\.so\.\d+$/,
  musl: /^(libc\.musl-\w+|lib(gcc_s|stdc\+\+))\.so\.\d+$/,
};

/** Libraries of Windows 10, Microsoft's C++ runtime, and the program that loads the addon. */
const OF_WINDOWS = new RegExp(
  "^((kernel32|msvcrt|ucrtbase|advapi32|ws2_32|user32|shell32|ole32|ntdll|bcrypt|" +
    "(api-ms-win|vcruntime|msvcp)[\\w-]+)\\.dll|node\\.exe)$",
  "i",
);

/** Libraries of a GPU's driver and toolkit, which the user installs. */
const OF_DRIVER = /^lib(vulkan|cuda|cudart|cublas|cublasLt|nccl)\.so\.\d+$/;

/** Names of ggml's own libraries; a GPU package uses those that the addon has loaded. */
const OF_GGML = /^libggml(-base)?\.so$/;

/** The files that a package must have. */
function expectedFiles({ platform, backend }) {
  const [prefix, suffix] = platform.startsWith("win32")
    ? ["(lib)?", "dll"]
    : ["lib", platform.startsWith("darwin") ? "dylib" : "so"];
  if (backend !== undefined)
    return [new RegExp(`^${prefix}ggml-${backend.replace(/\d+$/, "")}\\.${suffix}$`)];
  const names = ["llama", "ggml", "ggml-base", "ggml-rpc"];
  // On macOS modules of CMake end in .so.
  const variant = suffix === "dylib" ? "(so|dylib)" : suffix;
  return [
    /^r1-native\.node$/,
    ...names.map((name) => new RegExp(`^${prefix}${name}\\.${variant}$`)),
    // One for each generation of processors, or one for the processor of a machine's own build.
    new RegExp(`^${prefix}ggml-cpu(-\\w+)?\\.${variant}$`),
  ];
}

/** Reads the dynamic section of an ELF file: what it needs, and where it looks for that. */
function dynamicSection(path) {
  const { ok, stdout, stderr } = capture("readelf", ["-d", "-W", path]);
  if (!ok) throw new BuildError(`readelf cannot read ${path}: ${stderr.trim()}`);
  const values = (tag) =>
    [...stdout.matchAll(new RegExp(`\\(${tag}\\).*\\[(.*)\\]`, "g"))].map(([, value]) => value);
  return { needed: values("NEEDED"), runPath: [...values("RUNPATH"), ...values("RPATH")] };
}

function isOlder(a, b) {
  const [x, y] = [a, b].map((text) => text.split(".").map(Number));
  const at = x.findIndex((value, index) => value !== (y[index] ?? 0));
  return at >= 0 && x[at] < (y[at] ?? 0);
}

/** The versions of glibc whose symbols a file needs. */
function glibcVersions(path) {
  const { stdout } = capture("readelf", ["-V", "-W", path]);
  return [...stdout.matchAll(/Name: GLIBC_(\d+(?:\.\d+)+)/g)].map(([, version]) => version);
}

/** Throws if an ELF library of the package could not be loaded on another machine. */
function checkElf(folder, names, target) {
  const system = OF_SYSTEM[target.platform.endsWith("-musl") ? "musl" : "glibc"];
  const problems = [];
  for (const name of names) {
    const { needed, runPath } = dynamicSection(join(folder, name));
    const missing = needed.filter(
      (library) =>
        !names.includes(library) &&
        !system.test(library) &&
        !(target.backend !== undefined && (OF_DRIVER.test(library) || OF_GGML.test(library))),
    );
    if (missing.length > 0) problems.push(`${name} needs ${missing.join(", ")}`);
    const isAlone = !needed.some((library) => names.includes(library));
    if (!isAlone && !runPath.includes("$ORIGIN"))
      problems.push(`${name} does not look for libraries beside itself (RUNPATH ${runPath})`);
  }
  if (problems.length > 0)
    throw new BuildError(
      `the libraries of ${target.name} cannot be packed: ${problems.join("; ")}.`,
    );
}

/** Throws if a library of a package for Windows needs one that is neither in it nor in Windows. */
function checkWindows(folder, names, target) {
  const isThere = (library) =>
    OF_WINDOWS.test(library) ||
    target.backend !== undefined ||
    names.some((name) => name.toLowerCase() === library.toLowerCase());
  const problems = names
    .filter((name) => /\.(node|dll)$/.test(name))
    .map((name) => {
      const needed = importsOf(readFileSync(join(folder, name)));
      return { name, missing: needed.filter((library) => !isThere(library)) };
    })
    .filter(({ missing }) => missing.length > 0)
    .map(({ name, missing }) => `${name} needs ${missing.join(", ")}`);
  if (problems.length > 0)
    throw new BuildError(
      `the libraries of ${target.name} cannot be packed: ${problems.join("; ")}.`,
    );
}

const isElf = (name) => /\.(node|so)(\.\d+)*$/.test(name);

/**
 * The glibc that the libraries in a folder need.
 *
 * @param newest - Libraries that need a newer one are refused; undefined: none is.
 * @returns The oldest version that they all run with.
 */
export function glibcOf(folder, newest) {
  const last = readdirSync(folder)
    .filter(isElf)
    .flatMap((name) => glibcVersions(join(folder, name)).map((version) => ({ name, version })))
    .sort((a, b) => (isOlder(a.version, b.version) ? -1 : isOlder(b.version, a.version) ? 1 : 0))
    .at(-1);
  if (last !== undefined && newest !== undefined && isOlder(newest, last.version))
    throw new BuildError(
      `${last.name} needs glibc ${last.version}, and the package may need ${newest} at most: ` +
        "build on an older system.",
    );
  return last?.version;
}

/**
 * Checks the files of a package. The environment variable `R1_NEWEST_GLIBC`, which the workflows
 * set, bounds the glibc that they may need.
 *
 * @returns The oldest glibc that they run with; undefined for other C libraries and systems.
 */
export function checkLibraries(folder, target) {
  const names = readdirSync(folder).filter((name) => !/\.(md|json)$/.test(name));
  const missing = expectedFiles(target).filter(
    (wanted) => !names.some((name) => wanted.test(name)),
  );
  if (missing.length > 0)
    throw new BuildError(
      `${folder} lacks ${missing.map(({ source }) => source).join(", ")}; ` +
        `it has ${names.join(", ")}.`,
    );
  if (target.platform.startsWith("win32")) checkWindows(folder, names, target);
  if (!target.platform.startsWith("linux")) return undefined;
  if (!which("readelf"))
    throw new BuildError(
      "readelf is needed to check the libraries; it is in the package binutils.",
    );
  checkElf(folder, names.filter(isElf), target);
  if (target.platform.endsWith("-musl")) return undefined;
  return glibcOf(folder, process.env.R1_NEWEST_GLIBC);
}
