// Reads Linux's information about a process. Reads synchronously, because the threads that read
// files may be the resource that has run out.
import { readFileSync } from "node:fs";

/**
 * Returns the fields of `/proc/<pid>/stat` after the name, which may contain spaces and
 * parentheses: field 0 is the state, 11 and 12 the processor time, 19 the start (both in ticks).
 *
 * @returns undefined if the process has ended, or without `/proc`.
 */
export function processStat(pid: number | "self"): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ");
  } catch {
    return undefined;
  }
}
