// Mends the end of a journal that a kill, a full disk or a power failure left torn: nothing is ever
// appended behind half a line. Runs on the JavaScript thread, under the lock of the output.
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { fileFailure } from "../base/files/failure.js";
import { readUpTo } from "../base/files/read.js";
import { syncFolder, writeAll, writeFileAtomically } from "../base/files/writer.js";
import { asideName } from "./header.js";
import { MAX_LINE_BYTES } from "./lines.js";

/** Read backwards by so much at a time. */
const PIECE_BYTES = 64 * 1024;

/** What was done to the end of a file. */
export interface Mended {
  /** Where the torn bytes are now; undefined when there were none but NULs. */
  readonly aside: string | undefined;
  /** Bytes that were cut off. */
  readonly cut: number;
  /** The last line was whole and lacked its line break alone. */
  readonly completed: boolean;
}

const WHOLE: Mended = { aside: undefined, cut: 0, completed: false };

/** Whether some bytes are one whole record. */
function isRecord(bytes: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** The end of a file: the last line and what stands behind it; `start` is where that begins. */
async function lastLine(
  file: FileHandle,
  path: string,
  size: number,
): Promise<{ bytes: Buffer; start: number }> {
  let start = size;
  let bytes: Buffer = Buffer.alloc(0);
  // Two line breaks are looked for: behind the line, and in front of it.
  for (;;) {
    const end = bytes.length;
    const body = bytes.at(-1) === 10 ? bytes.subarray(0, end - 1) : bytes;
    const at = body.lastIndexOf(10);
    if (at >= 0) return { bytes: bytes.subarray(at + 1), start: start + at + 1 };
    if (start === 0 || end > MAX_LINE_BYTES * 2) return { bytes, start };
    const from = Math.max(0, start - Math.max(PIECE_BYTES, end));
    const piece = Buffer.alloc(start - from);
    await readUpTo(file, path, piece, from);
    bytes = Buffer.concat([piece, bytes]);
    start = from;
  }
}

/**
 * Makes a journal end in a whole line. A last line that is whole but for its line break gets it;
 * any other is moved to a file of its own. NUL bytes at the end, which a power failure leaves, are
 * cut off.
 *
 * @throws {R1Error} those of reading and writing files.
 */
export async function mend(path: string): Promise<Mended> {
  const file = await open(path, "r+").catch((error: unknown) => {
    throw fileFailure(error, path, "written");
  });
  try {
    const { size } = await file.stat();
    if (size === 0) return WHOLE;
    const { bytes, start } = await lastLine(file, path, size);
    let length = bytes.length;
    while (length > 0 && bytes[length - 1] === 0) length--;
    const text = bytes.subarray(0, length);
    const isEnded = text.at(-1) === 10;
    if (length === 0) return await cut(file, start, size, undefined);
    if (isRecord(isEnded ? text.subarray(0, -1) : text)) {
      if (isEnded && length === bytes.length) return WHOLE;
      if (length < bytes.length) await file.truncate(start + length);
      if (!isEnded) await writeAll(file, Buffer.from("\n"), start + length);
      await file.datasync();
      return { aside: undefined, cut: bytes.length - length, completed: !isEnded };
    }
    const aside = asideName(path, "torn");
    await writeFileAtomically(aside, { force: true }, async ({ handle }) => {
      await writeAll(handle, text, 0);
    });
    return await cut(file, start, size, aside);
  } catch (error) {
    throw fileFailure(error, path, "written");
  } finally {
    await file.close();
    await syncFolder(dirname(path));
  }
}

async function cut(
  file: FileHandle,
  start: number,
  size: number,
  aside: string | undefined,
): Promise<Mended> {
  await file.truncate(start);
  await file.datasync();
  return { aside, cut: size - start, completed: false };
}
