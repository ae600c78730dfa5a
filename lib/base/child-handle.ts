// A running child process, started by the addon or by Node: its streams, its end, and how to end
// it. Used on the JavaScript thread that started it.
import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { constants } from "node:os";
import type { Duplex, Readable } from "node:stream";
import type { NativeChild, NativeProcesses } from "./native-starter.js";

/** Maximum time between two checks of a process that has closed its link. Unit: milliseconds. */
const LOOK_MS = 50;

/** How a process ended: one of the two is null. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Ends a process and reports its end. */
export interface ChildHandle {
  readonly pid: number;
  readonly errors: Readable;
  readonly link: Duplex;
  /** Calls back once, when the process has ended. Its streams may still hold data. */
  onEnd(callback: (end: ChildEnd) => void): void;
  kill(signal: NodeJS.Signals): void;
  hold(isHeld: boolean): void;
}

const SIGNALS = Object.entries(constants.signals) as [NodeJS.Signals, number][];

/**
 * The addon does not report an end by itself. A process that has ended has closed its link, and is
 * then polled.
 */
export class NativeHandle implements ChildHandle {
  readonly pid: number;
  readonly errors: Socket;
  readonly link: Socket;
  readonly #native: NativeProcesses;
  #timer: NodeJS.Timeout | undefined;
  #isHeld = true;

  constructor(native: NativeProcesses, child: NativeChild) {
    this.#native = native;
    this.pid = child.pid;
    this.errors = new Socket({ fd: child.errors, readable: true, writable: false });
    this.link = new Socket({ fd: child.link, readable: true, writable: true });
  }

  onEnd(callback: (end: ChildEnd) => void): void {
    const ask = (wait: number): void => {
      const end = this.#native.reapChild(this.pid);
      if (end === null) {
        this.#timer = setTimeout(() => ask(Math.min(2 * wait, LOOK_MS)), wait);
        if (!this.#isHeld) this.#timer.unref();
        return;
      }
      const signal = SIGNALS.find(([, number]) => number === end.signal)?.[0] ?? "SIGKILL";
      callback(end.signal === 0 ? { code: end.code, signal: null } : { code: null, signal });
    };
    this.link.once("close", () => ask(1));
  }

  kill(signal: NodeJS.Signals): void {
    // The process has not been reaped here, so its number is not reused yet.
    try {
      process.kill(this.pid, signal);
    } catch {
      // The process now has other rights than this one.
    }
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    const change = isHeld ? "ref" : "unref";
    for (const one of [this.errors, this.link, this.#timer]) one?.[change]();
  }
}

export class NodeHandle implements ChildHandle {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }
  get pid(): number {
    return this.#child.pid ?? 0;
  }
  get errors(): Readable {
    return this.#child.stderr as Readable;
  }
  get link(): Socket {
    return this.#child.stdio[3] as Socket;
  }
  onEnd(callback: (end: ChildEnd) => void): void {
    this.#child.once("exit", (code, signal) => callback({ code, signal }));
  }
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
  hold(isHeld: boolean): void {
    const change = isHeld ? "ref" : "unref";
    this.#child[change]();
    for (const stream of [this.#child.stderr as unknown as Socket, this.link]) stream[change]();
  }
}
