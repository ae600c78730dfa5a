// `npm run packages`: makes the archives that are published: one for each folder in prebuilds/, and
// r1-native itself, which pins those of the platforms.
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BuildError, main, show } from "./build/process.mjs";
import { copyOwnBuild, LIMITS, pack, stageLibraries, stageMain } from "./packages/stage.mjs";
import { ALL_TARGETS, ownPlatform, PLATFORMS, targetOf } from "./packages/targets.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

const HELP = `usage: npm run packages -- [options]

  --out DIR     where the archives go (packages/)
  --own-build   take the build of this machine in build/Release for its platform, which is quick to make and
                serves to try the packages: it runs only on processors like this one
  --complete    fail unless every platform and GPU backend is in prebuilds/, as a release needs
  --help

Packages of a platform are made from prebuilds/PLATFORM-ARCH[-musl], those of a GPU backend from
prebuilds/PLATFORM-ARCH-BACKEND. R1_REPOSITORY names the repository's address for their manifests.
`;

function parse() {
  try {
    return parseArgs({
      options: {
        out: { type: "string", default: join(root, "packages") },
        "own-build": { type: "boolean", default: false },
        complete: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new BuildError(`${error.message}; see npm run packages -- --help.`);
  }
}

/** The targets whose builds are in prebuilds/. */
function builtTargets() {
  const names = readdirSync(join(root, "prebuilds"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const unknown = names.filter((name) => targetOf(name) === undefined);
  if (unknown.length > 0)
    throw new BuildError(
      `prebuilds/ has ${unknown.join(", ")}, and no package is made of that; ` +
        `known are ${ALL_TARGETS.join(", ")}.`,
    );
  return names.map(targetOf);
}

function requireAll(targets) {
  const missing = ALL_TARGETS.filter((name) => !targets.some((target) => target.name === name));
  if (missing.length > 0)
    throw new BuildError(`a release needs all packages; prebuilds/ lacks ${missing.join(", ")}.`);
}

function report({ name, size, unpackedSize, entryCount }, { glibc } = {}) {
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const needs = glibc === undefined ? "" : `, glibc ${glibc}`;
  console.log(
    `${name}: ${mb(size)} packed, ${mb(unpackedSize)} unpacked, ${entryCount} files${needs}`,
  );
}

await main(async () => {
  const options = parse();
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const own = options["own-build"] ? targetOf(ownPlatform()) : undefined;
  const isOwn = ({ name }) => name === own?.name;
  const built = builtTargets().filter((target) => !isOwn(target));
  const targets = own === undefined ? built : [own, ...built];
  if (options.complete) requireAll(targets);
  const out = resolve(options.out);
  mkdirSync(out, { recursive: true });
  // Archives of an earlier run would be published with these.
  for (const name of readdirSync(out)) if (name.endsWith(".tgz")) rmSync(join(out, name));
  const work = join(out, ".work");
  await show(process.execPath, [join(root, "scripts", "prepack.mjs")], {
    cwd: root,
    failure: "the JavaScript of the package could not be built",
  });
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  try {
    for (const target of targets) {
      const folder = join(work, target.name);
      const from = isOwn(target)
        ? copyOwnBuild(root, join(work, "own"))
        : join(root, "prebuilds", target.name);
      const facts = stageLibraries(root, manifest, target, { from, folder });
      const limit = target.backend === undefined ? LIMITS.platform : LIMITS.gpu;
      report(pack(folder, out, limit), facts);
    }
    const platforms = targets.map(({ name }) => name).filter((name) => name in PLATFORMS);
    const folder = join(work, manifest.name);
    stageMain(root, manifest, platforms, folder);
    report(pack(folder, out, LIMITS.main));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
