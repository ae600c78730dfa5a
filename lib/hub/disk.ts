// Files of downloads: their errors, and the room that is left on the disk.
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { checkSpace } from "../base/files/space.js";

/** The R1Error of a failure while a download is written. */
export function diskError(path: string, error: unknown): Error {
  const { code } = (error ?? {}) as { code?: unknown };
  // Folders are created where they are missing, so a file stands where one should be.
  if (["EISDIR", "ENOTDIR", "EEXIST"].includes(String(code)))
    return new R1Error(
      "FILE_EXISTS",
      `"${path}" cannot be written: something else has its name, or that of its folder. Choose another folder.`,
      { cause: error, details: { path } },
    );
  return fileFailure(error, path, "written");
}

/** Waits for work on a file; its failure becomes an R1Error. */
export async function onDisk<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw diskError(path, error);
  }
}

/**
 * @throws {R1Error} `NO_SPACE` when `bytes` more do not fit into a folder, which need not exist.
 */
export function checkRoom(folder: string, bytes: number): Promise<void> {
  return checkSpace(folder, bytes, "Free some space, download elsewhere, or name fewer files.");
}
