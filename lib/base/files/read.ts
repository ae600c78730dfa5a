// Reads bytes from files completely: one system read may return fewer bytes than requested.
import type { FileHandle } from "node:fs/promises";
import { R1Error } from "../errors.js";
import { fileFailure } from "./failure.js";

/** Maximum bytes per read, below the 2 GiB limit of every system. */
const CHUNK_BYTES = 1 << 30;

/**
 * Fills a buffer from a file, up to the end of the file.
 *
 * @param start - First byte of the buffer to fill.
 * @param position - Offset of that byte in the file.
 * @returns How many bytes of the buffer are filled; fewer than its length at the end of the file.
 * @throws {R1Error} `FILE_UNREADABLE`, and the codes of other system errors.
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
 * @throws {R1Error} `FILE_TRUNCATED` when the file ends before the buffer is full; otherwise like
 * {@link readUpTo}.
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
    `"${path}" became shorter while it was being read. Try again when it is completely written.`,
    { details: { path } },
  );
}
