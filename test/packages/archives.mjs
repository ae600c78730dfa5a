// The archives that the tests of packages install: those in the folder that R1_PACKAGES names, or
// new ones of this machine's own build.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BuildError, capture } from "../../scripts/build/process.mjs";
import { root } from "./support.mjs";

/** An archive, and the manifest in it. */
export function readArchive(file) {
  const { ok, stdout, stderr } = capture("tar", ["-xzOf", file, "package/package.json"]);
  if (!ok) throw new BuildError(`cannot read ${file}: ${stderr.trim()}`);
  return { file, manifest: JSON.parse(stdout) };
}

/** Makes the archives if none are given; returns their folder, and each file with its manifest. */
export function archives(work) {
  const given = process.env.R1_PACKAGES;
  const folder = given ?? join(work, "packages");
  if (given === undefined) {
    const script = join(root, "scripts", "packages.mjs");
    const made = capture(process.execPath, [script, "--own-build", "--out", folder], { cwd: root });
    if (!made.ok) throw new BuildError(`the packages could not be made:\n${made.stderr}`);
  }
  const found = readdirSync(folder)
    .filter((name) => name.endsWith(".tgz"))
    .map((name) => readArchive(join(folder, name)));
  if (!found.some(({ manifest }) => manifest.name === "r1-native"))
    throw new BuildError(`there is no archive of r1-native in ${folder}.`);
  return { folder, packages: found };
}
