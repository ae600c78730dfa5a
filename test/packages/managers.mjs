// Rows of package managers: each installs the packages from the local registry, with install
// scripts off or blocked and no compiler on PATH, and runs a program.
import { join } from "node:path";
import { BuildError, capture } from "../../scripts/build/process.mjs";
import { HELLO } from "../../scripts/packages/programs.mjs";
import { FAILING } from "./programs.mjs";
import { bareEnvironment, expectText, nodeOf, project, run, tool } from "./support.mjs";

const MANIFEST = { name: "user", private: true, type: "module" };

const npmSettings = (registry) => ({ ".npmrc": `registry=${registry}\nignore-scripts=true\n` });

const yarnSettings = (registry, linker) => ({
  "yarn.lock": "",
  ".yarnrc.yml": [
    `npmRegistryServer: "${registry}"`,
    `unsafeHttpWhitelist: ["127.0.0.1"]`,
    `nodeLinker: ${linker}`,
    "enableScripts: false",
    "enableTelemetry: false",
    "enableImmutableInstalls: false",
    // Nothing of the user's cache, nor of an earlier run.
    `globalFolder: "./.yarn/global"`,
    "",
  ].join("\n"),
});

function yarn(linker) {
  return {
    make: () => ({
      start: [process.execPath, join(tool("@yarnpkg/cli-dist@4"), "bin", "yarn.js")],
    }),
    add: ["add"],
    settings: (registry) => yarnSettings(registry, linker),
    hello: ["node", "hello.mjs"],
  };
}

/** The program of a package manager, how it adds a package, and how it runs a script. */
const MANAGERS = {
  "npm 11": {
    make: () => ({ start: [process.execPath, join(tool("npm@11"), "bin", "npm-cli.js")] }),
    add: ["install", "--no-audit", "--no-fund"],
    settings: npmSettings,
  },
  "npm 12": {
    // It does not run on Node 20. Scripts are not turned off, because it runs none by default.
    make: () => {
      const node = nodeOf(22);
      return { node, start: [node, join(tool("npm@12"), "bin", "npm-cli.js")] };
    },
    add: ["install", "--no-audit", "--no-fund"],
    settings: (registry) => ({ ".npmrc": `registry=${registry}\n` }),
  },
  "pnpm 10": {
    make: () => ({ start: [process.execPath, join(tool("pnpm@10"), "bin", "pnpm.cjs")] }),
    add: ["add", "--store-dir", "./store"],
    settings: npmSettings,
  },
  "pnpm 12": {
    make: () => ({ start: [join(tool("@pnpm/exe.linux-x64@12"), "pnpm")] }),
    add: ["add", "--store-dir", "./store"],
    settings: npmSettings,
  },
  "yarn 4, node_modules": yarn("node-modules"),
  "yarn 4, Plug'n'Play": yarn("pnp"),
  Bun: {
    make: () => ({ start: [join(tool("@oven/bun-linux-x64@1"), "bin", "bun")] }),
    add: ["add", "--cache-dir", "./store"],
    settings: npmSettings,
  },
};

const seconds = (from, to) => `${((to - from) / 1000).toFixed(1)} s`;

async function installAndRun(folder, manager, { registry, version }) {
  const { start, node = process.execPath } = manager.make();
  const [program, ...first] = start;
  const user = project(folder, {
    "package.json": MANIFEST,
    "hello.mjs": HELLO,
    ...manager.settings(registry),
  });
  const options = { cwd: user, env: bareEnvironment(join(folder, ".env"), node) };
  const release = capture(program, [...first, "--version"], options).stdout.trim();
  const begun = performance.now();
  await run(program, [...first, ...manager.add, `r1-native@${version}`], options);
  const installed = performance.now();
  const hello =
    manager.hello === undefined
      ? await run(node, ["hello.mjs"], options)
      : await run(program, [...first, ...manager.hello], options);
  const ended = performance.now();
  expectText(hello.output, /^hello: .*2/m);
  return [release, `install ${seconds(begun, installed)}`, `hello ${seconds(installed, ended)}`];
}

/** Flags of npm with which the addon is left out. */
const FAULTS = {
  "optional dependencies left out": ["--omit=optional"],
  "installed for another system": ["--os=darwin", "--cpu=arm64"],
};

const FAILING_PROJECT = { "package.json": MANIFEST, "failing.mjs": FAILING };

/** An install without the addon ends with the command to run, and that command helps. */
async function explains(folder, flags, { registry, version, platform }) {
  const user = project(folder, { ...FAILING_PROJECT, ...npmSettings(registry) });
  const options = { cwd: user, env: bareEnvironment(join(folder, ".env")) };
  await run("npm", ["install", `r1-native@${version}`, "--no-audit", ...flags], options);
  const { output } = await run(process.execPath, ["failing.mjs"], options);
  const command = `npm install --include=optional --save-optional ${platform}@${version}`;
  if (!output.startsWith("ADDON_MISSING: ") || !output.includes(`\`${command}\``))
    throw new BuildError(`the error does not name "${command}": ${output}`);
  await run("npm", [...command.split(" ").slice(1), "--no-audit"], options);
  const after = await run(process.execPath, ["failing.mjs"], options);
  expectText(after.output, /^no error$/m);
  return "the error's command was run";
}

/** Faults of an install that works: another version of the platform's package, and --no-addons. */
async function refuses(folder, { registry, version, platform }) {
  const user = project(folder, { ...FAILING_PROJECT, ...npmSettings(registry) });
  const options = { cwd: user, env: bareEnvironment(join(folder, ".env")) };
  await run("npm", ["install", `r1-native@${version}`, "--no-audit"], options);
  const off = await run(process.execPath, ["--no-addons", "failing.mjs"], options);
  expectText(off.output, /^ADDON_MISSING: .*without `--no-addons`/);
  project(join(user, "node_modules", platform), {
    "package.json": {
      name: platform,
      version: "0.0.1",
      exports: { "./r1-native.node": "./r1-native.node" },
    },
  });
  const { output } = await run(process.execPath, ["failing.mjs"], options);
  expectText(output, /^ADDON_MISSING: .*is version 0\.0\.1, and r1-native is version/);
  return "one error each";
}

/** The rows of this file: a name, and what is done in a folder of its own. */
export const rows = [
  ...Object.entries(MANAGERS).map(([name, manager]) => [
    name,
    // A folder whose name is not ASCII.
    (folder, context) => installAndRun(`${folder} é`, manager, context),
  ]),
  ...Object.entries(FAULTS).map(([name, flags]) => [
    name,
    (folder, context) => explains(folder, flags, context),
  ]),
  ["another version; --no-addons", refuses],
];
