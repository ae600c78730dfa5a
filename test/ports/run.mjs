// `npm run test:arm64` and `npm run test:windows`: runs the programs of this folder on the build for
// another platform, under an emulator, and reports what passed.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError, main } from "../../scripts/build/process.mjs";
import { CASES } from "./cases.mjs";
import { emulate, TARGETS, thisMachine } from "./emulators.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

const USAGE = `usage: node test/ports/run.mjs ${TARGETS.join("|")} [CASE ...]

Cases: ${Object.keys(CASES).join(", ")}. Without one all run. R1_KEEP_FILES=1 keeps their folders.`;

function readWords([target, ...names]) {
  const unknown = names.filter((name) => !Object.hasOwn(CASES, name));
  if (!TARGETS.includes(target) || unknown.length > 0) throw new BuildError(USAGE);
  return { target, names: names.length > 0 ? names : Object.keys(CASES) };
}

function requireBuild(target) {
  if (!existsSync(join(root, "prebuilds", target, "r1-native.node")))
    throw new BuildError(
      `there is no build for ${target}; make it: node scripts/build.mjs --target=${target}.`,
    );
  if (!existsSync(join(root, "dist", "index.js")))
    throw new BuildError("the library is not compiled; run npm run build:ts.");
}

async function attempt(name, machines, folder) {
  const begin = performance.now();
  mkdirSync(folder);
  let outcome;
  try {
    outcome = { passed: true, words: await CASES[name](machines, folder) };
  } catch (error) {
    outcome = { passed: false, words: error.message };
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const mark = outcome.passed ? "passed" : "FAILED";
  console.log(`${mark}  ${name.padEnd(10)} ${seconds.padStart(6)} s  ${outcome.words}`);
  return outcome.passed;
}

await main(async () => {
  const { target, names } = readWords(process.argv.slice(2));
  requireBuild(target);
  const port = await emulate(target);
  const machines = { port, own: thisMachine() };
  const folder = mkdtempSync(join(tmpdir(), `r1-native-${target}-`));
  let passed = 0;
  try {
    for (const name of names) if (await attempt(name, machines, join(folder, name))) passed++;
  } finally {
    port.stop();
    if (process.env.R1_KEEP_FILES === "1") console.log(`The files are in ${folder}.`);
    else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  console.log(`${target}: ${passed} of ${names.length} passed`);
  if (passed < names.length) process.exitCode = 1;
});
