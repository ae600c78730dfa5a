// Names of temporary files, and the removal of those that killed processes and terminated worker
// threads left behind.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isOpenHere, ownIdentity, stateOf } from "./process-identity.js";

/** Longest name of a file on the usual file systems. Unit: bytes. */
const MAX_NAME_BYTES = 255;
/** Room for what is added to a name: process, start, machine, random part, endings. */
const ADDED_BYTES = 90;

/**
 * The name that temporary names of a file begin with: its own, or a hash of one that is too long.
 */
function stemOf(path: string): string {
  const name = basename(path);
  return Buffer.byteLength(name) <= MAX_NAME_BYTES - ADDED_BYTES
    ? name
    : `r1-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

/** A new temporary name beside a file; it says which process writes it. */
export function temporaryPath(path: string): string {
  const { pid, start, place } = ownIdentity();
  const tag = `${pid}-${start}-${place}-${randomBytes(8).toString("hex")}`;
  return join(dirname(path), `${stemOf(path)}.${tag}.partial`);
}

/** Temporary names of this thread that are in use. */
const inUse = new Set<string>();

/**
 * Creates a temporary file beside `path`; never opens one that exists, or follows a link.
 *
 * @throws the system's error.
 */
export async function createTemporary(
  path: string,
  mode: number,
): Promise<{ temporary: string; handle: FileHandle }> {
  const { O_CREAT, O_EXCL, O_RDWR, O_NOFOLLOW } = constants;
  // Not on Windows.
  const noFollow = (O_NOFOLLOW as number | undefined) ?? 0;
  const temporary = temporaryPath(path);
  inUse.add(temporary);
  try {
    return { temporary, handle: await open(temporary, O_CREAT | O_EXCL | O_RDWR | noFollow, mode) };
  } catch (error) {
    inUse.delete(temporary);
    throw error;
  }
}

/**
 * Creates a temporary folder beside `path`, for files whose names another program chooses.
 *
 * @throws the system's error.
 */
export async function createTemporaryFolder(path: string): Promise<string> {
  const temporary = temporaryPath(path);
  await mkdir(temporary, { mode: 0o700 });
  inUse.add(temporary);
  return temporary;
}

/** Removes a temporary file or folder. Never throws. */
export async function removeTemporary(temporary: string): Promise<void> {
  await rm(temporary, { force: true, recursive: true }).catch(() => undefined);
  inUse.delete(temporary);
}

/** Notes that a temporary file has got its own name. */
export function forgetTemporary(temporary: string): void {
  inUse.delete(temporary);
}

/** Whether the writer of a temporary file is gone. Of another machine's nothing can be known. */
function isLeftBehind(temporary: string, tag: string): boolean {
  const match = /^(\d+)-(\d+)-([0-9a-f]{8})-[0-9a-f]{16}$/.exec(tag);
  if (match === null) return false;
  const [, pid, start, place = ""] = match;
  const state = stateOf({ pid: Number(pid), start: Number(start), place });
  if (state === "self") return !inUse.has(temporary) && !isOpenHere(temporary);
  return state === "ended";
}

/** Removes the temporary files of a file whose writers are gone. */
export async function removeStale(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${stemOf(path)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(prefix) || !name.endsWith(".partial")) continue;
    const left = join(folder, name);
    if (isLeftBehind(left, name.slice(prefix.length, -".partial".length)))
      await rm(left, { force: true, recursive: true }).catch(() => undefined);
  }
}
