// Starts the program that tries a model file, waits for it no longer than a deadline, and reports what
// came of it. Runs on any JavaScript thread, which it does not hold up.
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { endOf, lastWords } from "../base/child.js";
import { R1Error, isErrorCode } from "../base/errors.js";
import { endWhenStuck } from "../base/stopped.js";
import type { NativeEngineConfig, NativeModelConfig } from "./native.js";

/** What is tried. */
export interface TrialTask {
  readonly model: NativeModelConfig;
  /** null: no context is made. */
  readonly engine: NativeEngineConfig | null;
  /** Also loads the data and decodes a few tokens. */
  readonly withData: boolean;
}

/** What the program writes; `code` is null where the file can be loaded. */
export interface TrialResult {
  readonly code: string | null;
  readonly message: string;
}

/** Two levels up both from lib/binding and from dist/binding; the program runs as compiled. */
const PROGRAM = fileURLToPath(new URL("../../dist/binding/model-trial.js", import.meta.url));

/** Longest time of a trial; reading the header of a large model takes less than a second. Unit: milliseconds. */
const DEADLINE_MS = 30_000;

/** Characters of the program's words in a message. */
const MOST_WORDS = 400;

/** Errors of starting a process that pass: no process, descriptor or memory was to be had. */
const EXHAUSTED = ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"];

const ADVICE =
  "llama.cpp cannot load such a file: it is damaged, or made for another program. Nothing was loaded, and this process is unharmed. Download the file again, or take another one.";

function startFailure(path: string, error: NodeJS.ErrnoException): R1Error {
  if (EXHAUSTED.includes(error.code ?? ""))
    return new R1Error(
      "RESOURCE_EXHAUSTED",
      `No process could be started to try ${path}: ${error.message}. Try again when others have ended, or raise the limit of processes or open files.`,
      { cause: error, details: { path } },
    );
  return new R1Error(
    "MODEL_LOAD_FAILED",
    `No process could be started to try ${path}: ${error.message}. Allow child processes, or set \`trial: "never"\` for files that you trust.`,
    { cause: error, details: { path } },
  );
}

interface End {
  readonly result: string;
  readonly errors: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly isLate: boolean;
  /** It could not even start. */
  readonly isStuck: boolean;
}

function failureOf(path: string, end: End): R1Error | undefined {
  const { result, errors, code, signal, isLate, isStuck } = end;
  if (isStuck || /pthread_create|uv_thread_create/.test(errors))
    return startFailure(
      path,
      Object.assign(new Error("it got no thread to run on"), { code: "EAGAIN" }),
    );
  let read: TrialResult | undefined;
  try {
    read = JSON.parse(result) as TrialResult;
  } catch {
    // It died before it could write, or in the middle of it.
  }
  if (read !== undefined && !isLate) {
    if (read.code === null) return undefined;
    return new R1Error(isErrorCode(read.code) ? read.code : "INTERNAL", read.message, {
      details: { path },
    });
  }
  const words = lastWords(errors).slice(0, MOST_WORDS);
  const said = words === "" ? "" : `, saying: ${words}`;
  if (isLate)
    return new R1Error(
      "MODEL_LOAD_FAILED",
      `The process that tried ${path} did not end within ${DEADLINE_MS / 1000} s${said}. ${ADVICE} On a slow disk, \`trial: "never"\` loads a file that you trust.`,
      { details: { path, reason: "deadline", words } },
    );
  const memory = signal === "SIGKILL" ? " Perhaps memory ran out." : "";
  return new R1Error(
    "MODEL_UNSUPPORTED",
    `The process that tried ${path} ${endOf(code, signal)}${said}.${memory} ${ADVICE}`,
    { details: { path, reason: "crash", signal, exitCode: code, words } },
  );
}

/**
 * Tries a model in a process of its own, which ends with this one.
 *
 * @param path - For messages.
 * @throws `signal.reason` when aborted; {R1Error} `MODEL_UNSUPPORTED` where the process died, `MODEL_LOAD_FAILED` where it did not end or llama.cpp refused the file,
 * `RESOURCE_EXHAUSTED` where none could be started; otherwise what native code threw there.
 */
export async function tryModel(path: string, task: TrialTask, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const end = await new Promise<End>((resolve, reject) => {
    // No flags of the parent's: an inspector's port would be taken.
    const { NODE_OPTIONS: _flags, ...env } = process.env;
    let child;
    try {
      child = spawn(process.execPath, [PROGRAM], {
        stdio: ["pipe", "ignore", "pipe", "pipe"],
        env: { ...env, GGML_NO_BACKTRACE: "1" },
      });
    } catch (error) {
      reject(startFailure(path, error as NodeJS.ErrnoException));
      return;
    }
    const input = child.stdin;
    const errorOutput = child.stderr;
    // Where no process was started, `stdio` is undefined, whatever its type says.
    const pipes = child.stdio as readonly unknown[] | undefined;
    const resultOutput = pipes?.[3] as Readable | null | undefined;
    const text = { result: "", errors: "" };
    let isLate = false;
    let isStuck = false;
    const kill = (): void => void child.kill("SIGKILL");
    const timer = setTimeout(() => {
      isLate = true;
      kill();
    }, DEADLINE_MS);
    signal.addEventListener("abort", kill, { once: true });
    const started = endWhenStuck(child, () => (isStuck = true));
    const settle = (): void => {
      clearTimeout(timer);
      started();
      signal.removeEventListener("abort", kill);
      for (const stream of [input, errorOutput, resultOutput]) stream?.destroy();
    };
    child.on("error", (error) => {
      settle();
      reject(startFailure(path, error));
    });
    // Where no process was started there are no streams either, and "error" follows.
    resultOutput
      ?.setEncoding("utf8")
      .on("data", (piece: string) => {
        started();
        text.result += piece;
      })
      .on("error", () => undefined);
    errorOutput
      ?.setEncoding("utf8")
      .on("data", (piece: string) => (text.errors = (text.errors + piece).slice(-8000)))
      .on("error", () => undefined);
    // It may die before it reads.
    input?.on("error", () => undefined);
    input?.write(`${JSON.stringify(task)}\n`);
    child.on("close", (code, endSignal) => {
      settle();
      resolve({ ...text, code, signal: endSignal, isLate, isStuck });
    });
  });
  signal.throwIfAborted();
  const failure = failureOf(path, end);
  if (failure !== undefined) throw failure;
}
