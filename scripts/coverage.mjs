// Shows which lines of lib/ and native/core the tests reach: `npm run coverage [-- PATTERN]`. Exits
// with the tests' code.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { filesBelow } from "./build/files.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve("vitest/package.json")), "vitest.mjs");
const objects = join(root, "build-native-coverage");

const HELP = `usage: npm run coverage [-- [--typescript | --cpp] [PATTERN ...]]

  --typescript  lines of lib/ only, by V8; PATTERN chooses test files (without one: all of them,
                as npm test runs them, which takes as long)
  --cpp         lines of native/core only, by gcov, as the C++ tests reach them
`;

/** Runs a program with its output shown; returns whether it succeeded. */
function run(command, args) {
  const { status, signal } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (signal !== null) process.kill(process.pid, signal);
  if (status !== 0) process.exitCode = status ?? 1;
  return status === 0;
}

/** Counts by file of native/core the lines that contain code, and those of them that ran. */
function countLines() {
  const lines = new Map();
  for (const data of filesBelow(objects, /\.gcda$/)) {
    const { stdout, status, error } = spawnSync("gcov", ["--json-format", "--stdout", data], {
      cwd: objects,
      encoding: "utf8",
      maxBuffer: 1 << 30,
    });
    if (status !== 0)
      throw error ?? new Error(`gcov cannot read ${data}; it must be of the compiler's version`);
    for (const part of stdout.split("\n").filter((line) => line.startsWith("{"))) {
      for (const { file, lines: found } of JSON.parse(part).files) {
        const name = relative(root, resolve(objects, file));
        if (!name.startsWith("native/core/")) continue;
        const counts = lines.get(name) ?? new Map();
        for (const { line_number: line, count } of found)
          counts.set(line, (counts.get(line) ?? 0) + count);
        lines.set(name, counts);
      }
    }
  }
  return lines;
}

function percent(reached, all) {
  return `${((100 * reached) / Math.max(1, all)).toFixed(1)} %`.padStart(8);
}

function coverCpp() {
  const build = [join(root, "scripts", "build.mjs"), "--coverage", "--no-run"];
  if (!run(process.execPath, build)) return;
  // Counters of an earlier run would be added, and do not match a changed source.
  for (const counters of filesBelow(objects, /\.gcda$/)) rmSync(counters);
  run(join(objects, "bin", "r1_core_tests"), []);
  let [reached, all] = [0, 0];
  console.log("\nLines of native/core that the C++ tests reach (gcov)\n");
  for (const [name, counts] of [...countLines()].sort(([a], [b]) => a.localeCompare(b))) {
    const hit = [...counts.values()].filter((count) => count > 0).length;
    const missed = [...counts].filter(([, count]) => count === 0).map(([line]) => line);
    console.log(`${percent(hit, counts.size)}  ${name}${ranges(missed)}`);
    reached += hit;
    all += counts.size;
  }
  console.log(`${percent(reached, all)}  of ${all} lines`);
}

/** `: 12-14, 20`, at most six of them. */
function ranges(lines) {
  const found = [];
  for (const line of lines.sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last !== undefined && line - last[1] <= 1) last[1] = line;
    else found.push([line, line]);
  }
  const texts = found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  if (texts.length === 0) return "";
  return `: ${texts.slice(0, 6).join(", ")}${texts.length > 6 ? ", ..." : ""}`;
}

const given = process.argv.slice(2);
if (given.includes("--help")) {
  process.stdout.write(HELP);
} else {
  const patterns = given.filter((word) => word !== "--typescript" && word !== "--cpp");
  if (!given.includes("--cpp")) {
    const coverage = ["--coverage.enabled", "--coverage.provider=v8", "--coverage.include=lib/**"];
    run(process.execPath, [vitest, "run", ...coverage, ...patterns]);
  }
  if (!given.includes("--typescript")) coverCpp();
}
