// Locks of the kernel on files, which end with their process however it dies. Any JavaScript
// thread.
import { native } from "../binding/load.js";

/** A lock that is held. */
export interface FileLock {
  /** Frees it. Does nothing the second time. */
  release(): void;
}

/**
 * Locks a file for this open of it alone: against other processes, other threads and other calls of
 * this function. Never waits.
 *
 * @param path - A file that exists and may be written.
 * @returns `"busy"` when another one holds it; `"unsupported"` where the file system has no locks.
 * @throws {R1Error} `IO_FAILED` when the file cannot be opened, `ADDON_MISSING`.
 */
export function lockFile(path: string): FileLock | "busy" | "unsupported" {
  return native().lockFile(path);
}
