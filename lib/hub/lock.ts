// One download of a file at a time, also among processes and threads.
import * as files from "../base/files/lock.js";

/**
 * Takes the lock of a file that is being downloaded.
 *
 * @returns Releases the lock.
 * @throws {R1Error} `FILE_BUSY` when another download has it; the codes of the disk.
 */
export function takeLock(path: string): Promise<() => Promise<void>> {
  return files.takeLock(path, path.replace(/\.partial\.lock$/, ""), "being downloaded");
}
