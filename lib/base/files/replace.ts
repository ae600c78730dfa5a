// Renames files. On Windows a file that another program has open for a moment, such as a scanner
// for viruses or an indexer, can be neither moved nor replaced, so the rename is tried again.
import { randomBytes } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Number of attempts on Windows. */
const TRIES = 10;
/** Pause after the first attempt; each later one is longer by as much. Unit: milliseconds. */
const PAUSE_MS = 20;

/**
 * Whether an error means on Windows that a program has the file open. On other systems the same
 * codes are about permissions, and open files can be replaced.
 */
export function isHeldOpen(error: unknown, platform: string = process.platform): boolean {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return (
    platform === "win32" &&
    (code === "EBUSY" ||
      ((code === "EPERM" || code === "EACCES") &&
        ["rename", "link", "unlink"].includes(syscall ?? "")))
  );
}

/** What {@link replaceFile} uses of the system; tests give others. */
export interface Moves {
  readonly platform: string;
  readonly rename: (from: string, to: string) => Promise<void>;
}

const SYSTEM: Moves = { platform: process.platform, rename };

/** The name of a replaced file that is still open. */
const asideName = (path: string): string => `${path}.${randomBytes(6).toString("hex")}.r1-old`;

/**
 * Replaces a file that this process, for example a session restored from it, holds open in a way
 * that lets it be renamed: it is moved aside first, and is removed when its last handle is closed.
 */
async function replaceHeld(from: string, to: string, moves: Moves): Promise<void> {
  const aside = asideName(to);
  await moves.rename(to, aside);
  try {
    await moves.rename(from, to);
  } catch (error) {
    await moves.rename(aside, to);
    throw error;
  }
  await rm(aside, { force: true }).catch(() => undefined);
}

/**
 * Renames a file and replaces an existing one.
 *
 * @throws the system's error. On Windows only after about a second, if the file stays open.
 */
export async function replaceFile(from: string, to: string, moves = SYSTEM): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await moves.rename(from, to);
      return;
    } catch (error) {
      if (!isHeldOpen(error, moves.platform)) throw error;
      if (attempt === TRIES) return replaceHeld(from, to, moves);
      await sleep(attempt * PAUSE_MS);
    }
  }
}
