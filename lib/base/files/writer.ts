// Writes files atomically: under a temporary name, which is renamed once all bytes are on the disk.
// A failure or a kill never leaves a file that only looks complete, and an old file stays until the
// new one replaces it.
import { chmod, link, lstat, open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { R1Error } from "../errors.js";
import { fileFailure } from "./failure.js";
import { replaceFile } from "./replace.js";
import { followLinks } from "./same-file.js";
import { createTemporary, forgetTemporary, removeStale, removeTemporary } from "./temporary.js";

/** Maximum bytes per write, below the 2 GiB limit of every system. */
const CHUNK_BYTES = 1 << 30;

function existsError(path: string, cause?: unknown): R1Error {
  return new R1Error(
    "FILE_EXISTS",
    `"${path}" already exists. Remove it, choose another name, or allow ` +
      "overwriting (option `force`).",
    { cause, details: { path } },
  );
}

/** @throws {R1Error} `FILE_EXISTS` when the name exists, also as a symbolic link. */
export async function refuseExisting(path: string): Promise<void> {
  const facts = await lstat(path).catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw fileFailure(error, path, "written");
  });
  if (facts !== undefined) throw existsError(path);
}

/**
 * Refuses anything that must not be replaced by a file.
 *
 * @returns The permissions of the file that will be replaced; undefined if there is none.
 * @throws {R1Error} `FILE_IS_DIRECTORY`; `FILE_UNWRITABLE` for a device, FIFO or socket.
 */
async function checkReplaceable(path: string): Promise<number | undefined> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts === undefined) return undefined;
  if (facts.isDirectory())
    throw new R1Error("FILE_IS_DIRECTORY", `"${path}" is a directory. Specify a file.`, {
      details: { path },
    });
  if (!facts.isFile())
    throw new R1Error(
      "FILE_UNWRITABLE",
      `"${path}" is a device, FIFO or socket, not a regular file, and is not ` +
        "overwritten. Choose another name.",
      { details: { path } },
    );
  return facts.mode & 0o777;
}

/** Writes all given bytes at a position in a file. */
export async function writeAll(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(CHUNK_BYTES, bytes.length - done);
    done += (await file.write(bytes, done, length, position + done)).bytesWritten;
  }
}

/** Makes the names in a folder survive a power failure, if the system supports that. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}

/** Options of {@link AtomicFile}. */
export interface WriteOptions {
  /**
   * Whether to replace an existing file; if false, that is an error, at the beginning and at the
   * end.
   */
  readonly force: boolean;
  /** Only this user may read the file (mode 0600), even if it replaces one that others may read. */
  readonly isPrivate?: boolean | undefined;
}

/**
 * A file that is being written. Create it with {@link AtomicFile.create}; end it with `finish` or
 * `discard`.
 */
export class AtomicFile {
  /** The name that the user gave. */
  readonly path: string;
  /** Path of the bytes until `finish`. */
  readonly temporary: string;
  readonly handle: FileHandle;
  /** Equal to `path`, or the target if that is a link. */
  readonly #target: string;
  readonly #options: WriteOptions;
  #isOpen = true;
  #isOver = false;

  private constructor(
    path: string,
    target: string,
    temporary: string,
    handle: FileHandle,
    options: WriteOptions,
  ) {
    this.path = path;
    this.#target = target;
    this.temporary = temporary;
    this.handle = handle;
    this.#options = options;
  }

  /**
   * Creates a temporary file beside `path`, and removes those that dead processes left there.
   *
   * @param path - If it is a symbolic link, the target is written or replaced and the link stays.
   * @throws {R1Error} `FILE_EXISTS`, `FILE_NOT_FOUND` (no such folder), `FILE_IS_DIRECTORY`,
   * `FILE_UNWRITABLE`, `NO_SPACE`, `RESOURCE_EXHAUSTED`, `IO_FAILED`.
   */
  static async create(path: string, options: WriteOptions): Promise<AtomicFile> {
    if (!options.force) await refuseExisting(path);
    try {
      const target = await followLinks(path);
      await checkReplaceable(target);
      await removeStale(target);
      const mode = options.isPrivate === true ? 0o600 : 0o666;
      const { temporary, handle } = await createTemporary(target, mode);
      return new AtomicFile(path, target, temporary, handle, options);
    } catch (error) {
      throw fileFailure(error, path, "written");
    }
  }

  /** Writes the bytes to the disk and closes the file, which keeps its temporary name. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      await this.handle.sync();
    } catch (error) {
      throw fileFailure(error, this.path, "written");
    } finally {
      await this.handle.close();
    }
  }

  /**
   * Closes the file and renames it to its final name.
   *
   * @throws {R1Error} as {@link AtomicFile.create}; the old file then still exists.
   */
  async finish(): Promise<void> {
    try {
      await this.close();
      const { force, isPrivate = false } = this.#options;
      const mode = await checkReplaceable(this.#target);
      if (mode !== undefined && force && !isPrivate) await chmod(this.temporary, mode);
      await publish(this.temporary, this.#target, force);
      this.#isOver = true;
      forgetTemporary(this.temporary);
      await syncFolder(dirname(this.#target));
    } catch (error) {
      throw fileFailure(error, this.path, "written");
    }
  }

  /** Closes and removes the temporary file; does nothing after `finish`. Never throws. */
  async discard(): Promise<void> {
    if (this.#isOver) return;
    if (this.#isOpen) {
      this.#isOpen = false;
      await this.handle.close().catch(() => undefined);
    }
    this.#isOver = true;
    await removeTemporary(this.temporary);
  }
}

/**
 * Renames a finished file to its final name; without `force` it never replaces an existing one.
 *
 * @throws the system's error, or {@link R1Error} `FILE_EXISTS`.
 */
export async function publish(temporary: string, path: string, force: boolean): Promise<void> {
  if (force) {
    await replaceFile(temporary, path);
    return;
  }
  try {
    // A hard link fails if the file exists; a rename would replace it.
    await link(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw existsError(path, error);
    // A file system without hard links.
    await refuseExisting(path);
    await replaceFile(temporary, path);
    return;
  }
  await removeTemporary(temporary);
}

/**
 * Writes a whole file: readers see either the old file or the complete new one.
 *
 * @param fill - Writes the bytes to the open temporary file; it may also use its path.
 * @throws {R1Error} as {@link AtomicFile.create}; the errors of `fill`. Nothing is left behind
 * then.
 */
export async function writeFileAtomically(
  path: string,
  options: WriteOptions,
  fill: (file: AtomicFile) => Promise<void>,
): Promise<void> {
  const file = await AtomicFile.create(path, options);
  try {
    await fill(file);
    await file.finish();
  } catch (error) {
    throw fileFailure(error, path, "written");
  } finally {
    await file.discard();
  }
}
