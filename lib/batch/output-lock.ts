// Locks the output of a batch: one runner at a time, whatever ended the one before. Runs on the
// JavaScript thread.
import { readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { R1Error } from "../base/errors.js";
import { takeLock } from "../base/files/lock.js";
import { lockFile } from "../index.js";
import { filesOf } from "./header.js";

/** A holder writes who it is right after it took the lock. Unit: milliseconds. */
const NAME_AFTER_MS = 500;

/** Who holds the lock, as far as its file says. */
async function holderOf(path: string): Promise<{ pid?: number; host?: string }> {
  for (let waited = 0; ; waited += 50) {
    try {
      const { pid, host } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
      if (typeof pid === "number" && typeof host === "string") return { pid, host };
    } catch {
      // Not written yet, or removed by a holder that has just ended.
    }
    if (waited >= NAME_AFTER_MS) return {};
    await sleep(50);
  }
}

/**
 * Locks an output by a lock of the kernel, which ends with the process however that dies. On a file
 * system without such locks a lock file does.
 *
 * @param output - Exists.
 * @returns Releases the lock.
 * @throws {R1Error} `FILE_BUSY` with the holder's process and machine.
 */
export async function lockOutput(output: string): Promise<() => Promise<void>> {
  const path = filesOf(output).lock;
  const lock = lockFile(output);
  if (lock === "unsupported") return takeLock(path, output, "being written by another batch");
  if (lock === "busy") {
    const { pid, host } = await holderOf(path);
    const who =
      pid === undefined
        ? "another process"
        : `process ${pid}${host === hostname() ? "" : ` on ${host}`}`;
    throw new R1Error(
      "FILE_BUSY",
      `"${output}" is being written by another batch, ${who}. Wait until it ends, or end it.`,
      { details: { path: output, pid, host } },
    );
  }
  // For people and for the message above; the lock itself is the kernel's.
  await writeFile(path, `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`).catch(
    () => undefined,
  );
  return async () => {
    await rm(path, { force: true }).catch(() => undefined);
    lock.release();
  };
}
