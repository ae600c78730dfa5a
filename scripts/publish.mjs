// `npm run publish:packages [-- DIR]`: publishes the archives of `npm run packages`, those of the
// platforms first and r1-native last, so that nobody can install it before all that it pins is
// there. It goes on where an earlier run stopped. npm's own settings say where to and as whom.
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError, capture, main, show } from "./build/process.mjs";
import { ALL_TARGETS, SCOPE } from "./packages/targets.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const shell = process.platform === "win32";

function readArchive(file) {
  const { ok, stdout, stderr } = capture("tar", ["-xzOf", file, "package/package.json"]);
  if (!ok) throw new BuildError(`cannot read ${file}: ${stderr.trim()}`);
  const { name, version, optionalDependencies = {} } = JSON.parse(stdout);
  return { file, name, version, pinned: Object.entries(optionalDependencies) };
}

/**
 * All archives in the order in which they are published.
 *
 * @throws {BuildError} if one that r1-native pins is missing, or versions differ.
 */
function archivesIn(folder) {
  const all = readdirSync(folder)
    .filter((name) => name.endsWith(".tgz"))
    .map((name) => readArchive(join(folder, name)));
  const main = all.find(({ name }) => name === "r1-native");
  if (main === undefined) throw new BuildError(`there is no archive of r1-native in ${folder}.`);
  const known = ALL_TARGETS.map((name) => `${SCOPE}/${name}`);
  for (const { name, version } of all) {
    if (name !== main.name && !known.includes(name))
      throw new BuildError(`${name} is none of r1-native's packages.`);
    if (version !== main.version)
      throw new BuildError(`${name} has version ${version}, r1-native ${main.version}.`);
  }
  const missing = main.pinned.filter(([name]) => !all.some((one) => one.name === name));
  if (missing.length > 0)
    throw new BuildError(
      `r1-native pins ${missing.map(([name]) => name).join(", ")}, of which there is no archive.`,
    );
  return [...all.filter((one) => one !== main), main];
}

function isPublished({ name, version }) {
  const { ok, stdout, stderr } = capture("npm", ["view", `${name}@${version}`, "version"], {
    shell,
  });
  if (!ok && !/E404/.test(stderr))
    throw new BuildError(`npm cannot look up ${name}: ${stderr.trim()}`);
  return stdout.trim() === version;
}

await main(async () => {
  const folder = resolve(process.argv[2] ?? join(root, "packages"));
  for (const archive of archivesIn(folder)) {
    const { name, version, file } = archive;
    if (isPublished(archive)) {
      console.log(`${name}@${version} is published already`);
      continue;
    }
    await show("npm", ["publish", file, "--access", "public"], {
      shell,
      failure:
        `${name} could not be published; npm's output above says why. ` +
        "The same command goes on with it",
    });
    console.log(`${name}@${version} published`);
  }
});
