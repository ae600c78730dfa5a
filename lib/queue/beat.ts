// Tells the queue every few seconds what a worker does, for those who watch. Runs on the JavaScript
// thread; a report that fails is dropped.
import type { ProgressCounter } from "../batch/progress.js";
import { reportWorker, type WorkerReport } from "./control.js";
import type { QueueLink } from "./link.js";

/** Unit: milliseconds. */
export const BEAT_MS = 2000;

/** What of a report does not change. */
type Identity = Pick<WorkerReport, "name" | "host" | "pid" | "shard" | "sequences">;

/** The reports of one worker. */
export class WorkerBeat {
  readonly #link: QueueLink;
  readonly #progress: ProgressCounter;
  readonly #identity: Identity;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(link: QueueLink, progress: ProgressCounter, identity: Identity) {
    this.#link = link;
    this.#progress = progress;
    this.#identity = identity;
  }

  get name(): string {
    return this.#identity.name;
  }

  get shard(): string {
    return this.#identity.shard;
  }

  start(): void {
    this.#send("working");
    this.#timer = setInterval(() => this.#send("working"), BEAT_MS);
  }

  /** Reports a last time. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#send("ended");
    await this.#sending;
  }

  #send(state: WorkerReport["state"]): void {
    const { running, done, failed, tokens, tokensPerSecond } = this.#progress.snapshot();
    const report: WorkerReport = {
      ...this.#identity,
      running,
      done,
      failed,
      tokens,
      tokensPerSecond,
      state,
      at: Date.now(),
    };
    this.#sending = this.#sending
      .then(() => reportWorker(this.#link, report))
      .catch(() => undefined);
  }
}
