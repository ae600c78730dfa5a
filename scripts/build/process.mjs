// Runs programs for the build scripts, and defines their only error: one sentence without a stack
// trace.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A failure the user can act on; its message is the whole report. */
export class BuildError extends Error {}

/** Runs the body of a script; a BuildError becomes one line on stderr and exit code 1. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`r1-native: ${error.message}`);
    process.exitCode = 1;
  }
}

/**
 * Returns the full path of a program on PATH, or undefined. A name with a slash is used unchanged.
 */
export function which(name, env = process.env) {
  const places = name.includes("/") ? [""] : (env.PATH ?? "").split(delimiter).filter(Boolean);
  for (const place of places) {
    const path = place === "" ? name : join(place, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not there, or not ours to run
    }
  }
  return undefined;
}

/** Runs a program to its end and collects its output. */
export function capture(command, args, options = {}) {
  const run = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  return {
    ok: run.status === 0,
    stdout: run.stdout ?? "",
    stderr: run.stderr ?? String(run.error ?? ""),
    missing: run.error?.code === "ENOENT",
  };
}

/**
 * Runs a program to its end and shows its output. Ctrl-C reaches the program too and ends both.
 * `failure` is the sentence of the BuildError if the program fails.
 */
export function show(command, args, { failure, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", ...options });
    child.on("error", (error) => reject(new BuildError(`${failure} (${error.message})`)));
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new BuildError(signal === null ? failure : `${failure} (ended by ${signal})`));
    });
  });
}
