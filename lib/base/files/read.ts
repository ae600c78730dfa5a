// Reads bytes of files completely: one read of the system may return less than was asked for.
import { open, stat, type FileHandle } from "node:fs/promises";
import { R1Error } from "../errors.js";
import { fileFailure } from "./failure.js";

/** Most bytes of one read, below the 2 GiB limit of every system. */
const CHUNK_BYTES = 1 << 30;

/**
 * Fills a buffer from a file, or as much of it as the file has.
 *
 * @param start - First byte of the buffer to fill.
 * @param position - Where that byte stands in the file.
 * @returns How many bytes of the buffer are filled; fewer than its length at the end of the file.
 * @throws {R1Error} `FILE_UNREADABLE`, and others of the system's.
 */
export async function readUpTo(
  file: FileHandle,
  path: string,
  buffer: Uint8Array,
  position: number,
  start = 0,
): Promise<number> {
  let filled = start;
  try {
    while (filled < buffer.length) {
      const wanted = Math.min(CHUNK_BYTES, buffer.length - filled);
      const { bytesRead } = await file.read(buffer, filled, wanted, position + filled - start);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (error) {
    throw fileFailure(error, path, "read");
  }
  return filled;
}

/**
 * Fills a buffer from a file.
 *
 * @throws {R1Error} `FILE_TRUNCATED` when the file ends before the buffer is full; as {@link readUpTo}.
 */
export async function readExactly(
  file: FileHandle,
  path: string,
  buffer: Uint8Array,
  position: number,
): Promise<void> {
  if ((await readUpTo(file, path, buffer, position)) === buffer.length) return;
  throw new R1Error(
    "FILE_TRUNCATED",
    `"${path}" became shorter while it was read. Wait until it is written whole.`,
    { details: { path } },
  );
}

/**
 * Reads a regular file whole.
 *
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_IS_DIRECTORY`, `FILE_UNREADABLE`, `FILE_TRUNCATED`.
 */
export async function readWhole(path: string): Promise<Uint8Array> {
  try {
    // Asked before opening: opening a FIFO would wait for a writer.
    const facts = await stat(path);
    if (facts.isDirectory())
      throw new R1Error("FILE_IS_DIRECTORY", `"${path}" is a directory. Name a file.`, {
        details: { path },
      });
    if (!facts.isFile())
      throw new R1Error(
        "FILE_UNREADABLE",
        `"${path}" is not a regular file but a pipe, socket or device. Name a file.`,
        { details: { path } },
      );
    const file = await open(path, "r");
    try {
      const bytes = new Uint8Array((await file.stat()).size);
      await readExactly(file, path, bytes, 0);
      return bytes;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileFailure(error, path, "read");
  }
}
