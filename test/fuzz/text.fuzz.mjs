// Texts against upstream's ids, through the C++ tests of native/core: every character group that
// the pre-tokeniser tells apart, special tokens whole and cut, bytes that are no characters.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const program = join(root, "build-native", "bin", "r1_core_tests");
/** Texts of one run of the program. */
const BATCH = 5000;
const TEXTS_LINE = /NOT OK .*\n\s*(.*)/;

function runBatch(seed, texts) {
  const env = { ...process.env, R1_FUZZ_SEED: String(seed), R1_FUZZ_TEXTS: String(texts) };
  const child = spawn(program, ["text: random texts"], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, output }));
  });
}

export async function fuzz({ random, isOver }) {
  if (!existsSync(program))
    throw new Error("build the C++ tests first: npm run build:native -- --native-tests --no-run");
  const failures = [];
  let tried = 0;
  while (!isOver(tried)) {
    const seed = random.next() >>> 1;
    const { code, signal, output } = await runBatch(seed, BATCH);
    tried += BATCH;
    if (code !== 0)
      failures.push(`seed ${seed}: ${TEXTS_LINE.exec(output)?.[1] ?? `${code} ${signal}`}`);
  }
  return { tried, failures };
}
