// An append-only file of lines that is its own journal: a line counts once it is on the disk.
// Lines that come while others are written go out together. Runs on the JavaScript thread; writes
// and syncs on libuv's pool. Whoever opens one holds the lock of the output.
import { constants } from "node:fs";
import { open, truncate, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { syncFolder } from "../base/files/writer.js";

interface Waiting {
  readonly line: string;
  readonly start: number;
  readonly resolve: (start: number) => void;
  readonly reject: (error: Error) => void;
}

/** A file that lines are appended to. */
export class Journal {
  readonly path: string;
  readonly #file: FileHandle;
  /** Bytes that are known to be on the disk. */
  #synced: number;
  /** Where the next line begins: lines are written in the order of their calls. */
  #next: number;
  #waiting: Waiting[] = [];
  #failure: Error | undefined;
  #flushing: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle, size: number) {
    this.path = path;
    this.#file = file;
    this.#synced = size;
    this.#next = size;
  }

  /**
   * Opens a journal whose last line is whole, or creates it.
   *
   * @throws {R1Error} `FILE_UNWRITABLE`, `FILE_NOT_FOUND` (no such folder), `NO_SPACE`, `IO_FAILED`.
   */
  static async open(path: string): Promise<Journal> {
    try {
      const { O_RDWR, O_CREAT, O_APPEND } = constants;
      const file = await open(path, O_RDWR | O_CREAT | O_APPEND, 0o666);
      try {
        const { size } = await file.stat();
        // The name of a new file must be on the disk before any line of it counts.
        if (size === 0) await syncFolder(dirname(path));
        return new Journal(path, file, size);
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw fileFailure(error, path, "written");
    }
  }

  /**
   * Appends a line.
   *
   * @param line - Without a line break in it.
   * @returns Where the line begins, once it is on the disk. Unit: bytes.
   * @throws {R1Error} rejects with `NO_SPACE`, `IO_FAILED` and others of the system's. The first
   * failure is the last: the file is cut back to what is on the disk, and nothing is appended any
   * more. A failed sync is never tried again, since the system may report success for data that it
   * has dropped.
   */
  append(line: string): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const start = this.#next;
    this.#next += Buffer.byteLength(line) + 1;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, start, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Waits for lines on their way, and closes the file. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    // Lines of the same moment go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#write(Buffer.from(group.map(({ line }) => `${line}\n`).join("")));
        for (const { resolve, start } of group) resolve(start);
      } catch (error) {
        this.#failure ??= await this.#end(error);
        for (const { reject } of group) reject(this.#failure);
      }
    }
    // In the same turn as the last look: a line that comes now begins another flush.
    this.#flushing = undefined;
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length;)
      done += (await this.#file.write(bytes, done, bytes.length - done)).bytesWritten;
    await this.#file.datasync();
    this.#synced += bytes.length;
  }

  /** Cuts off what may not be on the disk, and words the failure. */
  async #end(cause: unknown): Promise<Error> {
    // On Windows a file that is open for appending can only be cut by its name.
    await this.#file
      .truncate(this.#synced)
      .catch(() => truncate(this.path, this.#synced))
      .catch(() => undefined);
    if ((cause as NodeJS.ErrnoException).syscall === "fdatasync")
      return new R1Error(
        "IO_FAILED",
        `"${this.path}" could not be brought to the disk: ${(cause as Error).message}. The rows of ` +
          "this moment do not count. Check the disk, then start the same command again.",
        { cause, details: { path: this.path } },
      );
    return fileFailure(cause, this.path, "written");
  }
}
