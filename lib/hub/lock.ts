// One download of a file at a time, also among processes. Runs on the JavaScript thread; waits are asynchronous.
import { open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { R1Error } from "../base/errors.js";
import { isRunning, onDisk } from "./disk.js";

/** When this process began: tells it from an earlier one of the same number, as containers have them. Unit: milliseconds. */
const STARTED = Math.round(Date.now() - process.uptime() * 1000);
/** Two readings of the same start may differ by what the clock was set. Unit: milliseconds. */
const CLOCK_SLACK_MS = 5_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly started: number;
}

/** Who holds a lock; undefined when that cannot be told. */
async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    const { pid, host, started } = JSON.parse(await readFile(path, "utf8")) as Partial<Holder>;
    return typeof pid === "number" && typeof host === "string" && typeof started === "number"
      ? { pid, host, started }
      : undefined;
  } catch {
    return undefined;
  }
}

function isLeftBehind({ pid, host, started }: Holder): boolean {
  if (host !== hostname()) return false;
  if (pid === process.pid) return Math.abs(started - STARTED) > CLOCK_SLACK_MS;
  return !isRunning(pid);
}

/**
 * Takes a lock.
 *
 * @returns What gives it back.
 * @throws {R1Error} `FILE_BUSY` when someone else has it; the codes of the disk.
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  for (let isSecondTry = false; ; isSecondTry = true) {
    try {
      const file = await open(path, "wx");
      try {
        await file.writeFile(
          JSON.stringify({ pid: process.pid, host: hostname(), started: STARTED } satisfies Holder),
        );
      } finally {
        await file.close();
      }
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST")
        return onDisk(path, Promise.reject(error as Error));
      const holder = await holderOf(path);
      if (!isSecondTry && holder !== undefined && isLeftBehind(holder)) {
        await rm(path, { force: true });
        continue;
      }
      const who = holder === undefined ? "" : ` by process ${holder.pid} on ${holder.host}`;
      throw new R1Error(
        "FILE_BUSY",
        `"${path}" is held${who}: the file is being downloaded already. Wait for that download, or remove the lock if there is none.`,
        {
          details: { path: path.replace(/\.partial\.lock$/, ""), lock: path },
        },
      );
    }
  }
}
