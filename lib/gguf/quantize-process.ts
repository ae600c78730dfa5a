// Runs one job of the quantising program and says how it ended. Runs on the calling JavaScript thread; the job in a process of its own.
import { endOf, lastWords, startProgram } from "../base/child.js";
import { isErrorCode, R1Error } from "../base/errors.js";
import { endWhenStopped } from "../base/stopped.js";
import type { QuantizeJob, QuantizeMessage, QuantizeOrder } from "./quantize-child.js";

const PROGRAM = new URL("./quantize-child.js", import.meta.url);

function crashed(signal: NodeJS.Signals | null, code: number | null, tail: string): R1Error {
  const hint = signal === "SIGKILL" ? " Perhaps memory ran out." : "";
  const words = lastWords(tail);
  return new R1Error(
    "CHILD_CRASHED",
    `The quantising process ${endOf(code, signal)}.${hint}${words === "" ? "" : ` Its last words: ${words}`}`,
    {
      details: { signal, exitCode: code },
    },
  );
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error));

/** What {@link runQuantizeJob} is told with the job. */
interface JobOptions {
  /** Gets llama.cpp's log lines; what it throws ends the job. */
  readonly onLine: (line: string) => void;
  /** Ends the job, until its work is done. */
  readonly signal: AbortSignal | undefined;
  /** Gives the files their names. Until that is over the child waits, to remove what it wrote should this process die. */
  readonly finish: () => Promise<void>;
}

/**
 * Runs one job.
 *
 * @throws {R1Error} `CHILD_CRASHED` when the process died, else the code it told (`QUANTIZE_FAILED`, `ADDON_MISSING`, ...); the signal's reason; what `finish` throws.
 */
export function runQuantizeJob(
  job: QuantizeJob,
  { onLine, signal, finish }: JobOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { child, tail } = startProgram(PROGRAM);
    let outcome: QuantizeMessage | undefined;
    let failure: Error | undefined;
    let finishing: Promise<void> | undefined;
    const abort = (): void => void child.kill("SIGKILL");
    child.on("message", (message: QuantizeMessage) => {
      if (failure !== undefined || signal?.aborted === true) return;
      if (message.kind !== "log") {
        outcome = message;
        signal?.removeEventListener("abort", abort);
        const work = message.kind === "done" ? finish() : Promise.resolve();
        finishing = work
          .catch((error: unknown) => void (failure = asError(error)))
          .then(() => void child.send("end" satisfies QuantizeOrder, () => undefined));
        return;
      }
      try {
        for (const line of message.lines) onLine(line);
      } catch (error) {
        failure = asError(error);
        abort();
      }
    });
    endWhenStopped(child, () => {
      failure ??= new R1Error(
        "CHILD_CRASHED",
        "The quantising process was stopped from outside (SIGSTOP) for ten seconds, and was ended. Run it again.",
        { details: { signal: "SIGSTOP", exitCode: null } },
      );
    });
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    child.on(
      "error",
      (error) =>
        (failure ??= new R1Error(
          "CHILD_CRASHED",
          `The quantising process could not be started: ${error.message}.`,
          { cause: error },
        )),
    );
    const settle = (code: number | null, signalName: NodeJS.Signals | null): void => {
      if (failure !== undefined) reject(failure);
      else if (outcome?.kind === "done") resolve();
      else if (outcome?.kind === "error")
        reject(
          new R1Error(
            isErrorCode(outcome.code) ? outcome.code : "QUANTIZE_FAILED",
            outcome.message,
          ),
        );
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the platform's way: the reason as it is
      else if (signal?.aborted === true) reject(signal.reason);
      else reject(crashed(signalName, code, tail()));
    };
    child.on("close", (code, signalName) => {
      signal?.removeEventListener("abort", abort);
      void Promise.resolve(finishing).then(() => settle(code, signalName));
    });
    child.send(job, (error) => {
      if (error !== null) abort();
    });
  });
}
