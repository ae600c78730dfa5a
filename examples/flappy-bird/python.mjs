// Reads and runs the program of a reply with Python. Reading does not execute it. Running happens in
// bubblewrap alone: no network, no files but the system's libraries, limits on memory and time.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const FACTS = fileURLToPath(new URL("facts.py", import.meta.url));
const RUN_MS = 5000;
const MEMORY_BYTES = 2 ** 31;

/** Runs a program to its end; never rejects. */
function run(file, args, { input = "", ms }) {
  return new Promise((resolve) => {
    const options = { timeout: ms, killSignal: "SIGKILL", maxBuffer: 2 ** 26 };
    const child = execFile(file, args, options, (error, stdout, stderr) =>
      resolve({ error, code: error === null ? 0 : error.code, stdout, stderr }),
    );
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** Whether a program is in a folder of PATH. */
const isInstalled = (name) =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));

/**
 * Parses the program and returns its facts; see facts.py.
 *
 * @throws {Error} if it does not parse, or Python is not installed.
 */
export async function readProgram(code) {
  // -I: no module of the working folder; parsing executes nothing.
  const {
    error,
    code: exit,
    stdout,
    stderr,
  } = await run("python3", ["-I", FACTS], {
    input: code,
    ms: 30_000,
  });
  if (error?.code === "ENOENT") throw new Error("python3 is not installed; it parses the program.");
  if (exit === 3) throw new Error(`The program does not parse. ${stderr.trim()}`);
  if (exit !== 0) throw new Error(`python3 could not read the program. ${stderr.trim()}`);
  return JSON.parse(stdout);
}

/** bubblewrap's arguments: everything is unshared, and the system's folders are read-only. */
export function sandboxArguments(game) {
  const links = ["lib", "lib64", "bin"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]);
  return [
    ...["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"],
    ...["--ro-bind", "/usr", "/usr", ...links],
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp"],
    ...["--ro-bind", game, "/game.py"],
    ...["--setenv", "SDL_VIDEODRIVER", "dummy", "--setenv", "SDL_AUDIODRIVER", "dummy"],
    "--",
    ...["/usr/bin/prlimit", `--as=${MEMORY_BYTES}`, "--cpu=10", "--nproc=64", "--fsize=1000000"],
    ...["/usr/bin/python3", "-I", "/game.py"],
  ];
}

/**
 * Runs the program for a few seconds without a display. Returns how long it ran.
 *
 * @throws {Error} if it failed, or the sandbox cannot be made: it never runs outside of one.
 */
export async function runProgram(code) {
  if (!isInstalled("bwrap"))
    throw new Error(
      "The program was not run: bubblewrap (bwrap) is not installed, and it runs in this sandbox " +
        "or not at all. Install it, for example with apt install bubblewrap.",
    );
  const folder = mkdtempSync(join(tmpdir(), "flappy-bird-"));
  const game = join(folder, "game.py");
  try {
    writeFileSync(game, code);
    const from = performance.now();
    const { error, stderr } = await run("bwrap", sandboxArguments(game), { ms: RUN_MS });
    const seconds = (performance.now() - from) / 1000;
    // A game that is still running when its time is over has not failed.
    if (error === null || error.killed === true) return seconds;
    const lines = stderr.trim().split("\n");
    const missing = /No module named 'pygame'/.test(stderr)
      ? " Install it for /usr/bin/python3, for example with apt install python3-pygame."
      : "";
    throw new Error(`The program failed after ${seconds.toFixed(1)} s: ${lines.at(-1)}${missing}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
