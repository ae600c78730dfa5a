// Names temporary files, and removes those that killed processes and terminated worker threads left
// behind.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isOpenHere, ownIdentity, stateOf } from "./process-identity.js";

/** Maximum length of a file name on common file systems. Unit: bytes. */
const MAX_NAME_BYTES = 255;
/** Space for the parts added to a name: process, start, machine, random part, endings. */
const ADDED_BYTES = 90;

/** The prefix of a file's temporary names: its own name, or a hash if that is too long. */
function stemOf(path: string): string {
  const name = basename(path);
  return Buffer.byteLength(name) <= MAX_NAME_BYTES - ADDED_BYTES
    ? name
    : `r1-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

/** Returns a new temporary name beside a file; the name identifies the writing process. */
export function temporaryPath(path: string): string {
  const { pid, start, place } = ownIdentity();
  const tag = `${pid}-${start}-${place}-${randomBytes(8).toString("hex")}`;
  return join(dirname(path), `${stemOf(path)}.${tag}.partial`);
}

/** Temporary names that this thread is using. */
const inUse = new Set<string>();

/**
 * Creates a temporary file beside `path`; never opens an existing one and never follows a link.
 *
 * @throws the system's error.
 */
export async function createTemporary(
  path: string,
  mode: number,
): Promise<{ temporary: string; handle: FileHandle }> {
  const { O_CREAT, O_EXCL, O_RDWR, O_NOFOLLOW } = constants;
  // Not available on Windows.
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

/** Records that a temporary file has been renamed to its final name. */
export function forgetTemporary(temporary: string): void {
  inUse.delete(temporary);
}

/**
 * Whether the writer of a temporary file is gone. Writers on another machine are unknown and count
 * as alive.
 */
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
