// Splits a file into its lines, of any number and without holding more than a piece of the file in
// memory. Runs on the JavaScript thread; the reading itself on libuv's pool.
import { isUtf8 } from "node:buffer";
import { open } from "node:fs/promises";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";

/**
 * Rows of one piece are in memory at a time; a longer line is read in pieces as long as what there
 * is of it.
 */
const PIECE_BYTES = 128 * 1024;
/** Longest line. A row with a prompt of this size would fit no context. Unit: bytes. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** What lines are read from: a file, or something like it. */
export interface ByteSource {
  readonly read: (
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ readonly bytesRead: number }>;
  readonly close: () => Promise<void>;
}

/** One line of a file, without its line break. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Where it begins in the file. */
  readonly start: number;
  /** Its bytes; valid until the next group of lines is asked for. */
  readonly bytes: Buffer;
  /** False for the last line of a file that does not end in a line break. */
  readonly isEnded: boolean;
}

/** The text of a line without a carriage return at its end; undefined where it is not UTF-8. */
export function textOf({ bytes, start }: Line): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString("utf8");
  const from = start === 0 && text.startsWith("\uFEFF") ? 1 : 0;
  const to = text.endsWith("\r") ? text.length - 1 : text.length;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

/**
 * The lines of a file, in groups as they are read.
 *
 * @param end - Reads up to here only. Unit: bytes. @defaultValue the end of the file
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_IS_DIRECTORY`; `INPUT_INVALID` for a
 * line of more than 64 MiB.
 */
export async function* readLines(path: string, end = Infinity): AsyncGenerator<Line[], void> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw fileFailure(error, path, "read");
  });
  yield* linesOf(path, file, end);
}

/**
 * The lines of a source, in groups as they are read; closes the source.
 *
 * @param path - For messages.
 */
export async function* linesOf(
  path: string,
  file: ByteSource,
  end = Infinity,
): AsyncGenerator<Line[], void> {
  // One buffer for all pieces: a new one for each would be most of what a long file allocates.
  let buffer = Buffer.allocUnsafe(2 * PIECE_BYTES);
  try {
    let number = 1;
    let start = 0;
    /** Bytes at the front of the buffer that are the beginning of a line. */
    let held = 0;
    for (;;) {
      const wanted = Math.max(PIECE_BYTES, held);
      if (buffer.length < held + wanted) {
        const longer = Buffer.allocUnsafe(2 * (held + wanted));
        buffer.copy(longer, 0, 0, held);
        buffer = longer;
      }
      const at = start + held;
      const { bytesRead } = await file
        .read(buffer, held, Math.min(wanted, end - at), at)
        .catch((error: unknown) => {
          throw fileFailure(error, path, "read");
        });
      const bytes = buffer.subarray(0, held + bytesRead);
      const lines: Line[] = [];
      let from = 0;
      // What was looked through before has no line break.
      for (let to = bytes.indexOf(10, held); to >= 0; to = bytes.indexOf(10, from)) {
        lines.push({
          number: number++,
          start: start + from,
          bytes: bytes.subarray(from, to),
          isEnded: true,
        });
        from = to + 1;
      }
      if (bytesRead === 0) {
        if (held > 0) lines.push({ number, start, bytes, isEnded: false });
        if (lines.length > 0) yield lines;
        return;
      }
      if (lines.length > 0) yield lines;
      held = bytes.length - from;
      start += from;
      if (held > MAX_LINE_BYTES) throw tooLong(path, number);
      buffer.copyWithin(0, from, from + held);
    }
  } finally {
    await file.close();
  }
}

function tooLong(path: string, line: number): R1Error {
  return new R1Error(
    "INPUT_INVALID",
    `Line ${line} of "${path}" is longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB. Is it a JSONL file, with one object a line?`,
    { details: { path, faults: [{ line, message: "longer than 64 MiB" }] } },
  );
}
