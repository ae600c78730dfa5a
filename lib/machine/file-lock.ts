// Kernel locks on files, which are released when their process ends, however it ends.
import { native } from "../binding/load.js";

/** A lock that is held. */
export interface FileLock {
  /** Releases it. A second call does nothing. */
  release(): void;
}

/**
 * Locks a file for this one open handle: against other processes, other threads and other calls of
 * this function. Never waits.
 *
 * @param path - A file that exists and is writable.
 * @returns `"busy"` if it is already locked; `"unsupported"` if the file system has no locks.
 * @throws {R1Error} `IO_FAILED` if the file cannot be opened, `ADDON_MISSING`.
 */
export function lockFile(path: string): FileLock | "busy" | "unsupported" {
  return native().lockFile(path);
}
