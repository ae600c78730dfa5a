// Handles signals during a conversation: Ctrl-C stops a reply; other signals end the conversation
// in an orderly way, so that it can be saved. Main thread.
import { EXIT } from "../exit.js";

const CODES = {
  SIGHUP: EXIT.hungUp,
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
} as const;

type Name = keyof typeof CODES;
const NAMES = Object.keys(CODES) as Name[];

/** Listens to signals from the start of a conversation to its end. */
export class ChatSignals {
  #exitCode: number | undefined;
  #cancel: (() => void) | undefined;
  #stop: (() => void) | undefined;
  /** The next signal ends the process at once. */
  #isLast = false;

  constructor() {
    for (const name of NAMES) process.on(name, this.#come);
  }

  /** The exit code of the signal that ends the conversation; undefined until one arrives. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Runs work during which a signal cancels the reply. Ctrl-C does nothing else. */
  async whileReplying<T>(cancel: () => void, work: () => Promise<T>): Promise<T> {
    this.#cancel = cancel;
    try {
      return await work();
    } finally {
      this.#cancel = undefined;
      this.#isLast = this.#exitCode !== undefined;
    }
  }

  /** Waits for the user's turn; a signal calls `stop`. */
  async whileAsking<T>(stop: () => void, work: () => Promise<T>): Promise<T> {
    this.#stop = stop;
    try {
      return await work();
    } finally {
      this.#stop = undefined;
    }
  }

  /** Called when the conversation is over: the next signal ends the process at once. */
  leave(): void {
    this.#isLast = true;
  }

  /**
   * Stops listening. After SIGHUP the signal itself ends the process: an orderly exit would restore
   * the mode of a terminal that no longer exists, and Node aborts there.
   */
  close(): void {
    for (const name of NAMES) process.off(name, this.#come);
    if (this.#exitCode === CODES.SIGHUP) process.kill(process.pid, "SIGHUP");
  }

  readonly #come = (name: NodeJS.Signals): void => {
    // A closed terminal also ends the input, and the end of the input may be noticed first.
    const isSecond = this.#isLast && (name !== "SIGHUP" || this.#exitCode === CODES.SIGHUP);
    if (isSecond) {
      for (const each of NAMES) process.off(each, this.#come);
      process.kill(process.pid, name);
      return;
    }
    const stopsReply = name === "SIGINT" && this.#cancel !== undefined;
    // Between a reply and the next prompt, Ctrl-C arrives too late to stop anything.
    if (name === "SIGINT" && !stopsReply && this.#stop === undefined) return;
    if (!stopsReply) this.#exitCode = CODES[name as Name];
    this.#isLast = true;
    this.#cancel?.();
    this.#stop?.();
  };
}
