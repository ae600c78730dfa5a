// Files that are whole or not there: written under a temporary name, then renamed. Runs on the JavaScript thread; the work itself on libuv's pool.
import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { R1Error } from "./errors.js";

/** What one read or write call takes at most, below the 2 GiB limit of every system. */
const CHUNK_BYTES = 1 << 30;

function failure(error: unknown, path: string, doing: string): R1Error {
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
 * Writes a file in one go: whoever looks sees the old one or the whole new one.
 *
 * @param pieces - Its bytes, in order.
 * @throws {R1Error} `FILE_NOT_FOUND` (the folder), `FILE_IS_DIRECTORY`, `FILE_UNREADABLE`, `NO_SPACE`, `IO_FAILED`; nothing is left behind then.
 */
export async function writeWhole(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      for (const piece of pieces) {
        for (let at = 0; at < piece.length;)
          at += (await file.write(piece, at, Math.min(CHUNK_BYTES, piece.length - at)))
            .bytesWritten;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw failure(error, path, "written");
  }
}

/** @throws {R1Error} `FILE_NOT_FOUND`, `FILE_IS_DIRECTORY`, `FILE_UNREADABLE`, `IO_FAILED`. */
export async function readWhole(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, "r");
    try {
      const bytes = new Uint8Array((await file.stat()).size);
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file.read(
          bytes,
          at,
          Math.min(CHUNK_BYTES, bytes.length - at),
          at,
        );
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return bytes.subarray(0, at);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw failure(error, path, "read");
  }
}
