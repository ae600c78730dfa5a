// Starts programs of this package as child processes, and describes how they end. Used on the
// JavaScript thread that starts them.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import { NativeHandle, NodeHandle } from "./child-handle.js";
import type { ChildEnd, ChildHandle } from "./child-handle.js";
import { nativeStarter } from "./native-starter.js";
import { R1Error } from "./errors.js";
import { needsOwnSpawn, scriptStart } from "./runtime.js";
import type { ScriptOptions, ScriptStart } from "./runtime.js";

export type { ChildEnd } from "./child-handle.js";

/** How many of the last characters of a child's error output are kept. */
const TAIL = 8000;
/** How long the error output of an ended process may stay open. Unit: milliseconds. */
const HELD_MS = 200;

/**
 * A started process. Its standard input and output are `/dev/null`. It keeps this process alive
 * until it ends, unless `unref` was called. Read `link`, otherwise its end is not noticed.
 */
export class Child {
  readonly #handle: ChildHandle;
  #tail = "";
  #hasEnded = false;
  /** Resolves when it has ended and all its error output has been read. */
  readonly ended: Promise<ChildEnd>;

  constructor(handle: ChildHandle) {
    this.#handle = handle;
    handle.errors
      .setEncoding("utf8")
      .on("data", (text: string) => (this.#tail = (this.#tail + text).slice(-TAIL)))
      .on("error", () => undefined);
    const closed = [handle.errors, handle.link].map(
      (stream) => new Promise<void>((resolve) => stream.once("close", () => resolve())),
    );
    this.ended = new Promise((resolve) => {
      handle.onEnd((end) => {
        this.#hasEnded = true;
        running.delete(this);
        if (running.size === 0) process.removeListener("exit", wakeAll);
        // A program that the child started may hold its error output open. The output of the child
        // itself is read before an immediate runs.
        const timer = setTimeout(() => setImmediate(() => handle.errors.destroy()), HELD_MS);
        void Promise.all(closed).then(() => {
          clearTimeout(timer);
          resolve(end);
        });
      });
    });
    if (running.size === 0) process.on("exit", wakeAll);
    running.add(this);
  }

  get pid(): number {
    return this.#handle.pid;
  }

  /** The socket whose other end is the child's descriptor 3. */
  get link(): Duplex {
    return this.#handle.link;
  }

  /** The end of its output to standard error. */
  get tail(): string {
    return this.#tail;
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    if (!this.#hasEnded) this.#handle.kill(signal);
  }

  ref(): void {
    this.#handle.hold(true);
  }

  unref(): void {
    this.#handle.hold(false);
  }
}

const running = new Set<Child>();

/**
 * A child that was stopped (SIGSTOP) cannot notice that its parent is gone. This continues it, and
 * it then ends by itself.
 */
function wakeAll(): void {
  // Windows has no such signal, and refuses it with an error.
  if (process.platform === "win32") return;
  for (const child of running) child.kill("SIGCONT");
}

const EXHAUSTED = ["RESOURCE_EXHAUSTED", "EAGAIN", "EMFILE", "ENFILE", "ENOMEM"];

function startFailure(cause: unknown): R1Error {
  const { code, message } = (cause ?? {}) as { code?: string; message?: string };
  const reason = message === undefined ? "" : ` (${message})`;
  if (cause === undefined || EXHAUSTED.includes(code ?? ""))
    return new R1Error(
      "RESOURCE_EXHAUSTED",
      `Cannot start a process${reason}: the system has no more descriptors, processes or ` +
        "memory. Close what is open, or raise the limits (ulimit -n, ulimit -u, pids of the " +
        "container), and try again.",
      { cause },
    );
  return new R1Error(
    "IO_FAILED",
    `Cannot start a process${reason}. Allow this process to start ${process.execPath}.`,
    { cause },
  );
}

function startByNode({ file, args, env }: ScriptStart): ChildHandle {
  let child: ChildProcess;
  try {
    child = spawn(file, args, { env, stdio: ["ignore", "ignore", "pipe", "pipe"] });
  } catch (error) {
    throw startFailure(error);
  }
  if (child.pid !== undefined) return new NodeHandle(child);
  // Its streams were not created; the event has already reported why.
  child.on("error", () => undefined);
  throw startFailure(undefined);
}

/**
 * Starts a module of this package as a child process, as {@link scriptStart} describes.
 *
 * @throws {R1Error} `RESOURCE_EXHAUSTED` if the system has no resources for a process; `IO_FAILED`
 * if it does not allow one, or this program cannot run another script.
 */
export function startChild(module: URL, options: ScriptOptions = {}): Child {
  const start = scriptStart(module, options);
  const starter = needsOwnSpawn() ? undefined : nativeStarter();
  try {
    const child = starter?.startChild({
      file: start.file,
      arguments: [...start.args],
      environment: Object.entries(start.env).map(([name, value = ""]) => `${name}=${value}`),
    });
    if (starter !== undefined && child !== undefined && child !== null)
      return new Child(new NativeHandle(starter, child));
  } catch (error) {
    throw startFailure(error);
  }
  return new Child(startByNode(start));
}

/**
 * Returns the URL of a compiled module of this package. If the sources run directly, as under a test
 * runner, it is the module in `dist`, because plain Node cannot read TypeScript in a child.
 *
 * @param module - Written as `new URL("./name.js", import.meta.url)`, which bundlers' tracers follow.
 */
export function builtModule(module: URL): URL {
  const isSource = import.meta.url.endsWith(".ts");
  return isSource ? new URL(module.href.replace(/\/lib\/(?!.*\/lib\/)/, "/dist/")) : module;
}

/** Describes how a process ended, as the end of a sentence that begins with its name. */
export function endOf({ code, signal }: ChildEnd): string {
  return signal === null ? `ended with exit code ${code ?? 0}` : `was ended by ${signal}`;
}

/**
 * Returns the line that gives the reason: that of an abort in ggml (its file and line are printed
 * first), otherwise the last line; empty if there is none.
 */
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
