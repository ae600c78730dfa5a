// Runs the fuzzers of this folder one after the other: `npm run test:fuzz -- --help`. Each is a
// module NAME.fuzz.mjs; what it exports is written in test/fuzz/README.md.
import { randomInt } from "node:crypto";
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { randomFrom } from "./random.mjs";

const HELP = `usage: npm run test:fuzz -- [options]

  --minutes N     time for all fuzzers together (default 4); each tries 40 inputs at least
  --count N       inputs for each fuzzer, whatever time they take
  --only A,B      these fuzzers
  --seed N        repeat a run; without it each run has a fresh seed, which is printed
  --show N        failures of each fuzzer that are printed (default 5)
  --list          print the names of the fuzzers

SIGINT and SIGTERM end the run: inputs under way are finished, and what was tried is printed.
`;

const folder = dirname(fileURLToPath(import.meta.url));
const SUFFIX = ".fuzz.mjs";
/** Inputs of each fuzzer, whatever the time: some take seconds to start. */
const LEAST = 40;
/** Printed characters of a failure: some inputs have millions. */
const LONGEST_LINE = 3000;
const cut = (text) => (text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}...` : text);

function parse() {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "4" },
      count: { type: "string" },
      only: { type: "string" },
      seed: { type: "string" },
      show: { type: "string", default: "5" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const positive = (name, isWhole) => {
    if (values[name] === undefined) return undefined;
    const number = Number(values[name]);
    if (!(number > 0) || (isWhole && !Number.isSafeInteger(number)))
      throw new Error(`--${name} takes a positive number, not "${values[name]}"`);
    return number;
  };
  return {
    ...values,
    minutes: positive("minutes", false),
    count: positive("count", true),
    seed: positive("seed", true),
    show: positive("show", true),
  };
}

let isStopped = false;
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => (isStopped = true));

async function runOne(name, seed, milliseconds, { count, show }) {
  const { fuzz } = await import(`./${name}${SUFFIX}`);
  const started = performance.now();
  const deadline = count === undefined ? started + milliseconds : Infinity;
  const result = await fuzz({
    random: randomFrom(seed),
    seed,
    isOver: (tried) =>
      isStopped ||
      (count === undefined ? tried >= LEAST && performance.now() >= deadline : tried >= count),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const { tried, failures, note } = result;
  console.log(
    `${failures.length === 0 ? "ok  " : "FAIL"} ${name}: seed ${seed}, ${tried} inputs in ${seconds} s, ` +
      `${failures.length} failed${note === undefined ? "" : `; ${note}`}`,
  );
  for (const failure of failures.slice(0, show)) console.log(`     ${cut(failure)}`);
  if (failures.length > show) console.log(`     ... and ${failures.length - show} more`);
  if (tried === 0) console.log("     no input was tried in its time");
  return failures.length === 0 && tried > 0;
}

let options;
try {
  options = parse();
} catch (error) {
  console.error(`${error.message}\n\n${HELP}`);
  process.exit(2);
}
if (options.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const all = readdirSync(folder)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length))
  .sort();
if (options.list) {
  console.log(all.join("\n"));
  process.exit(0);
}
const names = options.only?.split(",") ?? all;
const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`There is no fuzzer ${unknown.join(", ")}; there are ${all.join(", ")}.`);
  process.exit(2);
}
let passed = 0;
let failed = 0;
for (const name of names) {
  if (isStopped) break;
  const seed = options.seed ?? randomInt(1, 2 ** 32);
  let isGood = false;
  try {
    isGood = await runOne(name, seed, (options.minutes * 60_000) / names.length, options);
  } catch (error) {
    console.log(`FAIL ${name}: seed ${seed}, the fuzzer itself failed: ${error.stack}`);
  }
  if (isGood) passed += 1;
  else failed += 1;
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
