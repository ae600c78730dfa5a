// Starts the benchmark's child processes, communicates with them, and ends them all when the run
// ends. Runs in the benchmark's main process.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const host = fileURLToPath(new URL("../drivers/host.mjs", import.meta.url));
const running = new Set();

function track(child) {
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Ends every child that is still running. */
export async function endAll() {
  const children = [...running];
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(
    children.map((child) =>
      child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined,
    ),
  );
}

/**
 * Opens a module of drivers/ or probes/ in a child process: `call(name, argument)` calls one of its
 * exported functions there.
 * @param {string} module - path below bench/.
 */
export function openDriver(module, env = {}) {
  const child = track(
    fork(host, [module], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
      execArgv: ["--expose-gc"],
    }),
  );
  const waiting = new Map();
  let errors = "";
  let next = 0;
  child.stderr.setEncoding("utf8").on("data", (text) => (errors = (errors + text).slice(-4000)));
  child.on("message", ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(`${module}: ${error}`));
  });
  child.once("exit", (code, signal) => {
    for (const { reject } of waiting.values())
      reject(new Error(`${module} ended with ${signal ?? code}: ${errors.trim()}`));
    waiting.clear();
  });
  return {
    pid: child.pid,
    call(name, argument) {
      if (child.exitCode !== null || child.signalCode !== null)
        return Promise.reject(new Error(`${module} has ended: ${errors.trim()}`));
      return new Promise((resolve, reject) => {
        waiting.set(next, { resolve, reject });
        child.send({ id: next++, name, argument });
      });
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.disconnect();
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a program to its end and returns its standard output and error; throws if it fails. */
export async function runProgram(path, args) {
  const child = track(spawn(path, args.map(String), { stdio: ["ignore", "pipe", "pipe"] }));
  let out = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Error(`${path} ended with ${signal ?? code}: ${errors.slice(-1000)}`);
  return { out, errors };
}

/** Starts a program that runs until it is ended. */
export function startProgram(path, args) {
  return track(spawn(path, args.map(String), { stdio: ["ignore", "ignore", "ignore"] }));
}
