// Makes the package.json of each package that is published. None has a script, so that nothing runs
// when it is installed.
import { BuildError } from "../build/process.mjs";
import { PLATFORMS, SCOPE } from "./targets.mjs";

/** What a package keeps from the repository's package.json, in this order. */
const KEPT = [
  "name",
  "version",
  "description",
  "keywords",
  "license",
  "author",
  "type",
  "sideEffects",
  "engines",
  "gypfile",
  "preferUnplugged",
  "os",
  "exports",
  "types",
  "bin",
  "binary",
  "dependencies",
  "optionalDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
];

/**
 * The fields that name the repository. Its address is known only where it is published from:
 * `GITHUB_REPOSITORY` in a workflow, or `R1_REPOSITORY`, an https address. Without one the fields
 * are left out.
 */
export function repositoryFields(env = process.env) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name, R1_REPOSITORY: given } = env;
  const url = given ?? (server && name ? `${server}/${name}` : undefined);
  if (url === undefined) return {};
  if (!/^https:\/\/[^/]+\/.+[^/]$/.test(url))
    throw new BuildError(
      `R1_REPOSITORY is ${url}; expected an address like https://HOST/OWNER/NAME.`,
    );
  return {
    homepage: `${url}#readme`,
    repository: { type: "git", url: `git+${url}.git` },
    bugs: { url: `${url}/issues` },
  };
}

/**
 * The main package's manifest.
 *
 * @param root - The repository's package.json.
 * @param platforms - Names of the platforms whose packages are published with it.
 */
export function mainManifest(root, platforms, repository = repositoryFields()) {
  const pinned = platforms.map((name) => [`${SCOPE}/${name}`, root.version]);
  const whole = {
    ...root,
    ...(pinned.length > 0 ? { optionalDependencies: Object.fromEntries(pinned.sort()) } : {}),
  };
  const kept = KEPT.filter((key) => whole[key] !== undefined).map((key) => [key, whole[key]]);
  return { ...Object.fromEntries(kept), ...repository };
}

function common(root, target, repository) {
  const { os, cpu, libc } = PLATFORMS[target.platform];
  return {
    name: `${SCOPE}/${target.name}`,
    version: root.version,
    license: root.license,
    author: root.author,
    engines: root.engines,
    os,
    cpu,
    ...(libc === undefined ? {} : { libc }),
    // Its libraries are opened by the system's loader, which reads no archive of Yarn's.
    preferUnplugged: true,
    ...repository,
  };
}

/**
 * The manifest of a platform's package.
 *
 * @param glibc - The oldest glibc that its libraries run with; undefined: another C library.
 */
export function platformManifest(root, target, { glibc, repository = repositoryFields() } = {}) {
  return {
    ...common(root, target, repository),
    description:
      `The native addon of r1-native for ${target.platform}; ` + "installed by r1-native itself",
    exports: { "./r1-native.node": "./r1-native.node", "./package.json": "./package.json" },
    ...(glibc === undefined ? {} : { config: { glibc: `>=${glibc}` } }),
  };
}

/** The manifest of a GPU backend's package. */
export function gpuManifest(root, target, { repository = repositoryFields() } = {}) {
  return {
    ...common(root, target, repository),
    description:
      `The ${target.backend} backend of r1-native for ${target.platform}; ` +
      "r1-native uses it when it is installed",
    exports: { "./package.json": "./package.json" },
    peerDependencies: { [root.name]: root.version },
  };
}
