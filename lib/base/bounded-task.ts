// Runs the tasks of a BoundedWorker. Runs in a child process, on its only JavaScript thread except
// for a watchdog.
import { Worker } from "node:worker_threads";
import { GRACE_MS, type TaskMessage, type TaskReply } from "./bounded-worker.js";
import { parentChannel } from "./channel.js";
import { isR1Error } from "./errors.js";

/**
 * Ends the process at the time in the shared cell: a busy thread cannot notice that its parent is
 * gone.
 */
const WATCHDOG = `
const { workerData } = require("node:worker_threads");
const cell = new BigInt64Array(workerData);
const tick = () => {
  const end = Atomics.load(cell, 0);
  if (end !== 0n && BigInt(Date.now()) > end) process.kill(process.pid, "SIGKILL");
  setTimeout(tick, 200);
};
tick();
`;

/** Runs tasks of the parent process until the parent ends. */
export function serveTasks(answer: (task: unknown) => unknown): void {
  const shared = new SharedArrayBuffer(8);
  const cell = new BigInt64Array(shared);
  new Worker(WATCHDOG, { eval: true, workerData: shared }).unref();
  const take = (message: TaskMessage): void => {
    Atomics.store(cell, 0, BigInt(Date.now() + message.timeoutMs + GRACE_MS));
    const run = async (): Promise<TaskReply> => {
      try {
        return { kind: "answer", answer: await answer(message.task) };
      } catch (error) {
        return {
          kind: "failure",
          code: isR1Error(error) ? error.code : "INTERNAL",
          message: error instanceof Error ? error.message : String(error),
          details: isR1Error(error) ? error.details : {},
        };
      }
    };
    void run().then((made) => {
      Atomics.store(cell, 0, 0n);
      void channel.send(made);
    });
  };
  const channel = parentChannel<TaskMessage, TaskReply>(take, () => process.exit(0));
  void channel.send({ kind: "ready" });
}
