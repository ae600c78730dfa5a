// Starts programs of this package in processes of their own, and describes how they end. JavaScript
// thread that starts them.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { NativeHandle, NodeHandle } from "./child-handle.js";
import type { ChildEnd, ChildHandle } from "./child-handle.js";
import { nativeStarter } from "./native-starter.js";
import { R1Error } from "./errors.js";

export type { ChildEnd } from "./child-handle.js";

/** Last characters of a child's error output that are kept. */
const TAIL = 8000;
/** How long the error output of an ended process may stay open. Unit: milliseconds. */
const HELD_MS = 200;
/** How {@link startChild} starts a program. */
export interface ChildOptions {
  /** Node's own flags for it. */
  readonly flags?: readonly string[];
  /** The program's arguments. */
  readonly args?: readonly string[];
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A process that was started. Its standard input and output are `/dev/null`. It keeps this process
 * alive until it ends, but for `unref`. Read `link`, or its end is not seen.
 */
export class Child {
  readonly #handle: ChildHandle;
  #tail = "";
  #hasEnded = false;
  /** Resolves once it has ended and all it wrote has been read. */
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
        // A program that the child started may hold its error output open. What the child itself
        // wrote is read before an immediate runs.
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

  /** The end of what it wrote to standard error. */
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
 * A child that somebody stopped would not see that its parent is gone. It goes on, and then ends by
 * itself.
 */
function wakeAll(): void {
  for (const child of running) child.kill("SIGCONT");
}

const EXHAUSTED = ["RESOURCE_EXHAUSTED", "EAGAIN", "EMFILE", "ENFILE", "ENOMEM"];

function startFailure(cause: unknown): R1Error {
  const { code, message } = (cause ?? {}) as { code?: string; message?: string };
  const reason = message === undefined ? "" : ` (${message})`;
  if (cause === undefined || EXHAUSTED.includes(code ?? ""))
    return new R1Error(
      "RESOURCE_EXHAUSTED",
      `No process could be started${reason}: the system gives no more descriptors, processes or ` +
        "memory. Close what is open, or raise the limits (ulimit -n, ulimit -u, pids of the " +
        "container), and try again.",
      { cause },
    );
  return new R1Error(
    "IO_FAILED",
    `No process could be started${reason}. Allow this process to start ${process.execPath}.`,
    { cause },
  );
}

function startByNode(args: readonly string[], env: NodeJS.ProcessEnv): ChildHandle {
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe", "pipe"] });
  } catch (error) {
    throw startFailure(error);
  }
  if (child.pid !== undefined) return new NodeHandle(child);
  // Its streams were not made; the event says what is known by now.
  child.on("error", () => undefined);
  throw startFailure(undefined);
}

/**
 * Starts a module of this package as a process of its own. No flags of the parent's: an inspector's
 * port would be taken, and loaders of a test runner have no business there.
 *
 * @throws {R1Error} `RESOURCE_EXHAUSTED` where the system gives no process; `IO_FAILED` where it
 * allows none.
 */
export function startChild(
  module: URL,
  { flags = [], args = [], env: added = {} }: ChildOptions = {},
): Child {
  const { NODE_OPTIONS: _flags, ...inherited } = process.env;
  const env = { ...inherited, ...added };
  const words = [...flags, fileURLToPath(module), ...args];
  const starter = nativeStarter();
  try {
    const child = starter?.startChild({
      file: process.execPath,
      arguments: words,
      environment: Object.entries(env).map(([name, value = ""]) => `${name}=${value}`),
    });
    if (starter !== undefined && child !== undefined && child !== null)
      return new Child(new NativeHandle(starter, child));
  } catch (error) {
    throw startFailure(error);
  }
  return new Child(startByNode(words, env));
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

/** How a process ended, as the end of a sentence that begins with its name. */
export function endOf({ code, signal }: ChildEnd): string {
  return signal === null ? `ended with exit code ${code ?? 0}` : `was ended by ${signal}`;
}

/**
 * The line that gives the reason: that of an abort in ggml (its file and line come first), else the
 * last one written; empty if nothing was.
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
