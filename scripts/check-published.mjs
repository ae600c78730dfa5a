// `npm run check:published -- VERSION`: installs a published version from npm's registry into an
// empty folder, without scripts, and runs it from ESM, from require() and with the command. A new
// version may take minutes until every installer sees it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuildError, capture, main } from "./build/process.mjs";
import { ENTRIES, HELLO, HELLO_CJS } from "./packages/programs.mjs";

const shell = process.platform === "win32";
const PROGRAMS = { "esm.mjs": HELLO, "entries.mjs": ENTRIES, "require.cjs": HELLO_CJS };

/** How often an install is tried, and the time between two tries. Unit: milliseconds. */
const TRIES = 20;
const WAIT_MS = Number(process.env.R1_PUBLISHED_WAIT_MS ?? 30_000);

function run(command, args, folder) {
  const { ok, stdout, stderr } = capture(command, args, { cwd: folder, shell });
  const line = [command, ...args].join(" ");
  if (!ok) throw new BuildError(`${line} failed: ${stdout.slice(-500)}${stderr.trim()}`);
  return stdout.trim();
}

async function install(spec, folder) {
  for (let left = TRIES; ; left--) {
    try {
      return run("npm", ["install", spec, "--ignore-scripts", "--no-audit", "--no-fund"], folder);
    } catch (error) {
      if (left <= 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }
}

await main(async () => {
  const [version] = process.argv.slice(2);
  if (version === undefined)
    throw new BuildError("expected a version, as in: npm run check:published -- 0.2.0");
  const folder = mkdtempSync(join(tmpdir(), "r1-published-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    await install(`r1-native@${version}`, folder);
    for (const [name, text] of Object.entries(PROGRAMS)) {
      writeFileSync(join(folder, name), text);
      console.log(`${name}: ${run(process.execPath, [name], folder)}`);
    }
    const shown = run("npx", ["--offline", "r1-native", "--version"], folder);
    if (!shown.includes(version)) throw new BuildError(`r1-native --version says: ${shown}`);
    console.log(`npx r1-native --version: ${shown}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
