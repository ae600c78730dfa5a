// `npm run prebuild`: builds an addon for every CPU of this platform into
// prebuilds/<platform>-<arch>[-musl]/, with prebuildify and the same CMake build.
import { existsSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { collect } from "./build/collect.mjs";
import { filesBelow } from "./build/files.mjs";
import { copyOpenMP } from "./build/openmp.mjs";
import { main, show } from "./build/process.mjs";
import { requireTools } from "./build/tools.mjs";
import { checkLibraries } from "./packages/libraries.mjs";
import { ownPlatform, targetOf } from "./packages/targets.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
/** Where prebuildify puts the build. */
const made = `${platform()}-${arch()}`;
/** Builds for musl have a folder of their own: their libraries are named as those for glibc. */
const name = ownPlatform();
const folder = join(root, "prebuilds", name);

await main(async () => {
  requireTools({ nodeGyp: true });
  rmSync(folder, { recursive: true, force: true });
  // Node-API 8, so one target works for every Node.
  await show(
    process.execPath,
    [
      require.resolve("prebuildify/bin.js"),
      "--napi",
      "--strip",
      `--target=${process.versions.node}`,
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        R1_PORTABLE: "1",
        npm_config_nodedir: join(root, "scripts", "build", "nodedir"),
      },
      failure: "prebuildify failed; the output above says why",
    },
  );
  // prebuildify builds in the folder of the machine's own build: restore that, or remove it.
  rmSync(join(root, "build"), { recursive: true, force: true });
  const own = join(root, "build-native", "bin");
  if (existsSync(join(own, "r1_native.node"))) collect(own, join(root, "build", "Release"));
  if (name !== made) renameSync(join(root, "prebuilds", made), folder);
  copyOpenMP(folder);
  const glibc = checkLibraries(folder, targetOf(name));
  const needs = glibc === undefined ? "" : `; they need glibc ${glibc}`;
  console.error(`r1-native: ${filesBelow(folder, /./).length} files in prebuilds/${name}${needs}`);
});
