// Copies a range of bytes from one file to another: inside the kernel where the system supports it,
// otherwise through two small buffers that overlap reading with writing. Runs of zeros are skipped.
// Asynchronous.
import type { FileHandle } from "node:fs/promises";
import { isR1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { readExactly } from "../base/files/read.js";
import { writeAll } from "../base/files/writer.js";
import { native } from "../binding/load.js";
import type { NativeCopyRange } from "../binding/native-quantize.js";

/** Bytes of one piece. A copy uses two of them and no other memory. */
const PIECE_BYTES = 4 * 1024 * 1024;
const zeros = Buffer.alloc(64 * 1024);
/** Smallest range that is worth a call into native code. Unit: bytes. */
const KERNEL_LEAST_BYTES = 256 * 1024;
/** Bytes that the kernel copies between two checks of the signal. */
const KERNEL_PIECE_BYTES = 32 * 1024 * 1024;

/** Copies as much as possible from the start of a range and returns the number of bytes copied. */
export type KernelCopy = (range: NativeCopyRange) => Promise<number>;

/**
 * Returns the addon's copy, or one that does nothing if there is no addon: merging and splitting do
 * not need it.
 */
function addonCopy(): KernelCopy {
  try {
    const addon = native();
    return (range) => addon.copyRange(range);
  } catch (error) {
    if (!isR1Error(error, "ADDON_MISSING")) throw error;
    return () => Promise.resolve(0);
  }
}

/** One range to copy. */
export interface CopyRange {
  readonly from: FileHandle;
  /** Used in messages. */
  readonly fromPath: string;
  readonly fromOffset: number;
  readonly to: FileHandle;
  readonly toPath: string;
  readonly toOffset: number;
  readonly bytes: number;
}

/** Copies ranges one after the other through the same buffers. */
export class Copier {
  /** Allocated when first needed. */
  #buffers: readonly [Buffer, Buffer] | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onBytes: (bytes: number) => void;
  readonly #kernelCopy: KernelCopy;

  /**
   * @param signal - Stops a copy between two pieces; its reason is thrown.
   * @param onBytes - Called with the size of every piece written.
   * @param kernelCopy - Copies what it can of large ranges. @defaultValue the addon's copy
   */
  constructor(
    signal: AbortSignal | undefined,
    onBytes: (bytes: number) => void,
    kernelCopy: KernelCopy = addonCopy(),
  ) {
    this.#signal = signal;
    this.#onBytes = onBytes;
    this.#kernelCopy = kernelCopy;
  }

  /**
   * Copies one range. Zeros are skipped, not written: the target file must already reach to the
   * range's end and hold nothing there.
   *
   * @throws {R1Error} `FILE_TRUNCATED`, `FILE_UNREADABLE`, `NO_SPACE`, `IO_FAILED`; the signal's
   * reason.
   */
  async copy(range: CopyRange): Promise<void> {
    const done = range.bytes < KERNEL_LEAST_BYTES ? 0 : await this.#copyInKernel(range);
    if (done < range.bytes) await this.#copyThroughBuffers(range, done);
  }

  /**
   * Returns the number of bytes copied from the start. If it stops early, the following read or
   * write reports why.
   */
  async #copyInKernel({ from, fromOffset, to, toOffset, bytes }: CopyRange): Promise<number> {
    for (let done = 0; done < bytes;) {
      this.#signal?.throwIfAborted();
      const wanted = Math.min(KERNEL_PIECE_BYTES, bytes - done);
      const copied = await this.#kernelCopy({
        from: from.fd,
        fromOffset: fromOffset + done,
        to: to.fd,
        toOffset: toOffset + done,
        bytes: wanted,
      });
      done += copied;
      if (copied > 0) this.#onBytes(copied);
      if (copied < wanted) return done;
    }
    return bytes;
  }

  async #copyThroughBuffers(range: CopyRange, start: number): Promise<void> {
    let done = start;
    let index: 0 | 1 = 0;
    let write: Promise<void> = Promise.resolve();
    this.#buffers ??= [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)];
    try {
      while (done < range.bytes) {
        this.#signal?.throwIfAborted();
        const piece = this.#buffers[index].subarray(0, Math.min(PIECE_BYTES, range.bytes - done));
        await readExactly(range.from, range.fromPath, piece, range.fromOffset + done);
        await write;
        const at = range.toOffset + done;
        write = this.#writePiece(range, piece, at);
        // Awaited in the next iteration; a failure before that must not count as unhandled.
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
        await writeAll(range.to, piece.subarray(start, end), at + start);
        start = end;
      }
    } catch (error) {
      throw fileFailure(error, range.toPath, "written");
    }
    this.#onBytes(piece.length);
  }
}

/** Whether the next 64 KiB (or less at the end) from `start` are all zero. */
function isZero(piece: Buffer, start: number): boolean {
  const end = Math.min(piece.length, start + zeros.length);
  return piece[start] === 0 && piece.compare(zeros, 0, end - start, start, end) === 0;
}
