// A window that slides over the beginning of a file. It is the reader's only access to bytes, so
// every length is checked in one place. Reads are asynchronous.
import type { FileHandle } from "node:fs/promises";
import { R1Error } from "../base/errors.js";
import { readUpTo } from "../base/files/read.js";
import { GGUF_LIMITS } from "./format.js";

const CHUNK_BYTES = 1024 * 1024;
/**
 * Upper bound for the arrays of a real header, counted by the minimum size of their elements: the
 * largest vocabulary in use has 256 Ki tokens. Unit: bytes.
 */
const PLAUSIBLE_BYTES = 2 * 1024 * 1024;

/** Reads a file from its start, forwards only. */
export class Cursor {
  /** Bytes of the window. */
  chunk: Buffer = Buffer.alloc(0);
  /** The same bytes as a DataView. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Next byte to read, counted from the start of the window. */
  position = 0;
  readonly path: string;
  /** Size of the file, in bytes. */
  readonly size: number;
  readonly #file: FileHandle;
  #chunkOffset = 0;

  constructor(file: FileHandle, path: string, size: number) {
    this.#file = file;
    this.path = path;
    this.size = size;
  }

  /** Next byte to read, counted from the start of the file. */
  get offset(): number {
    return this.#chunkOffset + this.position;
  }

  /** Unread bytes of the file. */
  get remaining(): number {
    return this.size - this.offset;
  }

  /** Unread bytes of the window. */
  get buffered(): number {
    return this.chunk.length - this.position;
  }

  /**
   * Makes sure that the window has at least `count` unread bytes.
   *
   * @throws {R1Error} `FILE_TRUNCATED` if the file ends before that, `GGUF_INVALID` if the header
   * grows beyond its limit, `FILE_UNREADABLE` if reading fails.
   */
  async need(count: number, what: string): Promise<void> {
    if (this.buffered >= count) return;
    if (count > this.remaining) {
      throw new R1Error(
        "FILE_TRUNCATED",
        `"${this.path}" ends inside its header (${what}): the file is ${this.size} bytes long. Download or copy it again.`,
        {
          details: { path: this.path, fileBytes: this.size },
        },
      );
    }
    const offset = this.offset;
    if (offset + count > GGUF_LIMITS.headerBytes)
      this.invalid(`its header is longer than ${GGUF_LIMITS.headerBytes} bytes (${what})`);
    const wanted = Math.min(Math.max(count, CHUNK_BYTES), this.remaining);
    const next = Buffer.allocUnsafe(wanted);
    const kept = this.chunk.copy(next, 0, this.position);
    const filled = await readUpTo(this.#file, this.path, next, offset + kept, kept);
    if (filled < count) {
      throw new R1Error(
        "FILE_TRUNCATED",
        `"${this.path}" became shorter while it was read. Wait until it is written whole.`,
        { details: { path: this.path } },
      );
    }
    this.chunk = next.subarray(0, filled);
    this.view = new DataView(next.buffer, next.byteOffset, filled);
    this.#chunkOffset = offset;
    this.position = 0;
  }

  /** Throws `GGUF_INVALID` about this file. */
  invalid(what: string): never {
    throw invalidGguf(this.path, what);
  }

  /**
   * Reads a count or length (u64) that the file can hold: at most `limit`, each item taking at
   * least `minBytes` of the remaining bytes.
   */
  count(what: string, limit: number, minBytes: number): number {
    const value = this.u64(what);
    if (value > limit) this.invalid(`${what} is ${value}, more than the limit of ${limit}`);
    if (value * minBytes > this.remaining) {
      // A claim larger than any vocabulary is nonsense; one that merely runs past the end of the
      // file is typical of an interrupted download.
      if (value * minBytes > Math.max(this.size, PLAUSIBLE_BYTES))
        this.invalid(`${what} is ${value}, more than a file of ${this.size} bytes can hold`);
      throw new R1Error(
        "FILE_TRUNCATED",
        `"${this.path}" ends inside its header (${what}): the file is ${this.size} bytes long. Download or copy it again.`,
        {
          details: { path: this.path, fileBytes: this.size },
        },
      );
    }
    return value;
  }

  /** Reads the next 4 bytes, unsigned; they must be in the window. */
  u32(): number {
    const value = this.view.getUint32(this.position, true);
    this.position += 4;
    return value;
  }

  /** Reads the next 8 bytes, unsigned, as an exact number; they must be in the window. */
  u64(what: string): number {
    const value =
      this.view.getUint32(this.position, true) +
      this.view.getUint32(this.position + 4, true) * 4294967296;
    if (!Number.isSafeInteger(value))
      this.invalid(`${what} is ${this.view.getBigUint64(this.position, true)}`);
    this.position += 8;
    return value;
  }
}

/** Creates a `GGUF_INVALID` error for a file. */
export function invalidGguf(
  path: string,
  what: string,
  details: Record<string, unknown> = {},
): R1Error {
  return new R1Error(
    "GGUF_INVALID",
    `"${path}" is not a valid GGUF model: ${what}. Download it again, or convert the model again.`,
    {
      details: { path, ...details },
    },
  );
}
