// Starts the built program in a child process, as a user's shell does; runs in the test process.
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Transcript } from "../fixtures/transcript.js";

/** The built program and the embedded model. */
export const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
export const tinyModel = fileURLToPath(new URL("../../models/tiny-r1.gguf", import.meta.url));

/** No settings of whoever runs the tests. */
const NO_CONFIG = { XDG_CONFIG_HOME: join(tmpdir(), "r1-native-no-config") };

/** How a run of the program ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a run gets beside its arguments. */
export interface Given {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Flags of a reply that ends by no doing of its own: before its context is full it has written more
 * than a pipe holds, and stands still until somebody reads.
 */
export const endless = ["--ignore-eos", "--loop-guard", "0", "-c", "65536", "-t", "1"] as const;

/** A program that runs. */
export interface Started {
  readonly child: Child;
  readonly stdout: Transcript;
  readonly stderr: Transcript;
  readonly ended: Promise<Ended>;
}

/** Starts the program; nothing is on its standard input until the caller ends it. */
export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Started {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...rest } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...rest, ...NO_CONFIG, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stdout = new Transcript(child.stdout);
  const stderr = new Transcript(child.stderr);
  // The child may end before it has read what it was given.
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close").then(([code, signal]: unknown[]): Ended => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout: stdout.text,
    stderr: stderr.text,
  }));
  return { child, stdout, stderr, ended };
}

/** Runs the program to its end. */
export async function run(args: readonly string[], given: Given = {}): Promise<Ended> {
  const { child, ended } = start(args, given.env);
  child.stdin.end(given.input ?? "");
  return ended;
}
