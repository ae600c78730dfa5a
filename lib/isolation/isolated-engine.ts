// NativeEngine over a child process: the same contract, with requests and events as messages. Runs on the JavaScript thread that loads the model.
import { R1Error } from "../base/errors.js";
import type { NativeEventSink, NativeLastEvent, NativeRequest } from "../binding/native-request.js";
import type { NativeEngine, NativeEngineInfo, NativeEngineStats } from "../binding/native.js";
import type { EngineProcess } from "./engine-process.js";
import { piecesOf } from "./messages.js";
import type { Calls } from "./messages.js";

/** An engine in the child. */
export class IsolatedEngine implements NativeEngine {
  readonly #process: EngineProcess;
  readonly #info: NativeEngineInfo;
  readonly #room: number;
  readonly #live = new Set<number>();
  readonly #onEvents: NativeEventSink;
  #stats: NativeEngineStats;
  #isClosed = false;

  constructor(
    process: EngineProcess,
    { info, stats }: Calls["engine"]["answer"],
    maxQueue: number,
    onEvents: NativeEventSink,
  ) {
    this.#process = process;
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

  /** The child's engine counts in the same way; told at the call, as an engine of this process would. */
  submit(request: NativeRequest): void {
    if (this.#live.size >= this.#room) {
      throw new R1Error(
        "QUEUE_FULL",
        `All ${this.#info.sequences} sequences are busy and ${this.#room - this.#info.sequences} requests wait already. Try again later, or raise \`maxQueue\`.`,
      );
    }
    this.#process.post({ kind: "submit", request });
    this.#live.add(request.id);
    this.#process.hold();
  }

  cancel(id: number): void {
    if (!this.#live.has(id) || this.#process.death !== undefined) return;
    this.#process.post({ kind: "cancel", id });
    this.#process.expectSoon();
  }

  /** The child's latest snapshot, with the requests that are under way now. */
  stats(): NativeEngineStats {
    if (this.#process.death !== undefined) throw this.#process.death;
    const running = Math.min(this.#stats.running, this.#live.size);
    return { ...this.#stats, running, waiting: this.#live.size - running };
  }

  async saveState(tokens: Int32Array): Promise<Uint8Array> {
    const { pieces } = await this.#process.call("save", { tokens });
    const all = Buffer.concat(pieces);
    return new Uint8Array(all.buffer, all.byteOffset, all.length);
  }

  async restoreState(tokens: Int32Array, state: Uint8Array): Promise<void> {
    await this.#process.call("restore", { tokens }, piecesOf(state));
  }

  /** The process ends with it: nothing of it is used without its engine. */
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
    if (!this.#isClosed && ends.length > 0) this.#onEvents([], [], [], null, ends);
  }
}

/** For the running decode to end and the memory to be freed; then the process is ended as it is. Unit: milliseconds. */
const CLOSE_MS = 3000;
