// Starts a program of examples/ in a child process, as a reader of its first lines does; runs in the
// test process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Transcript } from "../fixtures/transcript.js";

/** The root of the repository: the working folder of examples. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs an example to its end. */
export async function example(
  name: string,
  args: readonly string[] = [],
  given: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [`examples/${name}`, ...args], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...given.env },
  });
  const stdout = new Transcript(child.stdout);
  const stderr = new Transcript(child.stderr);
  child.stdin.end(given.input ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: stdout.text, stderr: stderr.text };
}
