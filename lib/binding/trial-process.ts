// Starts the program that tries a model file, waits for it no longer than a deadline, and reports
// what came of it. Runs on any JavaScript thread, which it does not hold up.
import { builtModule, endOf, lastWords, startChild } from "../base/child.js";
import type { Child, ChildEnd } from "../base/child.js";
import { R1Error, isErrorCode, isR1Error } from "../base/errors.js";
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

const PROGRAM = builtModule("./model-trial.js", import.meta.url);

/**
 * Longest time of a trial; reading the header of a large model takes less than a second. Unit:
 * milliseconds.
 */
const DEADLINE_MS = 30_000;

/** Characters of the program's words in a message. */
const MAX_WORDS = 400;

const ADVICE =
  "llama.cpp cannot load such a file: it is damaged, or made for another program. Nothing was loaded, and this process is unharmed. Download the file again, or take another one.";

function startFailure(path: string, cause: Error): R1Error {
  if (isR1Error(cause, "RESOURCE_EXHAUSTED"))
    return new R1Error(
      "RESOURCE_EXHAUSTED",
      `No process could be started to try ${path}: ${cause.message}`,
      { cause, details: { path } },
    );
  return new R1Error(
    "MODEL_LOAD_FAILED",
    `No process could be started to try ${path}: ${cause.message} Or set \`trial: "never"\` for files that you trust.`,
    { cause, details: { path } },
  );
}

interface End extends ChildEnd {
  readonly result: string;
  readonly errors: string;
  readonly isLate: boolean;
  /** It could not even start. */
  readonly isStuck: boolean;
}

function failureOf(path: string, end: End): R1Error | undefined {
  const { result, errors, code, signal, isLate, isStuck } = end;
  if (isStuck || /pthread_create|uv_thread_create/.test(errors))
    return startFailure(
      path,
      new R1Error(
        "RESOURCE_EXHAUSTED",
        "It got no thread to run on. End other work, or raise the limit of processes and threads " +
          "(ulimit -u, pids of the container).",
      ),
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
  const words = lastWords(errors).slice(0, MAX_WORDS);
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
    `The process that tried ${path} ${endOf(end)}${said}.${memory} ${ADVICE}`,
    { details: { path, reason: "crash", signal, exitCode: code, words } },
  );
}

/**
 * Tries a model in a process of its own, which ends with this one.
 *
 * @param path - For messages.
 * @throws `signal.reason` when aborted; {R1Error} `MODEL_UNSUPPORTED` where the process died,
 * `MODEL_LOAD_FAILED` where it did not end or llama.cpp refused the file, `RESOURCE_EXHAUSTED`
 * where none could be started; otherwise what native code threw there.
 */
export async function tryModel(path: string, task: TrialTask, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let child: Child;
  try {
    child = startChild(PROGRAM, { env: { GGML_NO_BACKTRACE: "1" } });
  } catch (error) {
    throw startFailure(path, error as Error);
  }
  let result = "";
  let isLate = false;
  let isStuck = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill();
  }, DEADLINE_MS);
  const kill = (): void => child.kill();
  signal.addEventListener("abort", kill, { once: true });
  const started = endWhenStuck(child, () => (isStuck = true));
  child.link
    .setEncoding("utf8")
    .on("data", (piece: string) => {
      started();
      result += piece;
    })
    // It may die before it reads.
    .on("error", () => undefined)
    .write(`${JSON.stringify(task)}\n`);
  const end = await child.ended;
  clearTimeout(timer);
  started();
  signal.removeEventListener("abort", kill);
  signal.throwIfAborted();
  const failure = failureOf(path, { ...end, result, errors: child.tail, isLate, isStuck });
  if (failure !== undefined) throw failure;
}
