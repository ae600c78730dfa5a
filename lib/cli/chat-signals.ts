// What signals mean in a conversation: Ctrl-C stops a reply, and the others end the conversation in
// order, so that it can be saved. Main thread.
import { EXIT } from "./exit.js";

const CODES = {
  SIGHUP: EXIT.hungUp,
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
} as const;

type Name = keyof typeof CODES;
const NAMES = Object.keys(CODES) as Name[];

/** Listens to the signals of a conversation from its begin to its end. */
export class ChatSignals {
  #exitCode: number | undefined;
  #cancel: (() => void) | undefined;
  #stop: (() => void) | undefined;
  /** The next signal ends the process at once. */
  #isLast = false;

  constructor() {
    for (const name of NAMES) process.on(name, this.#come);
  }

  /** The exit code of a signal that ends the conversation; undefined while none came. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Runs work during which a signal cancels a reply; Ctrl-C does nothing else. */
  async whileReplying<T>(cancel: () => void, work: () => Promise<T>): Promise<T> {
    this.#cancel = cancel;
    try {
      return await work();
    } finally {
      this.#cancel = undefined;
      this.#isLast = this.#exitCode !== undefined;
    }
  }

  /** Waits for a turn; a signal calls `stop`. */
  async whileAsking<T>(stop: () => void, work: () => Promise<T>): Promise<T> {
    this.#stop = stop;
    try {
      return await work();
    } finally {
      this.#stop = undefined;
    }
  }

  /** The conversation is over: another signal ends the process at once. */
  leave(): void {
    this.#isLast = true;
  }

  /**
   * Stops listening. After SIGHUP the process ends by it: an orderly exit would restore the mode of
   * a terminal that is gone, at which Node aborts.
   */
  close(): void {
    for (const name of NAMES) process.off(name, this.#come);
    if (this.#exitCode === CODES.SIGHUP) process.kill(process.pid, "SIGHUP");
  }

  readonly #come = (name: NodeJS.Signals): void => {
    // A closed terminal ends the input as well, which may be noticed first.
    const isSecond = this.#isLast && (name !== "SIGHUP" || this.#exitCode === CODES.SIGHUP);
    if (isSecond) {
      for (const each of NAMES) process.off(each, this.#come);
      process.kill(process.pid, name);
      return;
    }
    const stopsReply = name === "SIGINT" && this.#cancel !== undefined;
    // Between a reply and the next prompt Ctrl-C comes too late to stop anything.
    if (name === "SIGINT" && !stopsReply && this.#stop === undefined) return;
    if (!stopsReply) this.#exitCode = CODES[name as Name];
    this.#isLast = true;
    this.#cancel?.();
    this.#stop?.();
  };
}
