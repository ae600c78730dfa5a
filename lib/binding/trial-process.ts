// Starts the program that tries a model file, waits for it until a deadline, and reports the
// result. Does not block the JavaScript thread.
import { builtModule, endOf, lastWords, startChild } from "../base/child.js";
import type { Child, ChildEnd } from "../base/child.js";
import { R1Error, isErrorCode, isR1Error } from "../base/errors.js";
import { endWhenStuck } from "../base/stopped.js";
import type { NativeEngineConfig, NativeModelConfig } from "./native.js";

/** The task of the trial program. */
export interface TrialTask {
  readonly model: NativeModelConfig;
  /** null: no context is created. */
  readonly engine: NativeEngineConfig | null;
  /** Also loads the data and decodes a few tokens. */
  readonly withData: boolean;
}

/** The output of the program; `code` is null if the file can be loaded. */
export interface TrialResult {
  readonly code: string | null;
  readonly message: string;
}

const PROGRAM = builtModule(new URL("./model-trial.js", import.meta.url));

/**
 * Maximum time of a trial; reading the header of a large model takes less than a second. Unit:
 * milliseconds.
 */
const DEADLINE_MS = 30_000;

/** Maximum characters of the program's output in a message. */
const MAX_WORDS = 400;

const ADVICE =
  "llama.cpp cannot load such a file: it is damaged, or made for another program. Nothing " +
  "was loaded, and this process is unharmed. Download the file again, or use another one.";

function startFailure(path: string, cause: Error): R1Error {
  if (isR1Error(cause, "RESOURCE_EXHAUSTED"))
    return new R1Error(
      "RESOURCE_EXHAUSTED",
      `Cannot start a process to try ${path}: ${cause.message}`,
      { cause, details: { path } },
    );
  return new R1Error(
    "MODEL_LOAD_FAILED",
    `Cannot start a process to try ${path}: ${cause.message} Or set ` +
      '`trial: "never"` for files that you trust.',
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
        "It got no thread to run on. End other programs, or raise the limit of processes and " +
          "threads (ulimit -u, pids of the container).",
      ),
    );
  let read: TrialResult | undefined;
  try {
    read = JSON.parse(result) as TrialResult;
  } catch {
    // It died before or while it wrote its result.
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
      `The process that tried ${path} did not finish within ${DEADLINE_MS / 1000} s${said}. ` +
        `${ADVICE} On a slow disk, use \`trial: "never"\` for a file that you trust.`,
      { details: { path, reason: "deadline", words } },
    );
  const memory = signal === "SIGKILL" ? " Memory may have run out." : "";
  return new R1Error(
    "MODEL_UNSUPPORTED",
    `The process that tried ${path} ${endOf(end)}${said}.${memory} ${ADVICE}`,
    { details: { path, reason: "crash", signal, exitCode: code, words } },
  );
}

/**
 * Tries a model in a separate process, which ends with this one.
 *
 * @param path - For messages.
 * @throws `signal.reason` when aborted; {R1Error} `MODEL_UNSUPPORTED` if the process died,
 * `MODEL_LOAD_FAILED` if it did not finish or llama.cpp refused the file, `RESOURCE_EXHAUSTED` if
 * no process could be started; otherwise the error of native code there.
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
