// Starts the program on a pseudo-terminal, which Python (needed for the build anyway) provides;
// runs in the test process.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach } from "vitest";
import { Transcript } from "../fixtures/transcript.js";
import { program } from "./program.js";

/** Copies between a new terminal and its own pipes, and ends with the program's exit code. */
const BRIDGE = "import os, pty, sys\nsys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

const started: ChildProcess[] = [];
/** Where the program keeps the history of conversations. */
export const stateFolder = mkdtempSync(join(tmpdir(), "r1-state-"));
afterAll(() => rmSync(stateFolder, { recursive: true, force: true }));
afterEach(() => started.splice(0).forEach((child) => child.kill("SIGKILL")));

/** Starts a command on a terminal; `shown` is all that the terminal got so far. */
export function commandOnTerminal(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...rest } = process.env;
  const child = spawn("python3", ["-c", BRIDGE, ...command], {
    env: {
      ...rest,
      TERM: "xterm",
      XDG_STATE_HOME: stateFolder,
      XDG_CONFIG_HOME: stateFolder,
      ...env,
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  started.push(child);
  // What ends by itself may be gone when a key is typed.
  child.stdin.on("error", () => undefined);
  const screen = new Transcript(child.stdout);
  const ended = once(child, "close").then(([status]: unknown[]) => status as number | null);
  const until = (text: string | RegExp, from?: number): Promise<number> => screen.until(text, from);
  return {
    type: (keys: string) => child.stdin.write(keys),
    shown: () => screen.text,
    until,
    /** Closes the terminal, as the window of one is closed. */
    hangUp: () => child.kill("SIGKILL"),
    ended,
  };
}

/** Starts the program on a terminal. */
export function onTerminal(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return commandOnTerminal([process.execPath, program, ...args], env);
}
