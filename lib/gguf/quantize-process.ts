// Runs one job of the quantising program and says how it ended. Runs on the calling JavaScript thread; the job in a process of its own.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isErrorCode, R1Error } from "../base/errors.js";
import type { QuantizeJob, QuantizeMessage } from "./quantize-child.js";

const PROGRAM = fileURLToPath(new URL("./quantize-child.js", import.meta.url));
/** Last characters of the child's error output that go into a message. */
const TAIL = 2000;

function crashed(signal: NodeJS.Signals | null, code: number | null, tail: string): R1Error {
  const how = signal === null ? `ended with exit code ${code ?? 0}` : `was ended by ${signal}`;
  const hint = signal === "SIGKILL" ? " Perhaps memory ran out." : "";
  const said = tail.trim().split("\n").slice(-3).join(" ");
  return new R1Error("CHILD_CRASHED", `The quantising process ${how}.${hint}${said === "" ? "" : ` Its last words: ${said}`}`, {
    details: { signal, exitCode: code },
  });
}

/**
 * Runs one job.
 *
 * @param onLine - Gets llama.cpp's log lines.
 * @throws {R1Error} `CHILD_CRASHED` when the process died, else the code it told (`QUANTIZE_FAILED`, `ADDON_MISSING`, ...); the signal's reason.
 */
export function runQuantizeJob(job: QuantizeJob, onLine: (line: string) => void, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // No flags of the parent's (an inspector's port would be taken, a test runner's loader has no business here).
    const child = fork(PROGRAM, { execArgv: [], serialization: "advanced", stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let tail = "";
    let outcome: QuantizeMessage | undefined;
    let failure: Error | undefined;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (tail = (tail + text).slice(-TAIL)));
    child.on("message", (message: QuantizeMessage) => {
      if (message.kind !== "log") outcome = message;
      else if (failure === undefined) {
        try {
          for (const line of message.lines) onLine(line);
        } catch (error) {
          failure = error instanceof Error ? error : new Error(String(error));
          child.kill("SIGKILL");
        }
      }
    });
    const abort = (): void => void child.kill("SIGKILL");
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    child.on(
      "error",
      (error) => (failure ??= new R1Error("CHILD_CRASHED", `The quantising process could not be started: ${error.message}.`, { cause: error })),
    );
    child.on("close", (code, signalName) => {
      signal?.removeEventListener("abort", abort);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the platform's way: the reason as it is
      if (signal?.aborted === true) reject(signal.reason);
      else if (failure !== undefined) reject(failure);
      else if (outcome?.kind === "done") resolve();
      else if (outcome?.kind === "error") reject(new R1Error(isErrorCode(outcome.code) ? outcome.code : "QUANTIZE_FAILED", outcome.message));
      else reject(crashed(signalName, code, tail));
    });
    child.send(job, (error) => {
      if (error !== null) abort();
    });
  });
}
