// Files of downloads: their errors, and the free space on the disk.
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import { checkSpace } from "../base/files/space.js";

/** Converts a failure to write a download to an R1Error. */
function diskError(path: string, error: unknown): Error {
  const { code } = (error ?? {}) as { code?: unknown };
  // Missing folders are created, so the cause is a file in the place of a folder.
  if (["EISDIR", "ENOTDIR", "EEXIST"].includes(String(code)))
    return new R1Error(
      "FILE_EXISTS",
      `"${path}" cannot be written: something else has its name, or that of its folder. Choose another folder.`,
      { cause: error, details: { path } },
    );
  return fileFailure(error, path, "written");
}

/** Waits for work on a file; converts its failure to an R1Error. */
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
