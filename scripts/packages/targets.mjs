// The platforms and GPU backends that packages are made for.
import { arch, platform } from "node:os";
import { familySync, MUSL } from "detect-libc";

/**
 * By the name of the folder in prebuilds/, which is also the name of the package in the scope
 * `@r1-native`.
 */
export const PLATFORMS = Object.freeze({
  "linux-x64": { os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
  "linux-arm64": { os: ["linux"], cpu: ["arm64"], libc: ["glibc"] },
  "linux-x64-musl": { os: ["linux"], cpu: ["x64"], libc: ["musl"] },
  "linux-arm64-musl": { os: ["linux"], cpu: ["arm64"], libc: ["musl"] },
  "darwin-x64": { os: ["darwin"], cpu: ["x64"] },
  "darwin-arm64": { os: ["darwin"], cpu: ["arm64"] },
  "win32-x64": { os: ["win32"], cpu: ["x64"] },
  "win32-arm64": { os: ["win32"], cpu: ["arm64"] },
});

/** The platform of this machine, as the packages are named. */
export const ownPlatform = () => `${platform()}-${arch()}${familySync() === MUSL ? "-musl" : ""}`;

/** The platforms that each GPU backend is built for. */
export const GPU_BACKENDS = Object.freeze({
  cuda13: ["linux-x64", "linux-arm64", "win32-x64"],
  cuda12: ["linux-x64", "win32-x64"],
  vulkan: ["linux-x64", "linux-arm64", "win32-x64"],
});

/** The scope of all packages but the main one. */
export const SCOPE = "@r1-native";

/** A package of one platform: with the addon, or with one GPU backend for it. */
export function targetOf(name) {
  if (Object.hasOwn(PLATFORMS, name)) return { name, platform: name, backend: undefined };
  const [, platform, backend] = /^(.*)-(\w+)$/.exec(name) ?? [];
  return GPU_BACKENDS[backend]?.includes(platform) ? { name, platform, backend } : undefined;
}

/** All names that `targetOf` knows. */
export const ALL_TARGETS = Object.freeze([
  ...Object.keys(PLATFORMS),
  ...Object.entries(GPU_BACKENDS).flatMap(([backend, platforms]) =>
    platforms.map((platform) => `${platform}-${backend}`),
  ),
]);
