// Allows one download of a file at a time, also across processes and threads.
import * as files from "../base/files/lock.js";

/**
 * Takes the lock of a file that is being downloaded.
 *
 * @returns A function that releases the lock.
 * @throws {R1Error} `FILE_BUSY` if another download holds it; the codes of the disk.
 */
export function takeLock(path: string): Promise<() => Promise<void>> {
  return files.takeLock(path, path.replace(/\.partial\.lock$/, ""), "being downloaded");
}
