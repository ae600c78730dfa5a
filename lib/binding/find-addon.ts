// Finds the addon's file: a build of this machine's own first, then the package of the platform.
// Explains what is wrong when there is none.
import { createRequire } from "node:module";
import { join } from "node:path";
import { isClone, isInPackage, ownVersion, packageFolder } from "../base/package.js";
import { BUILD } from "./load-failure.js";
import type { LoadFailure } from "./load-failure.js";
import {
  isOwnVersion,
  packageName,
  platformName,
  platformPackage,
  PLATFORMS,
  type InstalledPackage,
} from "./platform-package.js";

/**
 * node-gyp-build: resolves `build/Release/*.node`, then `prebuilds/<platform>-<arch>/*.node`, in a
 * package folder.
 */
interface AddonFinder {
  path(folder: string): string;
}

const require = createRequire(import.meta.url);

/** What is known of the packages on this machine. */
export interface Installation {
  readonly platform: string;
  readonly version: string | undefined;
  readonly isClone: boolean;
  /** The package of this platform, if it is installed. */
  readonly own: InstalledPackage | undefined;
  /** The names of packages for other platforms that are installed. */
  readonly others: readonly string[];
}

/** The addon's file, or why there is none. */
export type FoundAddon =
  { readonly file: string } | { readonly file: undefined; readonly failure: LoadFailure };

/** The command that installs a package even where optional ones are left out. */
function installCommand(name: string, version: string | undefined): string {
  const exact = version === undefined ? name : `${name}@${version}`;
  return `npm install --include=optional --save-optional ${exact}`;
}

/** Why a program that was bundled with r1-native has no addon. */
const BUNDLED: LoadFailure = Object.freeze({
  reason: "r1-native was bundled into another file, and its files are not beside it",
  advice:
    "Exclude it from the bundle, because it loads an addon and other files of its package " +
    '(esbuild: `--external:r1-native`; webpack: `externals: ["r1-native"]`; Vite: ' +
    '`ssr.external: ["r1-native"]`; Next: `serverExternalPackages: ["r1-native"]`).',
});

/** Explains why an installation has no addon for this platform. */
export function explainAbsence(installation: Installation): LoadFailure {
  const { platform, version, own, others } = installation;
  const name = packageName(platform);
  const install = installCommand(name, version);
  if (own !== undefined)
    return {
      reason:
        `${name} is version ${own.version ?? "unknown"}, ` +
        `and r1-native is version ${version ?? "unknown"}`,
      advice: `Both must have the same version: \`${install}\`.`,
    };
  if (installation.isClone)
    return { reason: `it is not built for ${platform}`, advice: BUILD.inClone };
  if (!PLATFORMS.includes(platform))
    return {
      reason: `there is no package with a build for ${platform}`,
      advice: BUILD.installed,
    };
  if (others.length > 0)
    return {
      reason:
        `it is installed for another system (${others.join(", ")}), and this one needs ${name}: ` +
        "node_modules or the lock file comes from that system",
      advice:
        `Install it here: \`${install}\`, or remove node_modules and the lock file ` +
        "and run `npm install`.",
    };
  return {
    reason: `${name} is not installed, as when optional dependencies are left out`,
    advice:
      `Install it: \`${install}\` (pnpm and yarn: ` +
      `\`add --optional ${name}@${version ?? "latest"}\`). ${BUILD.installed}`,
  };
}

function ownBuild(): string | undefined {
  try {
    return (require("node-gyp-build") as AddonFinder).path(packageFolder);
  } catch {
    return undefined;
  }
}

/** Finds the addon for this process. */
export function findAddon(): FoundAddon {
  const built = ownBuild();
  if (built !== undefined) return { file: built };
  // First: the packages that the search needs are not beside the bundle either.
  if (!isInPackage()) return { file: undefined, failure: BUNDLED };
  const platform = platformName();
  const own = platformPackage(platform);
  if (own !== undefined && isOwnVersion(own)) return { file: join(own.folder, "r1-native.node") };
  const others = PLATFORMS.filter(
    (other) => other !== platform && platformPackage(other) !== undefined,
  ).map(packageName);
  return {
    file: undefined,
    failure: explainAbsence({
      platform,
      version: ownVersion(),
      isClone: isClone(),
      own,
      others,
    }),
  };
}
