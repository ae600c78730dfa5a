// Measures how much of the machine other programs used while a sample was taken, and waits for a
// quiet moment. Runs in the benchmark's main process.
import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const TICKS_PER_SECOND = 100;

function machineSeconds() {
  let busy = 0;
  for (const { times } of cpus()) busy += times.user + times.nice + times.sys + times.irq;
  return busy / 1000;
}

/**
 * [parent, seconds of the process and of its ended children] of a process, or undefined when it is
 * gone. Linux only.
 */
function processTimes(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
    return [Number(fields[1]), (utime + stime + cutime + cstime) / TICKS_PER_SECOND];
  } catch {
    return undefined;
  }
}

function ownSeconds() {
  const parents = new Map();
  const seconds = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const times = processTimes(name);
    if (times === undefined) continue;
    parents.set(Number(name), times[0]);
    seconds.set(Number(name), times[1]);
  }
  let sum = 0;
  for (const [pid, own] of seconds) {
    let ancestor = pid;
    while (ancestor !== undefined && ancestor !== process.pid && ancestor > 1)
      ancestor = parents.get(ancestor);
    if (ancestor === process.pid) sum += own;
  }
  return sum;
}

/**
 * Starts a watch. The function it returns gives the share of all processors, 0 to 1, that other
 * programs used since. NaN without /proc.
 */
export function watchOthers() {
  const start = { time: performance.now(), machine: machineSeconds(), own: tryOwn() };
  return () => {
    const elapsed = (performance.now() - start.time) / 1000;
    const others = machineSeconds() - start.machine - (tryOwn() - start.own);
    return Math.max(0, others / (elapsed * availableParallelism()));
  };
}

function tryOwn() {
  try {
    return ownSeconds();
  } catch {
    return NaN;
  }
}

/**
 * Waits until other programs use less than `limit` of the machine over 250 ms, at most
 * `patienceMs`. Returns whether that happened.
 */
export async function waitForQuiet(limit, patienceMs, signal) {
  const end = performance.now() + patienceMs;
  for (;;) {
    const share = watchOthers();
    await sleep(250, undefined, { signal });
    const others = share();
    if (Number.isNaN(others) || others <= limit) return true;
    if (performance.now() >= end) return false;
  }
}

/** The load average over the last minute. */
export const load = () => loadavg()[0];
