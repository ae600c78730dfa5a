// The npm packages that contain the built addon, one for each platform, and those that contain a
// GPU backend. Finds the ones that are installed for this process.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type * as detectLibc from "detect-libc";
import { manifestIn, ownVersion, unpackedPath } from "../base/package.js";

const require = createRequire(import.meta.url);

/**
 * The addon's file in the package of each platform. Bundlers' tracers follow only literal
 * specifiers, and copy all libraries of a package in which they find an addon.
 */
const ADDONS: Readonly<Record<string, () => string>> = {
  "linux-x64": () => require.resolve("@r1-native/linux-x64/r1-native.node"),
  "linux-arm64": () => require.resolve("@r1-native/linux-arm64/r1-native.node"),
  "linux-x64-musl": () => require.resolve("@r1-native/linux-x64-musl/r1-native.node"),
  "linux-arm64-musl": () => require.resolve("@r1-native/linux-arm64-musl/r1-native.node"),
  "darwin-x64": () => require.resolve("@r1-native/darwin-x64/r1-native.node"),
  "darwin-arm64": () => require.resolve("@r1-native/darwin-arm64/r1-native.node"),
  "win32-x64": () => require.resolve("@r1-native/win32-x64/r1-native.node"),
  "win32-arm64": () => require.resolve("@r1-native/win32-arm64/r1-native.node"),
};

/** The GPU packages of each platform, in the order in which they are tried. */
const GPU_BACKENDS: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "linux-x64": {
    cuda13: () => require.resolve("@r1-native/linux-x64-cuda13/package.json"),
    cuda12: () => require.resolve("@r1-native/linux-x64-cuda12/package.json"),
    vulkan: () => require.resolve("@r1-native/linux-x64-vulkan/package.json"),
  },
  "linux-arm64": {
    cuda13: () => require.resolve("@r1-native/linux-arm64-cuda13/package.json"),
    vulkan: () => require.resolve("@r1-native/linux-arm64-vulkan/package.json"),
  },
  "win32-x64": {
    cuda13: () => require.resolve("@r1-native/win32-x64-cuda13/package.json"),
    cuda12: () => require.resolve("@r1-native/win32-x64-cuda12/package.json"),
    vulkan: () => require.resolve("@r1-native/win32-x64-vulkan/package.json"),
  },
};

/** A package that is installed. */
export interface InstalledPackage {
  readonly name: string;
  /** Its folder, which contains the libraries. */
  readonly folder: string;
  /** undefined: its `package.json` was not copied with it. */
  readonly version: string | undefined;
}

/** The platforms that have a package. */
export const PLATFORMS: readonly string[] = Object.keys(ADDONS);

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

function installed(name: string, resolve: () => string): InstalledPackage | undefined {
  let file: string;
  try {
    file = resolve();
  } catch {
    return undefined;
  }
  const folder = dirname(unpackedPath(file));
  return { name, folder, version: manifestIn(folder)?.version };
}

/** Returns the package with the addon for a platform; undefined if it is not installed. */
export function platformPackage(platform: string): InstalledPackage | undefined {
  const resolve = ADDONS[platform];
  return resolve === undefined ? undefined : installed(packageName(platform), resolve);
}

/** The GPU packages that are installed for a platform, the preferred one first. */
export function gpuPackages(platform: string): InstalledPackage[] {
  return Object.entries(GPU_BACKENDS[platform] ?? {}).flatMap(
    ([backend, resolve]) => installed(`${packageName(platform)}-${backend}`, resolve) ?? [],
  );
}

/** Whether a package belongs to this version of r1-native. */
export function isOwnVersion({ version }: InstalledPackage): boolean {
  const own = ownVersion();
  return version === undefined || own === undefined || version === own;
}
