// Writes a file under a temporary name and gives it its own name only when it is whole, so that neither an abort nor a kill leaves a file that looks whole.
// Runs on the calling JavaScript thread; all waits are asynchronous.
import {
  access,
  link,
  open,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  unlink,
  type FileHandle,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { R1Error } from "../base/errors.js";

/** Age after which a temporary file of a process that is gone counts as left behind. Unit: milliseconds. */
const STALE_MS = 60_000;

/** What went wrong with writing, as an R1Error. */
export function writeError(path: string, error: unknown): unknown {
  if (error instanceof R1Error) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const details = { path };
  if (code === undefined) return error;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new R1Error(
      "NO_SPACE",
      `The disk of "${path}" is full. Free some space or write elsewhere.`,
      { cause: error, details },
    );
  if (code === "EEXIST") return existsError(path, error);
  if (code === "ENOENT")
    return new R1Error(
      "FILE_NOT_FOUND",
      `"${path}" cannot be written: its folder does not exist. Create it first.`,
      { cause: error, details },
    );
  return new R1Error("IO_FAILED", `"${path}" cannot be written: ${(error as Error).message}.`, {
    cause: error,
    details,
  });
}

function existsError(path: string, cause?: unknown): R1Error {
  return new R1Error(
    "FILE_EXISTS",
    `"${path}" exists already. Remove it, choose another name, or ask to overwrite it (option \`force\`).`,
    {
      cause,
      details: { path },
    },
  );
}

/** @throws {R1Error} `FILE_EXISTS` when something stands at the path. */
export async function refuseExisting(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists) throw existsError(path);
}

/**
 * @param bytes - What is to be written into the folder.
 * @throws {R1Error} `NO_SPACE` when it does not fit, `FILE_NOT_FOUND` when there is no such folder.
 */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  const facts = await statfs(folder).catch((error: unknown) => {
    throw writeError(join(folder, "."), error);
  });
  const free = facts.bavail * facts.bsize;
  if (free >= bytes) return;
  const gib = (n: number): string => `${(n / 2 ** 30).toFixed(1)} GiB`;
  throw new R1Error(
    "NO_SPACE",
    `"${folder}" has ${gib(free)} free, ${gib(bytes)} are needed. Free some space or write elsewhere.`,
    {
      details: { path: folder, freeBytes: free, neededBytes: bytes },
    },
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Temporary name of a file while this process writes it. */
export function partialPath(path: string): string {
  return `${path}.${process.pid}.partial`;
}

/** Removes what killed processes left of the same file. */
export async function removeStale(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = /^(\d+)\.partial$/.exec(
      name.startsWith(prefix) ? name.slice(prefix.length) : "",
    )?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const left = join(folder, name);
    // Another machine's process may write here through a shared folder: what was touched lately is left alone.
    const facts = await stat(left).catch(() => undefined);
    if (facts !== undefined && Date.now() - facts.mtimeMs > STALE_MS)
      await rm(left, { force: true });
  }
}

/** A file on its way. Make it with {@link AtomicFile.create}; end it with `finish` or `discard`. */
export class AtomicFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly #partial: string;
  readonly #isForced: boolean;
  #isOpen = true;

  private constructor(path: string, partial: string, handle: FileHandle, isForced: boolean) {
    this.path = path;
    this.#partial = partial;
    this.handle = handle;
    this.#isForced = isForced;
  }

  /**
   * Opens a temporary file beside `path`.
   *
   * @param isForced - What stands at `path` is replaced at the end; else it is an error, now and at the end.
   * @throws {R1Error} `FILE_EXISTS`, `FILE_NOT_FOUND` (no such folder), `IO_FAILED`.
   */
  static async create(path: string, isForced: boolean): Promise<AtomicFile> {
    if (!isForced) await refuseExisting(path);
    await removeStale(path);
    const partial = partialPath(path);
    try {
      return new AtomicFile(path, partial, await open(partial, "w"), isForced);
    } catch (error) {
      throw writeError(path, error);
    }
  }

  /** Makes the bytes lasting and closes the file; it keeps its temporary name. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      await this.handle.datasync();
    } finally {
      await this.handle.close();
    }
  }

  /** Closes the file and gives it its name. */
  async finish(): Promise<void> {
    try {
      await this.close();
      await publish(this.#partial, this.path, this.#isForced);
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  /** Closes and removes the temporary file; does nothing after `finish`. */
  async discard(): Promise<void> {
    if (this.#isOpen) {
      this.#isOpen = false;
      await this.handle.close().catch(() => undefined);
    }
    await rm(this.#partial, { force: true }).catch(() => undefined);
  }
}

/**
 * Gives a whole file its name.
 *
 * @throws {R1Error} `FILE_EXISTS` when something came to stand there meanwhile and `isForced` is false.
 */
export async function publish(partial: string, path: string, isForced: boolean): Promise<void> {
  if (isForced) {
    await rename(partial, path);
    return;
  }
  try {
    // A hard link fails where a file stands already; a rename would replace it.
    await link(partial, path);
    await unlink(partial);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST") throw existsError(path, error);
    await refuseExisting(path);
    await rename(partial, path);
  }
}
