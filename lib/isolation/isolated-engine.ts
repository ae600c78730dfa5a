// NativeEngine over a child process: the same contract, with requests and events as messages. Runs
// on the JavaScript thread that loads the model.
import type { R1Error } from "../base/errors.js";
import { queueFull } from "../base/queue-full.js";
import type { NativeEventSink, NativeLastEvent, NativeRequest } from "../binding/native-request.js";
import type { NativeEngineInfo, NativeEngineStats } from "../binding/native.js";
import type { EngineProcess } from "./engine-process.js";
import type { HostedEngine } from "./host.js";
import type { Calls } from "./messages.js";
import type { EngineSessions } from "./sessions.js";

/** An engine in the child. */
export class IsolatedEngine implements HostedEngine {
  readonly #process: EngineProcess;
  readonly #info: NativeEngineInfo;
  readonly #room: number;
  readonly #live = new Set<number>();
  readonly #onEvents: NativeEventSink;
  #stats: NativeEngineStats;
  #isClosed = false;
  readonly sessions: EngineSessions;

  constructor(
    process: EngineProcess,
    { info, stats }: Calls["engine"]["answer"],
    maxQueue: number,
    onEvents: NativeEventSink,
  ) {
    this.#process = process;
    this.sessions = isolatedSessions(process);
    this.#info = info;
    this.#stats = stats;
    this.#room = info.sequences + maxQueue;
    this.#onEvents = onEvents;
    process.events.onEvents = ({ events, stats: latest }) => {
      if (latest !== undefined) this.#stats = latest;
      for (const delivery of events) {
        for (const { id } of delivery[4]) this.#drop(id);
        if (!this.#isClosed) onEvents(...delivery);
      }
    };
    process.events.onDeath = (error) => this.#fail(error);
  }

  info(): NativeEngineInfo {
    return this.#info;
  }

  /**
   * The child's engine counts in the same way; a full queue is reported at the call, as by an
   * engine of this process.
   */
  submit(request: NativeRequest): void {
    if (this.#live.size >= this.#room) {
      const { sequences } = this.#info;
      const [maxQueue, underWay] = [this.#room - sequences, this.#live.size];
      const waiting = underWay - sequences;
      throw queueFull({ sequences, maxQueue, underWay, waiting, preparing: 0 });
    }
    // The child compiles the text for itself.
    const grammar = request.grammar?.source() ?? "";
    this.#process.post({ kind: "submit", request: { ...request, grammar: null }, grammar });
    this.#live.add(request.id);
    this.#process.hold();
  }

  cancel(id: number): void {
    if (!this.#live.has(id) || this.#process.death !== undefined) return;
    this.#process.post({ kind: "cancel", id });
    this.#process.expectAnswerSoon();
  }

  endReasoning(id: number): void {
    if (!this.#live.has(id) || this.#process.death !== undefined) return;
    this.#process.post({ kind: "end-reasoning", id });
  }

  /** Returns the child's latest snapshot, with the current number of requests. */
  stats(): NativeEngineStats {
    if (this.#process.death !== undefined) throw this.#process.death;
    const running = Math.min(this.#stats.running, this.#live.size);
    return { ...this.#stats, running, waiting: this.#live.size - running };
  }

  /** The child process ends with its engine, because nothing else uses it. */
  close(): Promise<void> {
    this.#isClosed = true;
    for (const id of [...this.#live]) this.#drop(id);
    return this.#process.end(CLOSE_MS);
  }

  #drop(id: number): void {
    if (this.#live.delete(id)) this.#process.release();
  }

  #fail({ code, message, details }: R1Error): void {
    const ends = [...this.#live].map((id): NativeLastEvent => ({
      kind: "error",
      id,
      code,
      message,
      details,
    }));
    for (const { id } of ends) this.#drop(id);
    if (!this.#isClosed && ends.length > 0) this.#onEvents([], [], [], null, ends, []);
  }
}

/**
 * Time for the running decode to end and the memory to be freed; then the process is killed. Unit:
 * milliseconds.
 */
const CLOSE_MS = 3000;

/** Sessions of an engine in the child, which reads and writes files itself. */
function isolatedSessions(process: EngineProcess): EngineSessions {
  const post = (message: Parameters<EngineProcess["post"]>[0]): void => {
    if (process.death === undefined) process.post(message);
  };
  return {
    hold: async (tokens, session) => (await process.call("hold", { tokens, session })).value,
    release: (hold) => post({ kind: "release", hold }),
    save: async (save) => {
      const { pieces } = await process.call("save", save);
      return save.path === null ? pieces.take() : null;
    },
    open: async (source, key) => {
      const isPath = typeof source === "string";
      const given = { path: isPath ? source : null, key };
      return (await process.call("open", given, isPath ? undefined : source)).value;
    },
    restore: async (saved, session) => {
      await process.call("restore", { saved, session });
    },
    close: (saved) => post({ kind: "close-session", saved }),
    forget: (session) => post({ kind: "forget", session }),
  };
}
