// Measures how long the program takes to show its version, its help and a completion, next to Node
// itself: `node bench/start-up.mjs [ROUNDS]` after a build, on a quiet machine. The subjects take
// turns, so that a change of the machine's load meets all of them; medians are printed.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const rounds = Number(process.argv[2] ?? 20);
/** The median that counts as quick. Unit: milliseconds. */
const BAR_MS = 150;

const SUBJECTS = {
  "node -e 0": ["-e", "0"],
  "r1-native --version": [program, "--version"],
  "r1-native --help": [program, "--help"],
  "r1-native complete -- ins": [program, "complete", "--", "ins"],
  "r1-native complete -- chat --te": [program, "complete", "--", "chat", "--te"],
  "r1-native complete bash": [program, "complete", "bash"],
};

const times = new Map(Object.keys(SUBJECTS).map((name) => [name, []]));
for (let round = -1; round < rounds; round++)
  for (const [name, args] of Object.entries(SUBJECTS)) {
    const from = performance.now();
    const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
    if (status !== 0) throw new Error(`${name} failed`);
    // The first round fills the system's caches.
    if (round >= 0) times.get(name).push(performance.now() - from);
  }

for (const [name, all] of times) {
  const sorted = all.sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const worst = sorted.at(-1);
  console.log(
    `${name.padEnd(34)} median ${median.toFixed(0).padStart(4)} ms, worst ${worst.toFixed(0)} ms` +
      `${median > BAR_MS ? `, over ${BAR_MS} ms` : ""}`,
  );
}
