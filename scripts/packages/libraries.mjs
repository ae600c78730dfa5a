// Checks the libraries of a package: that all are there, that they find each other and need nothing
// that a small system lacks, and which glibc they need.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BuildError, capture, which } from "../build/process.mjs";

/** Libraries that every system with the named C library and Node has. */
const OF_SYSTEM = {
  glibc: /^(ld-linux[\w.-]*|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+))\.so\.\d+$/,
  musl: /^(libc\.musl-\w+|lib(gcc_s|stdc\+\+))\.so\.\d+$/,
};

/** Libraries of a GPU's driver and toolkit, which the user installs. */
const OF_DRIVER = /^lib(vulkan|cuda|cudart|cublas|cublasLt|nccl)\.so\.\d+$/;

/** Names of ggml's own libraries; a GPU package uses those that the addon has loaded. */
const OF_GGML = /^libggml(-base)?\.so$/;

/** The files that a package must have. */
export function expectedFiles({ platform, backend }) {
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
    ...names.map((name) => new RegExp(`^${prefix}${name}\\.(${suffix}|${variant})$`)),
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

/** The newest version of glibc whose symbols the file needs; undefined if it needs none. */
export function glibcOf(path) {
  const { stdout } = capture("readelf", ["-V", "-W", path]);
  return [...stdout.matchAll(/Name: GLIBC_(\d+(?:\.\d+)+)/g)]
    .map(([, version]) => version)
    .reduce(
      (newest, version) => (newest && !isOlder(newest, version) ? newest : version),
      undefined,
    );
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

/**
 * Checks the files of a package.
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
      `${folder} lacks ${missing.map(({ source }) => source).join(", ")}; it has ${names.join(", ")}.`,
    );
  if (!target.platform.startsWith("linux")) return undefined;
  if (!which("readelf"))
    throw new BuildError(
      "readelf is needed to check the libraries; it is in the package binutils.",
    );
  const elf = names.filter((name) => /\.(node|so)(\.\d+)*$/.test(name));
  checkElf(folder, elf, target);
  if (target.platform.endsWith("-musl")) return undefined;
  return elf
    .map((name) => glibcOf(join(folder, name)))
    .reduce(
      (newest, version) =>
        newest && version && !isOlder(newest, version) ? newest : (version ?? newest),
      undefined,
    );
}
