// Puts the files of one package into a folder of its own and packs it with npm.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { copyOpenMP } from "../build/openmp.mjs";
import { BuildError, capture } from "../build/process.mjs";
import { checkLibraries } from "./libraries.mjs";
import { gpuManifest, mainManifest, platformManifest } from "./manifests.mjs";

/** The largest archive that a package may have, in bytes: npm refuses about twice as much. */
export const LIMITS = Object.freeze({ main: 12e6, platform: 12e6, gpu: 100e6 });

/** Files that every package carries. */
const NOTICES = ["LICENSE", "THIRD_PARTY_NOTICES.md"];

/** Runs npm without the settings of an npm that called us. */
function npm(args, cwd) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)),
  );
  const { ok, stdout, stderr } = capture("npm", [...args, "--ignore-scripts", "--json"], {
    cwd,
    env: { ...env, npm_config_update_notifier: "false" },
    shell: process.platform === "win32",
  });
  if (!ok) throw new BuildError(`npm ${args.join(" ")} failed in ${cwd}: ${stderr.trim()}`);
  return JSON.parse(stdout);
}

function fresh(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

function copyInto(folder, from, names) {
  for (const name of names) {
    const to = join(folder, name);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(from, name), to);
  }
}

function writeManifest(folder, manifest) {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** What npm would pack from a folder: its files, and the size of the archive. */
export function contentsOf(folder) {
  const [{ files, size }] = npm(["pack", "--dry-run"], folder);
  return { files, size };
}

/** Makes the folder of the main package; `platforms` are the packages that it pins. */
export function stageMain(root, manifest, platforms, folder) {
  fresh(folder);
  const files = contentsOf(root).files.map(({ path }) => path);
  copyInto(
    folder,
    root,
    files.filter((path) => path !== "package.json"),
  );
  for (const path of Object.values(manifest.bin)) chmodSync(join(folder, path), 0o755);
  writeManifest(folder, mainManifest(manifest, platforms));
}

/** Puts this machine's own build where a platform's package can be made of it. */
export function copyOwnBuild(root, folder) {
  cpSync(join(root, "build", "Release"), folder, { recursive: true });
  renameSync(join(folder, "r1_native.node"), join(folder, "r1-native.node"));
  copyOpenMP(folder);
  return folder;
}

function readme({ platform, backend }, { name, version }) {
  const text =
    backend === undefined
      ? `The native addon of r1-native for ${platform}. Install r1-native; it installs this ` +
        "package itself."
      : `The ${backend} backend of r1-native for ${platform}. Install it beside r1-native, in ` +
        `the same version:\n\n    npm install r1-native@${version} ${name}@${version}`;
  return `# ${name}\n\n${text}\n`;
}

/**
 * Makes the folder of a platform's or a GPU backend's package from the libraries in `from`.
 *
 * @returns Facts of the libraries: the oldest `glibc` that they run with.
 */
export function stageLibraries(root, manifest, target, { from, folder }) {
  fresh(folder);
  const glibc = checkLibraries(from, target);
  copyInto(
    folder,
    from,
    readdirSync(from).filter((name) => statSync(join(from, name)).isFile()),
  );
  copyInto(folder, root, NOTICES);
  const made =
    target.backend === undefined
      ? platformManifest(manifest, target, { glibc })
      : gpuManifest(manifest, target);
  writeFileSync(join(folder, "README.md"), readme(target, made));
  writeManifest(folder, made);
  return { glibc };
}

/** Packs a staged folder into `out`; returns the archive's path and size. */
export function pack(folder, out, limit) {
  const [{ filename, size, unpackedSize, entryCount, name }] = npm(
    ["pack", "--pack-destination", out],
    folder,
  );
  if (size > limit)
    throw new BuildError(
      `${name} has ${(size / 1e6).toFixed(1)} MB packed, more than ${limit / 1e6} MB.`,
    );
  // npm 9 and older name the file of a scoped package otherwise than they report it.
  const file = join(out, filename.replace(/^@/, "").replace("/", "-"));
  return { name, file, size, unpackedSize, entryCount };
}
