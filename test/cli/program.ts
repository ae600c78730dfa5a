// Starts the built program in a child process, as a user's shell does; runs in the test process.
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The built program and the embedded model. */
export const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
export const tinyModel = fileURLToPath(new URL("../../models/tiny-r1.gguf", import.meta.url));

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

/** Starts the program; nothing is on its standard input until the caller ends it. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): { child: Child; ended: Promise<Ended> } {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...rest } = process.env;
  const child = spawn(process.execPath, [program, ...args], { env: { ...rest, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // The child may end before it has read what it was given.
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close").then(([code, signal]: unknown[]): Ended => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }));
  return { child, ended };
}

/** Runs the program to its end. */
export async function run(args: readonly string[], given: Given = {}): Promise<Ended> {
  const { child, ended } = start(args, given.env);
  child.stdin.end(given.input ?? "");
  return ended;
}

/** Resolves once the child has written a text, or fails when it ends without. */
export async function written(child: Child, ended: Promise<Ended>, text: string): Promise<void> {
  let seen = "";
  const found = new Promise<void>((resolve) => {
    child.stdout.on("data", (piece: string) => {
      seen += piece;
      if (seen.includes(text)) resolve();
    });
  });
  await Promise.race([
    found,
    ended.then((end) => {
      throw new Error(`ended with ${end.code} before it wrote ${JSON.stringify(text)}; it wrote ${JSON.stringify(end)}`);
    }),
  ]);
}
