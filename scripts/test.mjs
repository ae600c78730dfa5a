// Builds what the tests need, then runs them: `npm test` runs all, `npm test -- PATTERN` runs the
// files whose path contains PATTERN, without building upstream's programs. Exits with vitest's
// code.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const resolved = createRequire(import.meta.url).resolve;
const vitest = join(dirname(resolved("vitest/package.json")), "vitest.mjs");
const given = process.argv.slice(2);
const isPart = given.some((word) => !word.startsWith("-"));

/** Runs a script of Node to its end; a failure ends this one with the same code. */
function run(script, args) {
  const { status, signal } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    stdio: "inherit",
  });
  if (signal !== null) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}

const build = ["--native-tests", "--no-run", ...(isPart ? [] : ["--tools"])];
run(join(root, "scripts", "build.mjs"), build);
run(resolved("typescript/bin/tsc"), ["-p", join(root, "tsconfig.json")]);
run(vitest, ["run", ...given]);
