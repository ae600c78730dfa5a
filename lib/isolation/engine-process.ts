// The child process of one isolated model, as seen by its parent: calls with answers, messages
// without answers, and its death as one error. Runs on the JavaScript thread that loads the model.
import { Channel } from "../base/channel.js";
import { builtModule, endOf, lastWords, startChild } from "../base/child.js";
import type { Child } from "../base/child.js";
import { isErrorCode, R1Error } from "../base/errors.js";
import { Pieces, sendPieces } from "./messages.js";
import type { CallMessage, CallName, Calls, ToChild, ToParent } from "./messages.js";

const PROGRAM = builtModule(new URL("./engine-child.js", import.meta.url));

/** How often the child is pinged while something is awaited from it. Unit: milliseconds. */
const PING_MS = 1000;
/**
 * Number of unanswered pings after which the child counts as stopped: its main thread does nothing
 * that takes as long.
 */
const MAX_MISSES = 30;
/** The same after a request was cancelled, when an answer is expected at once. */
const FEW_MISSES = 3;

/** Receives what the child reports on its own. */
export interface ProcessEvents {
  onProgress: (value: number) => void;
  onEvents: (message: Extract<ToParent, { kind: "events" }>) => void;
  onLog: (message: Extract<ToParent, { kind: "log" }>) => void;
  /** Called once: the child died, and every call was rejected with this error. */
  onDeath: (error: R1Error) => void;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly pieces: Pieces;
}

/**
 * A child that is running, was asked to end, or has died. It keeps the parent's process alive only
 * while something is awaited from it.
 */
export class EngineProcess {
  readonly #child: Child;
  readonly #channel: Channel<ToParent, ToChild>;
  readonly #calls = new Map<number, Waiting>();
  readonly #gone: Promise<void>;
  readonly #describe: (how: string, words: string, signal: NodeJS.Signals | null) => string;
  readonly events: ProcessEvents = {
    onProgress: () => undefined,
    onEvents: () => undefined,
    onLog: () => undefined,
    onDeath: () => undefined,
  };
  #nextCall = 1;
  #holds = 0;
  #isEnding = false;
  #death: R1Error | undefined;
  #watch: NodeJS.Timeout | undefined;
  /**
   * Pings since its last message. Counted rather than timed, because the parent itself may be
   * stopped.
   */
  #unanswered = 0;
  #allowedMisses = MAX_MISSES;
  #isStopped = false;

  /**
   * @param describe - Returns the message about its death: from how it ended, its last output and
   * the signal.
   */
  constructor(describe: (how: string, words: string, signal: NodeJS.Signals | null) => string) {
    this.#describe = describe;
    const child = startChild(PROGRAM);
    this.#child = child;
    this.#channel = new Channel(child.link, (message) => this.#take(message));
    this.#gone = child.ended.then((end) => {
      clearInterval(this.#watch);
      const words = lastWords(child.tail);
      const how = this.#isStopped ? "did not answer any more, and was ended" : endOf(end);
      this.#die(
        new R1Error(
          "ENGINE_CRASHED",
          this.#describe(how, words, this.#isStopped ? null : end.signal),
          {
            details: {
              signal: end.signal,
              exitCode: end.code,
              lastWords: words,
              ...(this.#isStopped ? { reason: "stopped" } : {}),
            },
          },
        ),
      );
    });
    this.#reference(false);
  }

  /** Why it is gone; undefined while it runs. */
  get death(): R1Error | undefined {
    return this.#death;
  }

  /** Keeps the parent alive until `release`. */
  hold(): void {
    if (this.#holds++ > 0) return;
    this.#reference(true);
    this.#unanswered = 0;
    this.#watch = setInterval(() => this.#ping(), PING_MS).unref();
  }

  release(): void {
    if (--this.#holds > 0) return;
    this.#reference(false);
    clearInterval(this.#watch);
    this.#allowedMisses = MAX_MISSES;
  }

  /** An answer is expected soon. */
  expectAnswerSoon(): void {
    this.#allowedMisses = FEW_MISSES;
  }

  #ping(): void {
    if (this.#unanswered >= this.#allowedMisses) {
      this.#isStopped = true;
      // SIGKILL, which also ends a stopped process.
      this.#child.kill();
      return;
    }
    this.#unanswered++;
    void this.#send({ kind: "ping" });
  }

  /**
   * Sends a message without waiting for an answer.
   * @throws {R1Error} `ENGINE_CRASHED` once the child is gone.
   */
  post(message: ToChild): void {
    if (this.#death !== undefined) throw this.#death;
    void this.#send(message);
  }

  /**
   * Sends a call and waits for its answer, which may arrive in pieces.
   *
   * @param bytes - Data that is sent before the call, in pieces.
   */
  async call<Name extends CallName>(
    name: Name,
    given: Calls[Name]["given"],
    bytes?: Uint8Array,
  ): Promise<{ value: Calls[Name]["answer"]; pieces: Pieces }> {
    if (this.#death !== undefined) throw this.#death;
    const call = this.#nextCall++;
    this.hold();
    try {
      const pieces = new Pieces();
      const answer = new Promise<Calls[Name]["answer"]>((resolve, reject) => {
        this.#calls.set(call, { resolve, reject, pieces });
      });
      if (bytes !== undefined) {
        // The child may die in between; the answer is awaited below.
        answer.catch(() => undefined);
        await sendPieces(call, bytes, (piece) => this.#send(piece));
      }
      void this.#send({ kind: "call", call, name, given } as CallMessage);
      return { value: await answer, pieces };
    } finally {
      this.#calls.delete(call);
      this.release();
    }
  }

  /** Ends it at once. */
  kill(): void {
    this.#isEnding = true;
    this.#child.kill();
  }

  /** Lets the child free everything and end, for at most `graceMs`. */
  async end(graceMs: number): Promise<void> {
    this.#isEnding = true;
    this.hold();
    const timer = setTimeout(() => this.kill(), graceMs);
    try {
      await this.call("close", {}).catch(() => undefined);
      this.kill();
      await this.#gone;
    } finally {
      clearTimeout(timer);
      this.release();
    }
  }

  /** Resolves when the message is sent, or the child is gone. */
  #send(message: ToChild): Promise<void> {
    return this.#channel.send(message);
  }

  #take(message: ToParent): void {
    this.#unanswered = 0;
    this.#allowedMisses = MAX_MISSES;
    switch (message.kind) {
      case "pong":
        return;
      case "answer":
        this.#calls.get(message.call)?.resolve(message.value as never);
        return;
      case "failure":
        this.#calls
          .get(message.call)
          ?.reject(
            new R1Error(isErrorCode(message.code) ? message.code : "INTERNAL", message.message),
          );
        return;
      case "piece":
        this.#calls.get(message.call)?.pieces.add(message);
        return;
      case "progress":
        this.events.onProgress(message.value);
        return;
      case "events":
        this.events.onEvents(message);
        return;
      case "log":
        this.events.onLog(message);
    }
  }

  #die(error: R1Error): void {
    if (this.#death !== undefined) return;
    this.#death = this.#isEnding
      ? new R1Error("DISPOSED", "The model is closed. Load it again to continue.")
      : error;
    for (const { reject } of this.#calls.values()) reject(this.#death);
    this.events.onDeath(this.#death);
  }

  #reference(isHeld: boolean): void {
    if (isHeld) this.#child.ref();
    else this.#child.unref();
  }
}
