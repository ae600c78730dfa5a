// Opens a model file for reading and describes problems with its path. Asynchronous.
import { open, stat, type FileHandle } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import { R1Error } from "../base/errors.js";
import { fileFailure } from "../base/files/failure.js";
import type { GgufHeader } from "./format.js";
import { readHeader } from "./header.js";

/** Suggests what a path may have meant that looks like a repository on the Hub's pages. */
function hubHint(path: string): string {
  const given = isAbsolute(path) ? relative(process.cwd(), path) : path;
  return /^[\w-][\w.-]*\/[\w-][\w.-]*(:[\w.-]+)?$/.test(given) && !given.endsWith(".gguf")
    ? ` A model on the Hub is written hf:${given}.`
    : "";
}

/**
 * Opens a non-empty regular file, passes it to `use`, and always closes it.
 *
 * @throws {R1Error} `FILE_NOT_FOUND`, `FILE_IS_DIRECTORY`, `FILE_EMPTY`, `FILE_UNREADABLE` (no
 * permission, or not a regular file), and what `use` throws.
 */
export async function withFile<T>(
  path: string,
  use: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  let file: FileHandle;
  let size: number;
  try {
    // Checked before opening: opening a named pipe would block until its other end opens.
    const facts = await stat(path);
    if (facts.isDirectory()) {
      throw new R1Error(
        "FILE_IS_DIRECTORY",
        `"${path}" is a directory. Give the model file in it (of a split model the first part, ...-00001-of-0000N.gguf).`,
        {
          details: { path },
        },
      );
    }
    if (!facts.isFile())
      throw new R1Error(
        "FILE_UNREADABLE",
        `"${path}" is not a regular file (a pipe, socket or device). Give a model file.`,
        { details: { path } },
      );
    if (facts.size === 0)
      throw new R1Error("FILE_EMPTY", `"${path}" is empty. Download or copy it again.`, {
        details: { path },
      });
    size = facts.size;
    file = await open(path, "r");
  } catch (error) {
    throw fileFailure(error, path, "read", hubHint(path));
  }
  try {
    return await use(file, size);
  } finally {
    await file.close();
  }
}

/**
 * Reads the header of a GGUF file.
 *
 * @throws {R1Error} like {@link withFile} and {@link readHeader}.
 */
export function readGgufFile(path: string, signal?: AbortSignal): Promise<GgufHeader> {
  return withFile(path, (file, size) => readHeader(file, path, size, signal));
}
