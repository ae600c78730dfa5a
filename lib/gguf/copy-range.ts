// Copies a range of bytes from one file to another through two small buffers, reading the next piece while the last is written; runs of zeros become holes.
// Runs on the calling JavaScript thread; reads and writes are asynchronous.
import type { FileHandle } from "node:fs/promises";
import { R1Error } from "../base/errors.js";
import { writeError } from "./atomic-file.js";

/** Bytes of one piece: two of them are all the memory a copy takes. */
const PIECE_BYTES = 4 * 1024 * 1024;
const zeros = Buffer.alloc(64 * 1024);

/** One range to copy. */
export interface CopyRange {
  readonly from: FileHandle;
  /** For messages. */
  readonly fromPath: string;
  readonly fromOffset: number;
  readonly to: FileHandle;
  readonly toPath: string;
  readonly toOffset: number;
  readonly bytes: number;
}

/** Buffers for copies one after the other. */
export class Copier {
  readonly #buffers = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)] as const;
  readonly #signal: AbortSignal | undefined;
  readonly #onBytes: (bytes: number) => void;

  /**
   * @param signal - Ends a copy between two pieces; its reason is thrown.
   * @param onBytes - Told of every piece written.
   */
  constructor(signal: AbortSignal | undefined, onBytes: (bytes: number) => void) {
    this.#signal = signal;
    this.#onBytes = onBytes;
  }

  /**
   * Copies one range. Zeros are not written but left out: the target must be longer than the range or be given its length afterwards.
   *
   * @throws {R1Error} `FILE_TRUNCATED`, `FILE_UNREADABLE`, `NO_SPACE`, `IO_FAILED`; the signal's reason.
   */
  async copy(range: CopyRange): Promise<void> {
    let done = 0;
    let index: 0 | 1 = 0;
    let write: Promise<void> = Promise.resolve();
    try {
      while (done < range.bytes) {
        this.#signal?.throwIfAborted();
        const piece = this.#buffers[index].subarray(0, Math.min(PIECE_BYTES, range.bytes - done));
        await readFully(range, piece, range.fromOffset + done);
        await write;
        const at = range.toOffset + done;
        write = this.#writePiece(range, piece, at);
        // Awaited a turn later; a failure before that must not count as unhandled.
        write.catch(() => undefined);
        done += piece.length;
        index = index === 0 ? 1 : 0;
      }
    } finally {
      await write;
    }
  }

  async #writePiece(range: CopyRange, piece: Buffer, at: number): Promise<void> {
    try {
      for (let start = 0; start < piece.length; start += zeros.length) {
        let end = start;
        while (end < piece.length && !isZero(piece, end)) end += zeros.length;
        end = Math.min(end, piece.length);
        for (let written = start; written < end;) written += (await range.to.write(piece, written, end - written, at + written)).bytesWritten;
        start = end;
      }
    } catch (error) {
      throw writeError(range.toPath, error);
    }
    this.#onBytes(piece.length);
  }
}

/** Whether the up to 64 KiB from `start` are all zero. */
function isZero(piece: Buffer, start: number): boolean {
  const end = Math.min(piece.length, start + zeros.length);
  return piece[start] === 0 && piece.compare(zeros, 0, end - start, start, end) === 0;
}

async function readFully(range: CopyRange, piece: Buffer, offset: number): Promise<void> {
  for (let filled = 0; filled < piece.length;) {
    const { bytesRead } = await range.from.read(piece, filled, piece.length - filled, offset + filled).catch((error: unknown) => {
      throw new R1Error("FILE_UNREADABLE", `"${range.fromPath}" cannot be read: ${(error as Error).message}.`, {
        cause: error,
        details: { path: range.fromPath },
      });
    });
    if (bytesRead === 0) {
      throw new R1Error("FILE_TRUNCATED", `"${range.fromPath}" became shorter while it was read. Wait until it is written whole.`, {
        details: { path: range.fromPath },
      });
    }
    filled += bytesRead;
  }
}
