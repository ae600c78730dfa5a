// Detects children that cannot continue: those that were stopped (SIGSTOP), and those that hang in
// Node's own start, which happens when the system gives a process too few threads. Linux only.
import type { Child } from "./child.js";
import { processStat } from "./process-stat.js";

const LOOK_MS = 1000;
/**
 * A shell stops and continues a whole process group; a child that stays stopped for this many
 * checks is ended.
 */
const PATIENCE = 10;

/**
 * Ends a child once it has been stopped for ten seconds. Does not keep the process alive, and stops
 * with the child.
 *
 * @param onStopped - Called before the child is ended.
 */
export function endWhenStopped(child: Child, onStopped: () => void): void {
  let seen = 0;
  const timer = setInterval(() => {
    // Not "t", which means stopped by a debugger.
    seen = processStat(child.pid)?.[0] === "T" ? seen + 1 : 0;
    if (seen !== PATIENCE) return;
    onStopped();
    child.kill();
  }, LOOK_MS).unref();
  void child.ended.then(() => clearInterval(timer));
}

const START_LOOK_MS = 250;
/** Number of consecutive checks that must find a starting child asleep and without progress. */
const START_PATIENCE = 8;

/**
 * The processor time of a sleeping process; undefined if it is running, waiting for a disk, or has
 * ended.
 */
function asleepAt(pid: number): string | undefined {
  const fields = processStat(pid);
  return fields?.[0] === "S" ? `${fields[11]} ${fields[12]}` : undefined;
}

/**
 * Ends a child that sleeps for two seconds before it has started.
 *
 * @param onStuck - Called before the child is ended.
 * @returns A function that ends the watch; call it when the child has started.
 */
export function endWhenStuck(child: Child, onStuck: () => void): () => void {
  let seen = 0;
  let last: string | undefined;
  const timer = setInterval(() => {
    const now = asleepAt(child.pid);
    seen = now !== undefined && now === last ? seen + 1 : 0;
    last = now;
    if (seen !== START_PATIENCE) return;
    clearInterval(timer);
    onStuck();
    child.kill();
  }, START_LOOK_MS).unref();
  const stop = (): void => clearInterval(timer);
  void child.ended.then(stop);
  return stop;
}
