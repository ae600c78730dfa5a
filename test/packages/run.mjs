// `npm run test:packages [-- PATTERN]`: makes the packages, serves them from a registry on this
// machine, and tries them with package managers, runtimes and bundlers, each row a claim. PATTERN
// is a part of "managers", "runtimes", "bundlers", "gpu", "release" or of a row's name.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BuildError, main } from "../../scripts/build/process.mjs";
import { archives } from "./archives.mjs";
import * as bundlers from "./bundlers.mjs";
import * as docker from "./docker.mjs";
import * as gpu from "./gpu.mjs";
import * as managers from "./managers.mjs";
import * as release from "./release.mjs";
import { startRegistry } from "./registry.mjs";
import * as runtimes from "./runtimes.mjs";
import { cleanEnvironment, project, run, withFolder } from "./support.mjs";
import { Table } from "./table.mjs";

/** Rows, and the heads of their columns. */
const GROUPS = {
  managers: [
    [...managers.rows, ...docker.rows],
    ["package manager", "version", "install", "first answer"],
  ],
  runtimes: [runtimes.rows, ["runtime", "version", "what ran"]],
  bundlers: [bundlers.rows, ["bundler", "result"]],
  gpu: [gpu.rows, ["GPU package", "result"]],
  release: [release.rows, ["release", "result"]],
};

/** A project in which r1-native is installed by this machine's npm. */
async function installed(folder, { registry, version }) {
  const user = project(folder, {
    "package.json": { name: "user", private: true, type: "module" },
    ...runtimes.files,
  });
  const flags = ["--registry", registry, "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["install", `r1-native@${version}`, ...flags], {
    cwd: user,
    env: cleanEnvironment(),
  });
  return user;
}

function selected(pattern) {
  const isWanted = (group, name) => pattern === undefined || `${group} ${name}`.includes(pattern);
  return Object.entries(GROUPS).flatMap(([group, [rows, heads]]) => {
    const wanted = rows.filter(([name]) => isWanted(group, name));
    return wanted.length === 0 ? [] : [{ rows: wanted, heads }];
  });
}

await main(async () => {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new BuildError("these tests run on Linux x64, whose programs they take from npm.");
  const groups = selected(process.argv[2]);
  if (groups.length === 0) throw new BuildError(`no row has "${process.argv[2]}" in its name.`);
  const table = new Table();
  await withFolder(async (work) => {
    const { folder: archiveFolder, packages } = archives(work);
    const { version } = packages.find(({ manifest }) => manifest.name === "r1-native").manifest;
    const registry = await startRegistry(packages);
    const context = {
      registry: registry.address,
      add: registry.add,
      version,
      platform: "@r1-native/linux-x64",
      archiveFolder,
    };
    try {
      const user = await installed(join(work, "user"), context);
      let index = 0;
      for (const { rows, heads } of groups) {
        table.head(heads);
        for (const [name, decide] of rows) {
          const folder = join(work, `row ${(index += 1)}`);
          mkdirSync(folder);
          await table.row(name, () => decide(folder, { ...context, user }));
        }
      }
    } finally {
      registry.close();
    }
  });
  table.close();
});
