// Identifies processes across restarts and machines, for locks and temporary files: a process
// number alone is reused by the system, and means nothing on another machine.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { processStat } from "../process-stat.js";

/** Two readings of one start differ when the clock is set. Unit: milliseconds. */
const CLOCK_SLACK_MS = 5_000;
/** Ticks of a second in /proc, on every Linux that Node runs on. */
const TICKS = 100;

function text(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** When a process started, in ticks since the machine did; undefined where there is no /proc. */
function startTicks(pid: number | "self"): number | undefined {
  const ticks = Number(processStat(pid)?.[19]);
  return Number.isSafeInteger(ticks) ? ticks : undefined;
}

/** When a process started by the clock; undefined where there is no /proc. Unit: milliseconds. */
function startTime(pid: number): number | undefined {
  const ticks = startTicks(pid);
  const booted = /^btime (\d+)$/m.exec(text("/proc/stat") ?? "")?.[1];
  return ticks === undefined || booted === undefined
    ? undefined
    : Number(booted) * 1000 + (ticks * 1000) / TICKS;
}

/** Where process numbers mean the same: one machine and one container. */
function placeOf(): string {
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Not Linux: all processes of the machine share their numbers.
  }
  return createHash("sha256").update(`${hostname()}\n${namespace}`).digest("hex").slice(0, 8);
}

/** A process. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Machine and container, shortened. */
  readonly place: string;
  /**
   * Its start: ticks of the machine's clock, or milliseconds since 1970 where there is no /proc.
   */
  readonly start: number;
}

let own: ProcessIdentity | undefined;

/** This process; the same in all its threads. */
export function ownIdentity(): ProcessIdentity {
  own ??= Object.freeze({
    pid: process.pid,
    place: placeOf(),
    start: startTicks("self") ?? Math.round(Date.now() - process.uptime() * 1000),
  });
  return own;
}

/** Whether a process of this machine runs. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/**
 * What is known of a process.
 *
 * - `self`: this process, perhaps another thread of it
 * - `unknown`: it belongs to another machine or container
 */
export type ProcessState = "self" | "running" | "ended" | "unknown";

/** Whether a process still runs, and is not another one with its number. */
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

/** As {@link stateOf}, of a process known by the clock time of its start only. */
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
 * Whether a thread of this process has a file open; true where that cannot be known.
 *
 * A terminated worker leaves its files behind, closed, in a process that goes on.
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
