// What downloads need of the disk: its failures in words, the room that is left, whether a process lives. Runs on the JavaScript thread; waits are asynchronous.
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { R1Error } from "../base/errors.js";

/** A failure of the file system as an error. */
export function diskError(path: string, error: unknown): unknown {
  if (error instanceof R1Error) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const options = { cause: error, details: { path } };
  if (code === undefined) return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new R1Error(
      "NO_SPACE",
      `The disk of "${path}" is full. Free some space; what has come is kept, and the next download goes on from there.`,
      options,
    );
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new R1Error(
      "FILE_UNREADABLE",
      `"${path}" cannot be written: permission denied. Choose another folder.`,
      options,
    );
  }
  if (code === "EISDIR" || code === "ENOTDIR" || code === "EEXIST") {
    return new R1Error(
      "FILE_EXISTS",
      `"${path}" cannot be written: something else stands there. Choose another folder.`,
      options,
    );
  }
  return new R1Error("IO_FAILED", `"${path}" cannot be written: ${message}.`, options);
}

/** Waits for work on a file and words its failure. */
export async function onDisk<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw diskError(path, error);
  }
}

/**
 * @param folder - It, or the nearest folder above that exists, is asked.
 * @throws {R1Error} `NO_SPACE` when `bytes` more do not fit.
 */
export async function checkRoom(folder: string, bytes: number): Promise<void> {
  let at = folder;
  let facts = await statfs(at).catch(() => undefined);
  while (facts === undefined && dirname(at) !== at) {
    at = dirname(at);
    facts = await statfs(at).catch(() => undefined);
  }
  if (facts === undefined) return;
  const free = facts.bavail * facts.bsize;
  if (free >= bytes) return;
  const gib = (n: number): string => `${(n / 2 ** 30).toFixed(2)} GiB`;
  throw new R1Error(
    "NO_SPACE",
    `"${folder}" has room for ${gib(free)}, and ${gib(bytes)} are still to come. Free some space, download elsewhere, or name fewer files.`,
    {
      details: { path: folder, freeBytes: free, neededBytes: bytes },
    },
  );
}

/** Whether a process of this machine lives. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
