// Runs one job of the quantising program in a child process and reports how it ended.
import { Channel } from "../base/channel.js";
import { builtModule, endOf, lastWords, startChild } from "../base/child.js";
import type { ChildEnd } from "../base/child.js";
import { isErrorCode, R1Error } from "../base/errors.js";
import { endWhenStopped } from "../base/stopped.js";
import type { QuantizeJob, QuantizeMessage, QuantizeOrder } from "./quantize-child.js";

const PROGRAM = builtModule(new URL("./quantize-child.js", import.meta.url));

function crashed(end: ChildEnd, tail: string): R1Error {
  const hint = end.signal === "SIGKILL" ? " Perhaps memory ran out." : "";
  const words = lastWords(tail);
  return new R1Error(
    "CHILD_CRASHED",
    `The quantising process ${endOf(end)}.${hint}${words === "" ? "" : ` Its last words: ${words}`}`,
    {
      details: { signal: end.signal, exitCode: end.code },
    },
  );
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error));

/** What {@link runQuantizeJob} needs in addition to the job. */
interface JobOptions {
  /** Called with llama.cpp's log lines; what it throws ends the job. */
  readonly onLine: (line: string) => void;
  /** Ends the job, as long as its work is not done. */
  readonly signal: AbortSignal | undefined;
  /**
   * Gives the files their names. The child waits for this, so that it can remove its files if this
   * process dies.
   */
  readonly finish: () => Promise<void>;
}

/**
 * Runs one job.
 *
 * @throws {R1Error} `CHILD_CRASHED` if the process died, otherwise the code it reported
 * (`QUANTIZE_FAILED`, `ADDON_MISSING`, ...); the signal's reason; what `finish` throws.
 */
export async function runQuantizeJob(
  job: QuantizeJob,
  { onLine, signal, finish }: JobOptions,
): Promise<void> {
  const child = startChild(PROGRAM);
  let outcome: QuantizeMessage | undefined;
  let failure: Error | undefined;
  let finishing: Promise<void> | undefined;
  const abort = (): void => child.kill();
  const take = (message: QuantizeMessage): void => {
    if (failure !== undefined || signal?.aborted === true) return;
    if (message.kind !== "log") {
      outcome = message;
      signal?.removeEventListener("abort", abort);
      const work = message.kind === "done" ? finish() : Promise.resolve();
      finishing = work
        .catch((error: unknown) => void (failure = asError(error)))
        .then(() => channel.send("end"));
      return;
    }
    try {
      for (const line of message.lines) onLine(line);
    } catch (error) {
      failure = asError(error);
      abort();
    }
  };
  const channel = new Channel<QuantizeMessage, QuantizeOrder>(child.link, take);
  endWhenStopped(child, () => {
    failure ??= new R1Error(
      "CHILD_CRASHED",
      "The quantising process was stopped from outside (SIGSTOP) for ten seconds, and was ended. Run it again.",
      { details: { signal: "SIGSTOP", exitCode: null } },
    );
  });
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  void channel.send(job);
  const end = await child.ended;
  signal?.removeEventListener("abort", abort);
  await finishing;
  if (failure !== undefined) throw failure;
  if (outcome?.kind === "done") return;
  if (outcome?.kind === "error")
    throw new R1Error(
      isErrorCode(outcome.code) ? outcome.code : "QUANTIZE_FAILED",
      outcome.message,
    );
  signal?.throwIfAborted();
  throw crashed(end, child.tail);
}
