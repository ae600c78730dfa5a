// Measures how long the public entries take to import, and how long the program takes to print its
// version and help: `node scripts/import-time.mjs [--runs 15] [--dist FOLDER]...`. Each run is a
// separate process. Runs of all subjects alternate, so that a loaded machine slows them equally.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "15" },
    dist: { type: "string", multiple: true, default: ["dist"] },
  },
});

const IMPORT = `const start = performance.now(), before = process.cpuUsage();
await import(process.argv[1]);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ wallMs: performance.now() - start, cpuMs: (user + system) / 1000 }));`;

/** Milliseconds that a fresh process takes to import a file, by the clock and of CPU time. */
function importTime(file) {
  const args = ["--input-type=module", "-e", IMPORT, pathToFileURL(file).href];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Milliseconds that a whole process takes, Node's own start included. */
function programTime(args) {
  const start = performance.now();
  // The shell's `times` reports the CPU time of its children in its last line.
  const command = ["-c", '"$@" >/dev/null; code=$?; times; exit $code', "sh", process.execPath];
  const { status, stdout } = spawnSync("/bin/sh", [...command, ...args], { encoding: "utf8" });
  const wallMs = performance.now() - start;
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}`);
  const children = stdout.trim().split("\n").at(-1) ?? "";
  const cpuMs = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
  return { wallMs, cpuMs };
}

const subjects = values.dist.flatMap((folder) => [
  ...["index", "files", "hub", "plan"]
    .map((entry) => resolve(folder, `${entry}.js`))
    .filter((file) => existsSync(file))
    .map((file) => ({ name: `import ${file}`, measure: () => importTime(file) })),
  ...["--version", "--help"].map((flag) => ({
    name: `${resolve(folder, "cli/main.js")} ${flag}`,
    measure: () => programTime([resolve(folder, "cli/main.js"), flag]),
  })),
]);
subjects.push({ name: "node -e 0", measure: () => programTime(["-e", "0"]) });

const measured = subjects.map(() => []);
for (let run = 0; run < Number(values.runs); run++)
  for (const [index, { measure }] of subjects.entries()) measured[index].push(measure());

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
for (const [index, { name }] of subjects.entries()) {
  const [wall, cpu] = ["wallMs", "cpuMs"].map((key) => measured[index].map((one) => one[key]));
  const figures = [median(wall), Math.min(...wall), median(cpu), Math.min(...cpu)];
  const [wallMedian, wallLeast, cpuMedian, cpuLeast] = figures.map((ms) => ms.toFixed(0));
  console.log(
    `${name}: ${wallMedian} ms (least ${wallLeast}), CPU ${cpuMedian} ms (least ${cpuLeast})`,
  );
}
