// The package's install script: node-gyp-build uses a working binary, or builds one through
// binding.gyp. Reports a missing tool first, and saves node-gyp its download.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { main, show } from "./build/process.mjs";
import { requireTools } from "./build/tools.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);

/**
 * node-gyp reads two files of Node's headers before it looks at binding.gyp; these stand in for
 * them, since our build needs no header of Node's.
 */
const nodedir = join(root, "scripts", "build", "nodedir");

function hasWorkingBinary() {
  if (process.env.npm_config_build_from_source === "true") return false;
  return (
    spawnSync(process.execPath, [require.resolve("node-gyp-build/build-test.js")], {
      cwd: root,
      stdio: "ignore",
    }).status === 0
  );
}

await main(async () => {
  if (hasWorkingBinary()) return;
  requireTools({ nodeGyp: true });
  await show(process.execPath, [require.resolve("node-gyp-build/bin.js")], {
    cwd: root,
    env: { ...process.env, npm_config_nodedir: nodedir },
    failure: "the build through node-gyp failed; the output above says why",
  });
});
