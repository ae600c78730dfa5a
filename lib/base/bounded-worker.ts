// Runs tasks in child processes with limits on time and memory. A worker thread would not do: V8
// ends the whole process when one allocation exceeds the heap limit of a worker thread.
import { Channel } from "./channel.js";
import { endOf, lastWords, startChild, type Child } from "./child.js";
import { isErrorCode, R1Error } from "./errors.js";

/** Limits of a task, and how many tasks may run and wait. */
export interface BoundedWorkerOptions {
  /** Name of the worker in errors, e.g. "The schema compiler". */
  readonly name: string;
  /** The module that calls `serveTasks`, as returned by `builtModule`. */
  readonly module: URL;
  /** Maximum time of one task, not counting the start of the process. Unit: milliseconds. */
  readonly timeoutMs: number;
  /** JavaScript heap of one process. Unit: MiB. */
  readonly heapMiB: number;
  /** Maximum number of processes. @defaultValue 2 */
  readonly processes?: number;
  /** Maximum number of tasks that wait for a process. @defaultValue 64 */
  readonly maxQueue?: number;
  /** How long an idle process is kept. Unit: milliseconds. @defaultValue 30,000 */
  readonly idleMs?: number;
}

/**
 * A task exceeded a limit and its process was ended. The caller writes the message for its user.
 */
export class WorkerLimitError extends Error {
  override readonly name = "WorkerLimitError";
  constructor(
    /** The limit that was exceeded. */
    readonly limit: "time" | "memory",
    message: string,
  ) {
    super(message);
  }
}

/** From the parent: one task. */
export interface TaskMessage {
  readonly task: unknown;
  readonly timeoutMs: number;
}

