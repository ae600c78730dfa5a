// The npm packages that contain the built addon, one for each platform, and those that contain a
// GPU backend. Finds the ones that are installed for this process.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type * as detectLibc from "detect-libc";
import { manifestIn, ownVersion, unpackedPath } from "../base/package.js";
import files from "./platform-files.cjs";

const require = createRequire(import.meta.url);

/** The platforms that have a package. */
export const PLATFORMS: readonly string[] = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "win32-x64",
  "win32-arm64",
];

/** The backends of GPU packages, in the order in which they are tried. */
const GPU_BACKENDS = ["cuda13", "cuda12", "vulkan"];

/** A package that is installed. */
export interface InstalledPackage {
  readonly name: string;
  /** Its folder, which contains the libraries. */
  readonly folder: string;
  /** undefined: its `package.json` was not copied with it. */
  readonly version: string | undefined;
}

/** This process's platform, as the packages are named. */
export function platformName(): string {
  // Loaded here, so that importing r1-native loads no package.
  const { familySync, MUSL } = require("detect-libc") as typeof detectLibc;
  const isMusl = process.platform === "linux" && familySync() === MUSL;
  return `${process.platform}-${process.arch}${isMusl ? "-musl" : ""}`;
}

/** The name of a platform's package. */
export function packageName(platform: string): string {
  return `@r1-native/${platform}`;
}

function installed(platform: string, file: string | undefined): InstalledPackage | undefined {
  if (file === undefined) return undefined;
  const folder = dirname(unpackedPath(file));
  return { name: packageName(platform), folder, version: manifestIn(folder)?.version };
}

/** Returns the package with the addon for a platform; undefined if it is not installed. */
export function platformPackage(platform: string): InstalledPackage | undefined {
  return installed(platform, files.addon(platform));
}

/** The GPU packages that are installed for a platform, the preferred one first. */
export function gpuPackages(platform: string): InstalledPackage[] {
  return GPU_BACKENDS.map((backend) => `${platform}-${backend}`).flatMap(
    (name) => installed(name, files.gpuManifest(name)) ?? [],
  );
}

/** Whether a package belongs to this version of r1-native. */
export function isOwnVersion({ version }: InstalledPackage): boolean {
  const own = ownVersion();
  return version === undefined || own === undefined || version === own;
}
