// Finds the processes that a process has started, as Linux tells them; for tests that end those of
// isolated models. On the test's thread.
import { readdirSync, readFileSync } from "node:fs";

/** Ids of the living children of a process that run a program of this name. */
export function childrenOf(parent: number, program: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((id) => {
      if (!Number.isInteger(id)) return false;
      try {
        // "pid (name) state ppid ...": the name may hold anything, so what follows its last bracket
        // counts.
        const [state, ppid] = readFileSync(`/proc/${id}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ");
        return (
          state !== "Z" &&
          Number(ppid) === parent &&
          readFileSync(`/proc/${id}/cmdline`, "utf8").includes(program)
        );
      } catch {
        return false;
      }
    });
}

/** Whether a process is there and no zombie. */
export function isAlive(id: number): boolean {
  try {
    return !/^.*\) Z/s.test(readFileSync(`/proc/${id}/stat`, "utf8"));
  } catch {
    return false;
  }
}