/** From the child: it is ready for tasks, or the outcome of one. */
export type TaskReply =
  | { readonly kind: "ready" }
  | { readonly kind: "answer"; readonly answer: unknown }
  | {
      readonly kind: "failure";
      readonly code: string;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

/** Maximum time for the start of a process. Unit: milliseconds. */
const START_MS = 60_000;
/** The child ends itself this long after its limit, in case its parent no longer can. */
export const GRACE_MS = 1000;

interface Job {
  readonly task: unknown;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  isOver: boolean;
}

interface Slot {
  readonly child: Child;
  readonly channel: Channel<TaskReply, TaskMessage>;
  isReady: boolean;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * A small pool of processes. They start with the first task, and idle ones never keep this process
 * alive.
 */
export class BoundedWorker<Task, Answer> {
  readonly #options: Required<BoundedWorkerOptions>;
  readonly #waiting: Job[] = [];
  readonly #slots = new Set<Slot>();

  constructor(options: BoundedWorkerOptions) {
    this.#options = { processes: 2, maxQueue: 64, idleMs: 30_000, ...options };
  }

  /**
   * Runs one task. Its arguments and its answer are copied.
   *
   * @param signal - Cancels the task; if it is already running, its process is killed.
   * @throws {WorkerLimitError} when the task uses too much time or memory.
   * @throws {R1Error} the error of the task; `RESOURCE_EXHAUSTED` when no process can be started or
   * too many tasks wait; `ABORTED` by the signal.
   */
  run(task: Task, signal?: AbortSignal): Promise<Answer> {
    const { name, maxQueue } = this.#options;
    if (signal?.aborted === true) return Promise.reject(aborted());
    if (this.#waiting.length >= maxQueue)
      return Promise.reject(
        new R1Error(
          "RESOURCE_EXHAUSTED",
          `${name} already has ${maxQueue} waiting tasks. Try again when some have finished.`,
        ),
      );
    return new Promise<Answer>((resolve, reject) => {
      const onAbort = (): void => this.#abort(job);
      const job: Job = {
        task,
        isOver: false,
        resolve: (answer) => {
          signal?.removeEventListener("abort", onAbort);
          resolve(answer);
        },
        reject: (error) => {
          signal?.removeEventListener("abort", onAbort);
          reject(error);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(job);
      this.#next();
    });
  }

  /** Ends idle processes now; running tasks continue. */
  release(): void {
    for (const slot of this.#slots) if (slot.job === undefined) this.#drop(slot);
  }

  #abort(job: Job): void {
    if (job.isOver) return;
    job.isOver = true;
    const at = this.#waiting.indexOf(job);
    if (at >= 0) this.#waiting.splice(at, 1);
    for (const slot of this.#slots) if (slot.job === job) this.#drop(slot);
    job.reject(aborted());
    this.#next();
  }

  /** Assigns waiting tasks to idle processes, and starts another process if the limit allows. */
  #next(): void {
    for (const slot of this.#slots) {
      if (this.#waiting.length === 0) return;
      if (slot.job === undefined) this.#give(slot, this.#waiting.shift() as Job);
    }
    while (this.#waiting.length > 0 && this.#slots.size < this.#options.processes) {
      const job = this.#waiting.shift() as Job;
      let slot: Slot;
      try {
        slot = this.#start();
      } catch (error) {
        this.#fail(job, this.#noProcess(error instanceof Error ? error.message : String(error)));
        continue;
      }
      this.#give(slot, job);
    }
  }

  #start(): Slot {
    const { module, heapMiB } = this.#options;
    const child = startChild(module, { flags: [`--max-old-space-size=${heapMiB}`] });
    const channel = new Channel<TaskReply, TaskMessage>(child.link, (message) =>
      this.#take(slot, message),
    );
    const slot: Slot = { child, channel, isReady: false, job: undefined, timer: undefined };
    this.#slots.add(slot);
    void child.ended.then((end) => {
      const words = lastWords(child.tail);
      const how = `${endOf(end)}${words === "" ? "" : `: ${words}`}`;
      if (!slot.isReady) this.#gone(slot, this.#noProcess(`its process ${how}`));
      else if (/heap|memory|allocation/i.test(child.tail) || end.signal === "SIGKILL")
        this.#gone(slot, this.#limit("memory"));
      else this.#gone(slot, new R1Error("INTERNAL", `${this.#options.name}'s process ${how}.`));
    });
    return slot;
  }

  #give(slot: Slot, job: Job): void {
    clearTimeout(slot.timer);
    slot.job = job;
    reference(slot, true);
    if (slot.isReady) this.#send(slot);
    else
      slot.timer = setTimeout(
        () => this.#gone(slot, this.#noProcess(`it did not start within ${START_MS / 1000} s`)),
        START_MS,
      );
  }

  #send(slot: Slot): void {
    const { timeoutMs } = this.#options;
    clearTimeout(slot.timer);
    slot.timer = setTimeout(() => this.#gone(slot, this.#limit("time")), timeoutMs);
    const message: TaskMessage = { task: slot.job?.task, timeoutMs };
    void slot.channel.send(message);
  }

  #take(slot: Slot, message: TaskReply): void {
    if (message.kind === "ready") {
      slot.isReady = true;
      if (slot.job !== undefined) this.#send(slot);
      return;
    }
    const { job } = slot;
    if (job === undefined) return;
    slot.job = undefined;
    clearTimeout(slot.timer);
    reference(slot, false);
    slot.timer = setTimeout(() => this.#drop(slot), this.#options.idleMs).unref();
    if (message.kind === "answer") {
      job.isOver = true;
      job.resolve(message.answer as never);
    } else {
      const code = isErrorCode(message.code) ? message.code : "INTERNAL";
      this.#fail(job, new R1Error(code, message.message, { details: message.details }));
    }
    this.#next();
  }

  /** Handles a process that has ended or is being ended, with the error for its task. */
  #gone(slot: Slot, error: Error): void {
    if (!this.#slots.has(slot)) return;
    const { job } = slot;
    this.#drop(slot);
    if (job !== undefined) this.#fail(job, error);
    this.#next();
  }

  #drop(slot: Slot): void {
    this.#slots.delete(slot);
    clearTimeout(slot.timer);
    slot.job = undefined;
    slot.child.kill();
    reference(slot, false);
  }

  #fail(job: Job, error: Error): void {
    if (job.isOver) return;
    job.isOver = true;
    job.reject(error);
  }

  #limit(limit: "time" | "memory"): WorkerLimitError {
    const { name, timeoutMs, heapMiB } = this.#options;
    return new WorkerLimitError(
      limit,
      limit === "time"
        ? `${name} needed more than ${timeoutMs} ms`
        : `${name} needed more than ${heapMiB} MiB of memory`,
    );
  }

  #noProcess(reason: string): R1Error {
    return new R1Error(
      "RESOURCE_EXHAUSTED",
      `${this.#options.name} could not start a process: ${reason}. Free processes, threads or file descriptors, or raise their limits, and try again.`,
      { details: { resource: "process" } },
    );
  }
}

function aborted(): R1Error {
  return new R1Error("ABORTED", "The task was aborted by its signal.");
}

function reference({ child }: Slot, isHeld: boolean): void {
  if (isHeld) child.ref();
  else child.unref();
}
