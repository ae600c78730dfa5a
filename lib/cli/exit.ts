// How the program ends: exit codes, error messages for people, signals, and a closed pipe; main thread.
import { CommanderError } from "commander";
import type { Command } from "commander";
import { isR1Error } from "../base/errors.js";
import type { R1ErrorCode } from "../base/errors.js";
import { inFlagWords } from "./flags.js";

/** Exit codes of the program; a signal's is 128 and its number, as shells have it. */
export const EXIT = Object.freeze({
  ok: 0,
  failed: 1,
  usage: 2,
  interrupted: 130,
  terminated: 143,
});

const USAGE_CODES: readonly R1ErrorCode[] = ["INVALID_ARGUMENT", "UNKNOWN_OPTION"];

/** Thrown when a signal ended the work and there is nothing left to say. */
export class Interrupted extends Error {
  constructor(readonly exitCode: number) {
    super("interrupted");
  }
}

/** Tells a failure on standard error in a line or two, and returns the exit code. A stack is shown for a fault of this program only. */
export function reportFailure(error: unknown, command: Command | undefined): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof CommanderError) {
    // commander has written its message by now.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  if (isR1Error(error) && error.code !== "INTERNAL") {
    process.stderr.write(
      `error: ${inFlagWords(error.message, command)}\n       code: ${error.code}\n`,
    );
    return USAGE_CODES.includes(error.code) ? EXIT.usage : EXIT.failed;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `error: this is a fault of r1-native itself; please report it with the lines below.\n${stack}\n`,
  );
  return EXIT.failed;
}

/**
 * Makes a closed pipe (`r1-native ... | head -1`) the quiet end of the program instead of an error.
 * Called once, before anything is written.
 */
export function endOnClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    throw error;
  });
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

/** Listens for Ctrl-C and for the request to terminate. */
export interface SignalWatch {
  /** The exit code of the signal that came, or undefined. */
  readonly exitCode: number | undefined;
  /** Aborts when a signal comes. */
  readonly signal: AbortSignal;
  /** Stops listening: signals end the process again. */
  stop(): void;
}

/** The first SIGINT or SIGTERM calls `onSignal` and aborts the signal; a second one ends the process at once, as the system does it. */
export function watchSignals(onSignal: () => void): SignalWatch {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const come = (code: number): void => {
    exitCode = code;
    stop();
    onSignal();
    controller.abort(new Interrupted(code));
  };
  const onInterrupt = (): void => come(EXIT.interrupted);
  const onTerminate = (): void => come(EXIT.terminated);
  const stop = (): void => {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTerminate);
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  return {
    get exitCode() {
      return exitCode;
    },
    signal: controller.signal,
    stop,
  };
}
