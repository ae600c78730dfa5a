// Runs Node programs of another platform on this machine: Node for 64-bit ARM under QEMU, Node for
// Windows under Wine. Node itself comes from npm, by name and integrity (node.lock.json).
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchPackage } from "../../scripts/build/npm-package.mjs";
import { BuildError, capture, which } from "../../scripts/build/process.mjs";

const folder = dirname(fileURLToPath(import.meta.url));
const cache = join(folder, ".cache");
const LOCK = "test/ports/node.lock.json";

/** The program of Node for a platform; fetched at the first call. */
async function nodeOf(target, log) {
  const lock = JSON.parse(readFileSync(join(folder, "node.lock.json"), "utf8"))[target];
  const kept = join(cache, lock.package);
  const program = join(kept, lock.program);
  if (existsSync(program)) return program;
  const work = join(cache, `.tmp-${process.pid}`);
  mkdirSync(join(work, "files"), { recursive: true });
  try {
    log(`r1-native: fetching ${lock.package} (about 40 MB, once)`);
    const archive = await fetchPackage(lock, { into: work, lockName: LOCK });
    const { ok, stderr } = capture("tar", [
      "-xzf",
      archive,
      "-C",
      join(work, "files"),
      lock.program,
    ]);
    if (!ok) throw new BuildError(`could not unpack ${lock.package}: ${stderr.trim()}`);
    chmodSync(join(work, "files", lock.program), 0o755);
    rmSync(kept, { recursive: true, force: true });
    renameSync(join(work, "files"), kept);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

function requireProgram(name, packages) {
  if (!which(name))
    throw new BuildError(
      `${name} is needed to run these tests; on Debian: sudo apt-get install ${packages}.`,
    );
}

/**
 * Starts a program with its output in files, because pipes for standard output fail in Node under
 * Wine.
 *
 * @returns The process, and a promise of its end: exit code and output.
 */
function start(command, words, { env, cwd, log }) {
  const names = [`${log}.out`, `${log}.err`];
  const files = names.map((name) => openSync(name, "w"));
  const child = spawn(command, words, { cwd, env, stdio: ["ignore", ...files] });
  for (const file of files) closeSync(file);
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const [stdout, stderr] = names.map((name) => readFileSync(name, "utf8"));
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { child, ended };
}

/** Settings that a test's programs must not inherit from this machine's user. */
function cleanEnvironment() {
  const own = /^(npm_|NODE_|R1_|HF_|HUGGINGFACE_|LLAMA_|GGML_|XDG_|VITEST)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

// node-gyp-build: not the build of this machine in build/Release.
const COMMON = { PREBUILDS_ONLY: "1" };

/** This machine's own Node, with its own build of the addon, for comparison. */
export function thisMachine() {
  return {
    name: `${process.platform}-${process.arch}`,
    path: (path) => path,
    start: (words, { env = {}, ...options }) =>
      start(process.execPath, words, { ...options, env: { ...cleanEnvironment(), ...env } }),
    stop: () => undefined,
  };
}

async function arm64(log) {
  requireProgram("qemu-aarch64-static", "qemu-user-static");
  if (!existsSync("/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1"))
    throw new BuildError(
      "the C library for 64-bit ARM is needed; on Debian: sudo apt-get install g++-aarch64-linux-gnu.",
    );
  const node = await nodeOf("linux-arm64", log);
  // Children are started by this machine's system, which runs no ARM program by itself.
  const wrapper = join(cache, "node-arm64");
  writeFileSync(wrapper, `#!/bin/sh\nexec qemu-aarch64-static "${node}" "$@"\n`, { mode: 0o755 });
  const env = {
    ...cleanEnvironment(),
    ...COMMON,
    QEMU_LD_PREFIX: "/usr/aarch64-linux-gnu",
    R1_TEST_NODE: wrapper,
  };
  return {
    name: "linux-arm64",
    path: (path) => path,
    node,
    start: (words, { program = node, ...options }) =>
      start("qemu-aarch64-static", [program, ...words], {
        ...options,
        env: { ...env, ...options.env },
      }),
    stop: () => undefined,
  };
}

/** The path by which programs under Wine see a file of this machine. */
const winePath = (path) => `Z:${path.replaceAll("/", "\\")}`;

async function windows(log) {
  requireProgram("wine", "wine64 wine");
  const node = await nodeOf("win32-x64", log);
  // Outside this folder: it has a link to the root of this machine's files.
  const prefix = mkdtempSync(join(tmpdir(), "r1-native-wine-"));
  const env = {
    ...cleanEnvironment(),
    ...COMMON,
    WINEPREFIX: prefix,
    WINEDEBUG: "-all",
    WINEARCH: "win64",
    // Wine asks to install parts for web pages and .NET otherwise.
    WINEDLLOVERRIDES: "mscoree,mshtml=",
  };
  const version = ["reg", "add", "HKCU\\Software\\Wine", "/v", "Version", "/d", "win10", "/f"];
  for (const words of [["wineboot", "--init"], version]) {
    const { status, signal, error } = spawnSync("wine", words, {
      env,
      timeout: 300_000,
      stdio: "ignore",
    });
    if (status !== 0)
      throw new BuildError(
        `wine ${words.join(" ")} ended with ${error?.message ?? signal ?? `exit code ${status}`}; ` +
          "it makes the folder in which Windows programs run.",
      );
  }
  return {
    name: "win32-x64",
    path: winePath,
    node,
    start: (words, { program = node, ...options }) =>
      start("wine", [program, ...words], { ...options, env: { ...env, ...options.env } }),
    // Otherwise its services keep running for a while.
    stop: () => {
      capture("wineserver", ["-k"], { env, timeout: 30_000 });
      capture("wineserver", ["-w"], { env, timeout: 30_000 });
      rmSync(prefix, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const PORTS = { "linux-arm64": arm64, "win32-x64": windows };

/** The platforms whose programs can be run here. */
export const TARGETS = Object.keys(PORTS);

/** A machine of another platform: `start` runs its Node, `path` names this machine's files there. */
export function emulate(target, log = console.error) {
  return PORTS[target](log);
}
