// Identifies processes across restarts and machines, for locks and temporary files. A process
// number alone is not enough: the system reuses it, and it means nothing on another machine.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { processStat } from "../process-stat.js";

/**
 * Two readings of the same start differ by up to this when the clock is adjusted. Unit:
 * milliseconds.
 */
const CLOCK_SLACK_MS = 5_000;
/** Ticks per second in /proc, on every Linux that Node supports. */
const TICKS = 100;

function text(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** When a process started, in ticks since the machine started; undefined without /proc. */
function startTicks(pid: number | "self"): number | undefined {
  const ticks = Number(processStat(pid)?.[19]);
  return Number.isSafeInteger(ticks) ? ticks : undefined;
}

/** When a process started, by the clock; undefined without /proc. Unit: milliseconds. */
function startTime(pid: number): number | undefined {
  const ticks = startTicks(pid);
  const booted = /^btime (\d+)$/m.exec(text("/proc/stat") ?? "")?.[1];
  return ticks === undefined || booted === undefined
    ? undefined
    : Number(booted) * 1000 + (ticks * 1000) / TICKS;
}

/** The scope of process numbers: one machine and one container. */
function placeOf(): string {
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Not Linux: all processes of the machine share one range of numbers.
  }
  return createHash("sha256").update(`${hostname()}\n${namespace}`).digest("hex").slice(0, 8);
}

/** Identifies a process. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Machine and container, shortened. */
  readonly place: string;
  /** Its start: ticks of the machine's clock, or milliseconds since 1970 without /proc. */
  readonly start: number;
}

let own: ProcessIdentity | undefined;

/** This process; the same value in all its threads. */
export function ownIdentity(): ProcessIdentity {
  own ??= Object.freeze({
    pid: process.pid,
    place: placeOf(),
    start: startTicks("self") ?? Math.round(Date.now() - process.uptime() * 1000),
  });
  return own;
}

/** Whether a process with this number runs on this machine. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/**
 * What is known about a process.
 *
 * - `self`: this process, possibly another thread of it
 * - `unknown`: it belongs to another machine or container
 */
export type ProcessState = "self" | "running" | "ended" | "unknown";

/** Whether a process still runs, and is not another one that reuses its number. */
export function stateOf({ pid, place, start }: ProcessIdentity): ProcessState {
  const self = ownIdentity();
  if (place !== self.place) return "unknown";
  if (!isRunning(pid)) return "ended";
  const ticks = startTicks(pid);
  const isSame =
    ticks !== undefined
      ? ticks === start
      : pid !== self.pid || Math.abs(start - self.start) <= CLOCK_SLACK_MS;
  if (!isSame) return "ended";
  return pid === self.pid ? "self" : "running";
}

/** Like {@link stateOf}, for a process of which only the clock time of its start is known. */
export function stateByClock(pid: number, host: string, started: number): ProcessState {
  if (host !== hostname()) return "unknown";
  if (!isRunning(pid)) return "ended";
  const actual =
    startTime(pid) ??
    (pid === process.pid ? Math.round(Date.now() - process.uptime() * 1000) : started);
  if (Math.abs(actual - started) > CLOCK_SLACK_MS) return "ended";
  return pid === process.pid ? "self" : "running";
}

/**
 * Whether a thread of this process has a file open; true if that cannot be determined.
 *
 * A terminated worker leaves its files behind, closed, in a process that continues.
 */
export function isOpenHere(path: string): boolean {
  try {
    const file = statSync(path, { bigint: true });
    return readdirSync("/proc/self/fd").some((fd) => {
      try {
        const other = statSync(`/proc/self/fd/${fd}`, { bigint: true });
        return other.dev === file.dev && other.ino === file.ino;
      } catch {
        return false;
      }
    });
  } catch {
    return true;
  }
}
