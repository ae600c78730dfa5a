// Finds children that somebody stopped (SIGSTOP): they neither answer nor end. Linux alone tells.
import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";

const LOOK_MS = 1000;
/** A shell stops and continues a whole group of processes; one that stays stopped this long is ended. */
const PATIENCE = 10;

/** Whether a process is stopped, and not by a debugger. */
async function isStopped(pid: number): Promise<boolean> {
  try {
    // "pid (name) state ...": the name may hold anything, so what follows its last bracket counts.
    return /^.*\) T /s.test(await readFile(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/**
 * Ends a child once it has been stopped for ten seconds. Keeps nobody alive, and ends with the child.
 *
 * @param onStopped - Called before the child is ended.
 */
export function endWhenStopped(child: ChildProcess, onStopped: () => void): void {
  let seen = 0;
  const timer = setInterval(() => {
    void isStopped(child.pid ?? 0).then((found) => {
      seen = found ? seen + 1 : 0;
      if (seen !== PATIENCE) return;
      onStopped();
      child.kill("SIGKILL");
    });
  }, LOOK_MS).unref();
  child.once("close", () => clearInterval(timer));
}
