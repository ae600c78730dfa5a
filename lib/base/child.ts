// Programs of this package in processes of their own: how they are started, and how their end reads. Runs on the JavaScript thread that starts them.
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { R1Error } from "./errors.js";

/** Last characters of a child's error output that are kept. */
const TAIL = 8000;

/** A started program. */
export interface Program {
  readonly child: ChildProcess;
  /** The end of what it wrote to standard error. */
  readonly tail: () => string;
}

/**
 * The URL of a compiled module beside another one. Where the sources run in place, as under a test
 * runner, it is the one in `dist`, since a child of Node alone cannot read TypeScript.
 *
 * @param name - Relative, with `./` and `.js`.
 * @param from - `import.meta.url` of the module that asks.
 */
export function builtModule(name: string, from: string): URL {
  const isSource = from.endsWith(".ts");
  return new URL(name, isSource ? from.replace(/\/lib\/(?!.*\/lib\/)/, "/dist/") : from);
}

/**
 * Starts a process.
 *
 * @throws {R1Error} `RESOURCE_EXHAUSTED` where the system gives none: too few descriptors, processes or memory.
 */
export function started(start: () => ChildProcess): ChildProcess {
  let cause: unknown;
  try {
    const child = start();
    if (child.pid !== undefined) return child;
    // Its streams and its channel were not made; the event tells what is known by now.
    child.on("error", () => undefined);
  } catch (error) {
    cause = error;
  }
  throw new R1Error(
    "RESOURCE_EXHAUSTED",
    "No process could be started: the system gives no more descriptors, processes or memory. Close what is open, or raise the limits (ulimit -n, ulimit -u, pids of the container), and try again.",
    cause === undefined ? {} : { cause },
  );
}

const running = new Set<ChildProcess>();

function wakeAll(): void {
  for (const child of running) child.kill("SIGCONT");
}

/** A child that somebody stopped would never see that its parent is gone: it is let go on at this process's exit, and then ends by itself. */
function wakeAtExit(child: ChildProcess): void {
  if (running.size === 0) process.on("exit", wakeAll);
  running.add(child);
  child.once("exit", () => {
    running.delete(child);
    if (running.size === 0) process.removeListener("exit", wakeAll);
  });
}

/**
 * Starts a module of this package as a process of its own, connected by a channel that copies typed arrays.
 * No flags of the parent's: an inspector's port would be taken, and loaders of a test runner have no business there.
 *
 * @param flags - Node's own flags for it.
 * @throws {R1Error} `RESOURCE_EXHAUSTED`
 */
export function startProgram(module: URL, flags: readonly string[] = []): Program {
  const { NODE_OPTIONS: _flags, ...env } = process.env;
  const child = started(() =>
    fork(fileURLToPath(module), {
      execArgv: [...flags],
      env,
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    }),
  );
  wakeAtExit(child);
  let tail = "";
  child.stderr
    ?.setEncoding("utf8")
    .on("data", (text: string) => (tail = (tail + text).slice(-TAIL)));
  return { child, tail: () => tail };
}

/** How a process ended, as the end of a sentence that begins with its name. */
export function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with exit code ${code ?? 0}` : `was ended by ${signal}`;
}

/** The line that tells why: that of an abort in ggml (its file and line come first), else the last one written; empty if nothing was. */
export function lastWords(tail: string): string {
  const lines = tail
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return (
    lines.findLast((line) => /^\S+\.(?:c|cpp|cc|cu|h|m|mm|inc):\d+: /.test(line)) ??
    lines.at(-1) ??
    ""
  );
}
