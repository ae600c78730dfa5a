// Converts file system errors to R1Errors, with one code and one message for each kind.
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { isR1Error, R1Error, type R1ErrorCode } from "../errors.js";
import { isHeldOpen } from "./replace.js";

/** The operation on a file that failed. */
export type FileWork = "read" | "written";

/** Whether a value is the error of a system call. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  return typeof code === "string" && (typeof syscall === "string" || code.startsWith("ERR_"));
}

/** Returns the nearest folder above a path that does not exist or is not a folder. */
function brokenFolder(path: string): string | undefined {
  let broken: string | undefined;
  for (let at = dirname(path); ; at = dirname(at)) {
    try {
      if (statSync(at).isDirectory()) return broken;
    } catch {
      // Continue with the parent.
    }
    broken = at;
    if (dirname(at) === at) return broken;
  }
}

/** Returns the folder in which a file would be created, or its nearest parent that exists. */
function existingFolder(path: string): string {
  for (let at = dirname(path); ; at = dirname(at)) {
    try {
      if (statSync(at).isDirectory()) return at;
    } catch {
      // Continue with the parent.
    }
    if (dirname(at) === at) return at;
  }
}

function missing(path: string, work: FileWork): [R1ErrorCode, string] {
  const folder = brokenFolder(path);
  if (folder !== undefined)
    return [
      "FILE_NOT_FOUND",
      `"${path}" cannot be ${work}: there is no folder "${folder}". ${
        work === "written" ? "Create it first, or choose another." : "Check the path."
      }`,
    ];
  if (work === "read")
    return ["FILE_NOT_FOUND", `The file "${path}" does not exist. Check the path.`];
  return [
    "FILE_NOT_FOUND",
    `"${path}" cannot be written: another program removed its temporary file.`,
  ];
}

function denied(path: string, work: FileWork): [R1ErrorCode, string] {
  if (work === "read")
    return [
      "FILE_UNREADABLE",
      `"${path}" cannot be read: permission denied. Check the permissions ` +
        "of the file and its folders.",
    ];
  return [
    "FILE_UNWRITABLE",
    `"${path}" cannot be written: permission denied. Choose another folder, or change the ` +
      `permissions of "${existingFolder(path)}".`,
  ];
}

const IN_USE =
  process.platform === "win32"
    ? "another program, or a model that is loaded from it, has it open. Close it and try again"
    : "the system is using it";

function wording(code: string, path: string, work: FileWork): [R1ErrorCode, string] | undefined {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return missing(path, work);
    case "EACCES":
    case "EPERM":
      return denied(path, work);
    case "EROFS":
      return [
        "FILE_UNWRITABLE",
        `"${path}" cannot be written: its disk is read-only. Choose another folder.`,
      ];
    case "ETXTBSY":
    case "EBUSY":
      return work === "written"
        ? ["FILE_UNWRITABLE", `"${path}" cannot be written: ${IN_USE}.`]
        : ["FILE_UNREADABLE", `"${path}" cannot be read: ${IN_USE}.`];
    case "EISDIR":
      return ["FILE_IS_DIRECTORY", `"${path}" is a directory. Specify a file.`];
    case "ENOTEMPTY":
    case "EEXIST":
      return [
        "FILE_EXISTS",
        `"${path}" already exists. Remove it, choose another name, or allow ` +
          "overwriting (option `force`).",
      ];
    case "ENOSPC":
    case "EDQUOT":
      return ["NO_SPACE", `The disk of "${path}" is full. Free some space or write elsewhere.`];
    case "EFBIG":
      return [
        "NO_SPACE",
        `"${path}" cannot grow any more: its file system, or a limit of this user ` +
          "(`ulimit -f`), allows no larger file.",
      ];
    case "EMFILE":
    case "ENFILE":
      return [
        "RESOURCE_EXHAUSTED",
        `"${path}" cannot be ${work}: too many files are open. Close some, or raise the limit (\`ulimit -n\`).`,
      ];
    case "ENOMEM":
      return ["OUT_OF_MEMORY", `"${path}" cannot be ${work}: the system is out of memory.`];
    case "ENAMETOOLONG":
    case "ELOOP": {
      const why = code === "ELOOP" ? "its symbolic links form a loop" : "the name is too long";
      return work === "written"
        ? ["FILE_UNWRITABLE", `"${path}" cannot be written: ${why}. Choose another name.`]
        : ["FILE_NOT_FOUND", `The file "${path}" does not exist: ${why}. Check the path.`];
    }
    case "ERR_INVALID_ARG_VALUE":
    case "ERR_INVALID_ARG_TYPE":
      return [
        "INVALID_ARGUMENT",
        `${JSON.stringify(path)} cannot be the path of a file: it contains a NUL character.`,
      ];
    default:
      return undefined;
  }
}

/**
 * Returns the R1Error for a failure with a file. An R1Error, and an error that does not come from
 * the system, is returned unchanged.
 *
 * @param path - The file, as the user named it.
 * @param hint - Added to the message of `FILE_NOT_FOUND`.
 */
export function fileFailure(error: unknown, path: string, work: FileWork, hint = ""): Error {
  if (isR1Error(error)) return error;
  if (!isSystemError(error))
    return error instanceof Error ? error : new Error(String(error), { cause: error });
  const held = isHeldOpen(error) ? "EBUSY" : undefined;
  const [code, message] = wording(held ?? error.code ?? "", path, work) ?? [
    work === "read" ? ("FILE_UNREADABLE" as const) : ("IO_FAILED" as const),
    `"${path}" cannot be ${work}: ${error.message}.`,
  ];
  return new R1Error(code, code === "FILE_NOT_FOUND" ? message + hint : message, {
    cause: error,
    details: { path },
  });
}
