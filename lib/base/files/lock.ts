// Locks files among threads, processes and machines. There is one holder at a time, even when
// several processes take over the lock of a killed one.
import { randomBytes } from "node:crypto";
import { link, open, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import { R1Error } from "../errors.js";
import { fileFailure } from "./failure.js";
import { isOpenHere, ownIdentity, stateByClock, stateOf } from "./process-identity.js";

/**
 * An unreadable lock, left by a kill or a full disk, counts as stale from this age. Unit:
 * milliseconds.
 */
const UNREADABLE_MS = 10_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Milliseconds since 1970; in locks of older versions, which lack the fields below. */
  readonly started: number;
  readonly start: number | undefined;
  readonly place: string | undefined;
}

/** Returns the holder of a lock; undefined if the file does not say. */
async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    const { pid, host, started, start, place } = JSON.parse(await readFile(path, "utf8")) as Record<
      string,
      unknown
    >;
    if (typeof pid !== "number" || typeof host !== "string" || !Number.isInteger(pid) || pid < 1)
      return undefined;
    return {
      pid,
      host,
      started: typeof started === "number" ? started : 0,
      start: typeof start === "number" ? start : undefined,
      place: typeof place === "string" ? place : undefined,
    };
  } catch {
    return undefined;
  }
}

async function isLeftBehind(path: string, holder: Holder | undefined): Promise<boolean> {
  if (holder === undefined) {
    const facts = await stat(path).catch(() => undefined);
    return facts !== undefined && Date.now() - facts.mtimeMs > UNREADABLE_MS;
  }
  const { pid, host, started, start, place } = holder;
  const state =
    start !== undefined && place !== undefined
      ? stateOf({ pid, start, place })
      : stateByClock(pid, host, started);
  // The lock of a terminated worker thread: nothing in this process has it open.
  return state === "ended" || (state === "self" && start !== undefined && !isOpenHere(path));
}

/** Returns the inode of an open file or a path; undefined if it does not exist. */
async function inodeOf(file: FileHandle | string): Promise<bigint | undefined> {
  const facts =
    typeof file === "string" ? stat(file, { bigint: true }) : file.stat({ bigint: true });
  return (await facts.catch(() => undefined))?.ino;
}

/**
 * Windows keeps the name of a file that is removed until its last handle is closed, so no lock is
 * removed there while it is open.
 */
const IS_WINDOWS = process.platform === "win32";

/**
 * Creates a lock together with its text, so that a kill cannot leave an empty one.
 *
 * @returns The open file; undefined when the lock exists.
 */
async function create(path: string): Promise<FileHandle | undefined> {
  const { pid, start, place } = ownIdentity();
  const started = Math.round(Date.now() - process.uptime() * 1000);
  const temporary = `${path}.${randomBytes(8).toString("hex")}`;
  const file = await open(temporary, "wx");
  try {
    await file.writeFile(JSON.stringify({ pid, host: hostname(), started, start, place }));
    if (!IS_WINDOWS) {
      await link(temporary, path);
      return file;
    }
    await file.close();
    await link(temporary, path);
    return await open(path, "r+");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EPERM" || code === "ENOSYS" || code === "ENOTSUP" || code === "EMLINK") {
      // A file system without hard links.
      const lock = await open(path, "wx").catch(() => undefined);
      await lock?.writeFile(JSON.stringify({ pid, host: hostname(), started, start, place }));
      await file.close();
      return lock;
    }
    await file.close();
    if (code === "EEXIST") return undefined;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Removes the lock of a dead process, unless another process has already replaced it. */
async function removeStale(path: string, inode: bigint | undefined): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  // Another process took over the lock in between: put it back, unless a third process holds it by
  // now.
  if ((await inodeOf(aside)) !== inode) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/**
 * Runs work that only one process may do at a time; returns false if another process is doing it.
 */
async function guarded(path: string, work: () => Promise<void>): Promise<boolean> {
  const guard = `${path}.takeover`;
  const file = await open(guard, "wx").catch(() => undefined);
  if (file === undefined) {
    const facts = await stat(guard).catch(() => undefined);
    if (facts !== undefined && Date.now() - facts.mtimeMs > UNREADABLE_MS)
      await removeStale(guard, await inodeOf(guard));
    return false;
  }
  try {
    await work();
  } finally {
    await file.close();
    await rm(guard, { force: true });
  }
  return true;
}

/** Number of attempts before a lock that others keep taking over counts as held. */
const TRIES = 5;
const PAUSE_MS = 20;

/**
 * Takes a lock.
 *
 * @param path - Path of the lock file.
 * @param file - The file that it protects, for the error.
 * @param doing - What the holder does, e.g. "being downloaded".
 * @returns A function that releases the lock.
 * @throws {R1Error} `FILE_BUSY` when another holder has it; the codes of system errors.
 */
export async function takeLock(
  path: string,
  file: string,
  doing: string,
): Promise<() => Promise<void>> {
  let holder: Holder | undefined;
  try {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const handle = await create(path);
      if (handle !== undefined) return () => release(path, handle);
      holder = await holderOf(path);
      if (!(await isLeftBehind(path, holder))) {
        // Released in between, or held.
        if ((await inodeOf(path)) === undefined) continue;
        break;
      }
      const isMine = await guarded(path, async () => {
        const inode = await inodeOf(path);
        if (await isLeftBehind(path, await holderOf(path))) await removeStale(path, inode);
      });
      if (!isMine) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } catch (error) {
    throw fileFailure(error, file, "written");
  }
  const who = holder === undefined ? "" : ` by process ${holder.pid} on ${holder.host}`;
  throw new R1Error(
    "FILE_BUSY",
    `"${path}" is locked${who}: the file is already ${doing}. Wait until that has finished, ` +
      "or remove the lock file if nothing is doing it.",
    { details: { path: file, lock: path } },
  );
}

async function release(path: string, handle: FileHandle): Promise<void> {
  try {
    const isMine = (await inodeOf(path)) === (await inodeOf(handle));
    if (IS_WINDOWS) await handle.close();
    if (isMine) await rm(path, { force: true });
  } finally {
    await handle.close();
  }
}
