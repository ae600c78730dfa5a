// Files that are whole or not there: written under a temporary name, then renamed. Runs on the JavaScript thread; the work itself on libuv's pool.
import { randomBytes } from "node:crypto";
import { lstat, open, rename, rm } from "node:fs/promises";
import { isR1Error, R1Error } from "./errors.js";

/** The typed error of a failed system call. */
export function fileFailure(error: unknown, path: string, doing: string): R1Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT")
    return new R1Error(
      "FILE_NOT_FOUND",
      `"${path}" cannot be ${doing}: there is no such file or folder.`,
      { cause: error, details: { path } },
    );
  if (code === "EISDIR")
    return new R1Error("FILE_IS_DIRECTORY", `"${path}" is a directory. Name a file.`, {
      cause: error,
      details: { path },
    });
  if (code === "EACCES" || code === "EPERM")
    return new R1Error("FILE_UNREADABLE", `"${path}" cannot be ${doing}: permission denied.`, {
      cause: error,
      details: { path },
    });
  if (code === "ENOSPC")
    return new R1Error("NO_SPACE", `"${path}" cannot be ${doing}: the disk is full.`, {
      cause: error,
      details: { path },
    });
  return new R1Error("IO_FAILED", `"${path}" cannot be ${doing}: ${message}`, {
    cause: error,
    details: { path },
  });
}

/**
 * Replaces a file in one go: readers see the old one or the whole new one, which only its owner may read.
 *
 * @param fill - Writes a temporary file, which is there and empty, by its path.
 * @throws {R1Error} `FILE_NOT_FOUND` (the folder), `FILE_IS_DIRECTORY`, `FILE_UNREADABLE`, `NO_SPACE`, `IO_FAILED`, and what `fill` throws; nothing is left behind then.
 */
export async function replaceFile(
  path: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  let isMade = false;
  try {
    const there = await lstat(path).catch(() => undefined);
    if (there !== undefined && !there.isFile() && !there.isDirectory())
      throw new R1Error(
        "IO_FAILED",
        `"${path}" is no ordinary file but a ${there.isSymbolicLink() ? "link" : "device, a pipe or a socket"}, and is left as it is. Name another file.`,
        { details: { path } },
      );
    await (await open(temporary, "wx", 0o600)).close();
    isMade = true;
    await fill(temporary);
    await rename(temporary, path);
  } catch (error) {
    if (isMade) await rm(temporary, { force: true });
    throw isR1Error(error) || !isSystemError(error) ? error : fileFailure(error, path, "written");
  }
}

function isSystemError(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException | null)?.syscall === "string";
}
