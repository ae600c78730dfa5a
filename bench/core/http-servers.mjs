// Starts the servers that the trial `serve` compares, each as the program that a user starts, with
// the same model, sequences and context. Runs in the main process.
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { tool } from "../drivers/upstream.mjs";
import { startProgram } from "./processes.mjs";
import { freePort } from "../../scripts/free-port.mjs";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));

/** Flags that mean the same to both. */
function common({ path, threads, sequences, contextSize, port }) {
  const flags = {
    "-m": path,
    "-t": threads,
    "-np": sequences,
    "-c": contextSize,
    "-b": 2048,
    "-ub": 512,
    "--host": "127.0.0.1",
    "--port": port,
  };
  return Object.entries(flags).flat();
}

const PROGRAMS = {
  "r1-native": (bench, config) => [
    process.execPath,
    `${bench.dist ?? dist}/cli/main.js`,
    "serve",
    ...common(config),
    "--log-disable",
    "--max-running-per-key",
    1024,
  ],
  "llama-server": (bench, config) => [
    tool(bench, "llama-server"),
    ...common(config),
    "-kvu",
    "-fit",
    "off",
    "--cache-ram",
    0,
    "--metrics",
  ],
};

/** Processor time of a process so far. Unit: milliseconds. `thread`: of its main thread alone. */
export function processorMs(pid, thread = false) {
  const threads = thread ? [pid] : readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, id) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8").split(" ");
    return sum + Number(nanoseconds) / 1e6;
  }, 0);
}

/** Resident memory of a process. Unit: bytes. */
export function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;
}

/** Starts a server and waits until it is healthy. @param config - path, sequences, contextSize. */
export async function startServer(bench, name, config) {
  const port = await freePort();
  const settings = { threads: bench.threads, ...config, port };
  const [program, ...args] = PROGRAMS[name](bench, settings);
  const child = startProgram(program, args.map(String));
  const base = `http://127.0.0.1:${port}`;
  for (;;) {
    bench.signal.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    const response = await fetch(`${base}/health`).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok) break;
    await sleep(20);
  }
  return {
    base,
    pid: child.pid,
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
