// The row of a release: the archives are published to an empty registry by the script of the
// workflow, and what was published is installed and run by the workflow's next script.
import { join } from "node:path";
import { BuildError } from "../../scripts/build/process.mjs";
import { startRegistry } from "./registry.mjs";
import { cleanEnvironment, expectText, project, root, run } from "./support.mjs";

async function publish(folder, { version, archiveFolder }) {
  const registry = await startRegistry([]);
  try {
    const { host } = new URL(registry.address);
    project(folder, { npmrc: `registry=${registry.address}\n//${host}/:_authToken=token\n` });
    const env = {
      ...cleanEnvironment(),
      npm_config_userconfig: join(folder, "npmrc"),
      npm_config_cache: join(folder, "cache"),
    };
    const script = (name, ...args) =>
      run(process.execPath, [join(root, "scripts", name), ...args], { env, cwd: folder });
    await script("publish.mjs", archiveFolder);
    const order = [...registry.published];
    if (order.length < 2 || order.at(-1) !== "r1-native")
      throw new BuildError(`r1-native is not the last one: ${order.join(", ")}`);
    const again = await script("publish.mjs", archiveFolder);
    expectText(again.text, /r1-native@\S+ is published already/);
    if (registry.published.length !== order.length)
      throw new BuildError("a package was published twice.");
    const tried = await script("check-published.mjs", version);
    expectText(tried.text, /esm\.mjs: hello.*require\.cjs: hello.*npx r1-native --version: /s);
    return `published ${order.length}, again none, installed and run`;
  } finally {
    registry.close();
  }
}

export const rows = [["publish, install, run", publish]];
