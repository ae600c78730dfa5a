// Reads what Linux knows of a process. Any JavaScript thread; reads at once, since the threads that
// read files may be what the system does not give.
import { readFileSync } from "node:fs";

/**
 * The fields of `/proc/<pid>/stat` behind the name, which may contain spaces and parentheses: the
 * first one is the state, 11 and 12 the processor time, 19 the start (both in ticks).
 *
 * @returns undefined where the process has ended, or there is no `/proc`.
 */
export function processStat(pid: number | "self"): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ");
  } catch {
    return undefined;
  }
}
