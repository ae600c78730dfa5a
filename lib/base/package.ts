// Where this package is installed, and its version. Any JavaScript thread.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The name of this package on npm. */
export const PACKAGE_NAME = "r1-native";

/**
 * Returns the path of a file for the operating system and for other programs. An Electron app keeps
 * its files in an archive, `app.asar`, which only Electron's own JavaScript can read; the files
 * that it unpacks are in the folder `app.asar.unpacked` beside it.
 */
export function unpackedPath(path: string): string {
  return path.replace(/([\\/][^\\/]+\.asar)(?=[\\/])/, "$1.unpacked");
}

/**
 * The package's folder: two levels up from both lib/base and dist/base. In an Electron app it is
 * the unpacked one.
 */
export const packageFolder: string = unpackedPath(
  // Not by `new URL("../..", import.meta.url)`, which webpack takes for a file of the bundle.
  join(dirname(fileURLToPath(import.meta.url)), "..", ".."),
);

/** Returns the name and version in the `package.json` of a folder; undefined if it has none. */
export function manifestIn(folder: string): { name: string; version: string } | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      name?: unknown;
      version?: unknown;
    };
    return typeof name === "string" && typeof version === "string" ? { name, version } : undefined;
  } catch {
    return undefined;
  }
}

let own: { name: string; version: string } | undefined;

function ownManifest(): { name: string; version: string } | undefined {
  own ??= manifestIn(packageFolder);
  return own?.name === PACKAGE_NAME ? own : undefined;
}

/**
 * Whether this code is still in its package. A bundler moves it, and then the files that the
 * package needs at run time are missing.
 */
export function isInPackage(): boolean {
  return ownManifest() !== undefined;
}

/** The version of this package; undefined if a bundler has moved this code. */
export function ownVersion(): string | undefined {
  return ownManifest()?.version;
}

/** Whether this is a clone of the repository, and not an installed package. */
export function isClone(): boolean {
  return existsSync(join(packageFolder, "tsconfig.json"));
}
