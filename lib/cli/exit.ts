// How the program ends: exit codes, error messages for people, signals and closed pipes. Main
// thread.
import type { Command, CommanderError } from "commander";
import { isR1Error } from "../base/errors.js";
import type { R1ErrorCode } from "../index.js";
import { heldOf, inFlagWords, nameOf, type GivenFlag } from "./flags.js";
import { usageError } from "./usage.js";
import { forTerminal } from "./wrap.js";

/** Exit codes of the program. The code of a signal is 128 plus its number, as in shells. */
export const EXIT = Object.freeze({
  ok: 0,
  failed: 1,
  usage: 2,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
});

const USAGE_CODES: readonly R1ErrorCode[] = [
  "INVALID_ARGUMENT",
  "UNKNOWN_OPTION",
  "INPUT_INVALID",
  "RUN_MISMATCH",
  "CONFIG_INVALID",
  "CONFIG_FORBIDDEN",
];

const indent = (line: string): string => `       ${line}`;

/** Says where settings come from that a message is about and that are not on the command line. */
const originLines = (message: string, held: readonly GivenFlag[]): string[] => {
  const words = new Set(message.match(/--[\w-]+/g) ?? []);
  return held.flatMap(({ flag, origin }) =>
    origin === undefined || !words.has(nameOf(flag)) ? [] : [`${nameOf(flag)} is set by ${origin}`],
  );
};

/** Thrown when a signal ended the work and no message is needed. */
export class Interrupted extends Error {
  constructor(readonly exitCode: number) {
    super("interrupted");
  }
}

/** Checks the name, not the class: a line that asks for the version does not load commander. */
function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && error.name === "CommanderError";
}

/**
 * Reports a failure on standard error in one or two lines and returns the exit code. Shows a stack
 * only for a fault of this program.
 */
export function reportFailure(error: unknown, command: Command | undefined): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (isCommanderError(error)) {
    const refused = usageError(error, command);
    return refused === undefined ? EXIT.ok : reportFailure(refused, command);
  }
  if (isR1Error(error) && error.code !== "INTERNAL") {
    const message = inFlagWords(error.message, command);
    const origins = command === undefined ? [] : originLines(message, heldOf(command));
    const text = [
      `error: ${message}`,
      ...origins.map(indent),
      indent(`code: ${error.code}`),
      "",
    ].join("\n");
    process.stderr.write(forTerminal(text, process.stderr));
    return USAGE_CODES.includes(error.code) ? EXIT.usage : EXIT.failed;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `error: this is a fault of r1-native itself; please report it with the lines below.\n${stack}\n`,
  );
  return EXIT.failed;
}

/** Describes why writing the output failed, and returns the matching error code. */
function outputFailure({ code, message }: NodeJS.ErrnoException): [string, R1ErrorCode] {
  if (code === "ENOSPC") return ["no space left on device", "NO_SPACE"];
  if (code === "EDQUOT") return ["the disk quota is used up", "NO_SPACE"];
  return [message, "FILE_UNWRITABLE"];
}

/**
 * Makes a closed pipe (`r1-native ... | head -1`) end the program quietly instead of with an error,
 * and reports in plain words that output cannot be written. Called once, before anything is
 * written.
 */
export function watchOutput(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    // The terminal is gone, and the signal that reports this is being handled.
    if (error.code === "EIO" && process.listenerCount("SIGHUP") > 0) return;
    const [reason, code] = outputFailure(error);
    process.stderr.write(
      `error: Cannot write to standard output: ${reason}.\n       code: ${code}\n`,
    );
    process.exit(EXIT.failed);
  });
  // Standard error is where errors are reported, so its own error has nowhere to go. The exit code
  // does not change.
  process.stderr.on("error", () => undefined);
}

/**
 * Shows warnings of the library as one line of the program instead of in Node's format. Shows none
 * with --no-warnings or NODE_NO_WARNINGS.
 */
export function showWarnings(command: () => Command | undefined): void {
  if (process.listenerCount("warning") === 0) return;
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => {
    const text = name === "R1NativeWarning" ? inFlagWords(message, command()) : message;
    process.stderr.write(forTerminal(`warning: ${text}\n`, process.stderr));
  });
}

/** Listens for Ctrl-C and for requests to terminate. */
export interface SignalWatch {
  /** The exit code of the signal that arrived, or undefined. */
  readonly exitCode: number | undefined;
  /** Aborts when a signal arrives. */
  readonly signal: AbortSignal;
  /** Stops listening: signals end the process again. */
  stop(): void;
}

/**
 * The first SIGINT or SIGTERM calls `onSignal` and aborts the signal; a second one ends the process
 * at once, by the system's default.
 */
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
