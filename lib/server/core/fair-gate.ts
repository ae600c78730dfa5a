// Decides which request of a model starts next: so many at once, keys in turn, auxiliary requests
// last, and bounds on what waits. One gate for each model.
import { ApiError, clientGone, unavailable } from "./api-error.js";

/** How many requests a gate lets through and keeps waiting. */
export interface GateLimits {
  /** Requests handed to the engine at once. */
  readonly slots: number;
  /** Requests that wait, of all keys. */
  readonly maxQueue: number;
  /** Requests of one key that wait. */
  readonly maxQueuePerKey: number;
  /** Requests of one key that run at once. */
  readonly maxRunningPerKey: number;
  /** Longest wait; 0: no limit. Unit: milliseconds. */
  readonly maxWaitMs: number;
}

/** A request that asks for its turn. */
export interface Applicant {
  /** Name of the key it came with. */
  readonly key: string;
  /** Slots that it takes: its choices. */
  readonly weight: number;
  /** It waits until no other request does. */
  readonly isAuxiliary: boolean;
  readonly signal: AbortSignal;
  /** Called when the number of requests ahead of it has changed. */
  readonly onMove?: ((ahead: number) => void) | undefined;
}

interface Waiting extends Applicant {
  /** What it was told last. */
  ahead: number | undefined;
  readonly resolve: (release: () => void) => void;
  readonly reject: (error: ApiError) => void;
  readonly stop: () => void;
}

/** Whether a request can start. */
type Readiness = "ready" | "no room" | "key is busy";

/** Waiting requests of one class, by key; keys take turns. */
class TurnQueue {
  readonly #byKey = new Map<string, Waiting[]>();
  size = 0;

  add(one: Waiting): void {
    const list = this.#byKey.get(one.key);
    if (list === undefined) this.#byKey.set(one.key, [one]);
    else list.push(one);
    this.size++;
  }

  countOf(key: string): number {
    return this.#byKey.get(key)?.length ?? 0;
  }

  remove(one: Waiting): boolean {
    const list = this.#byKey.get(one.key);
    const at = list?.indexOf(one) ?? -1;
    if (list === undefined || at < 0) return false;
    list.splice(at, 1);
    if (list.length === 0) this.#byKey.delete(one.key);
    this.size--;
    return true;
  }

  /**
   * The request whose turn it is; its key then goes to the end. A key that must wait for itself is
   * passed over; a request that needs more room than there is keeps its turn.
   */
  next(readiness: (one: Waiting) => Readiness): Waiting | undefined {
    for (const [key, list] of this.#byKey) {
      const first = list[0];
      const ready = first === undefined ? "key is busy" : readiness(first);
      if (ready === "no room") return undefined;
      if (first === undefined || ready === "key is busy") continue;
      list.shift();
      this.#byKey.delete(key);
      if (list.length > 0) this.#byKey.set(key, list);
      this.size--;
      return first;
    }
    return undefined;
  }

  /** All requests in the order of their turns. */
  *inOrder(): Generator<Waiting> {
    let lists = [...this.#byKey.values()];
    for (let round = 0; lists.length > 0; round++) {
      for (const list of lists) yield list[round] as Waiting;
      lists = lists.filter((list) => round + 1 < list.length);
    }
  }
}

/** Lets requests of one model through in turn. */
export class FairGate {
  readonly #limits: GateLimits;
  readonly #main = new TurnQueue();
  readonly #auxiliary = new TurnQueue();
  readonly #runningByKey = new Map<string, number>();
  #taken = 0;
  #running = 0;
  /** Moving mean of how long a request holds its slot. */
  #meanMs = 1000;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get waiting(): number {
    return this.#main.size + this.#auxiliary.size;
  }

  get running(): number {
    return this.#running;
  }

  /**
   * Waits for a turn.
   *
   * @returns What gives the turn back; call it once the engine has ended the request.
   * @throws {ApiError} 429 when the key has too many waiting, 503 when all have or the wait was too
   * long, 499 after an abort.
   */
  enter(applicant: Applicant): Promise<() => void> {
    if (applicant.signal.aborted) return Promise.reject(clientGone());
    if (this.waiting === 0 && this.#readiness(applicant) === "ready")
      return Promise.resolve(this.#start(applicant));
    const refusal = this.#refusal(applicant.key);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const queue = applicant.isAuxiliary ? this.#auxiliary : this.#main;
      const leave = (error: ApiError): void => {
        if (!queue.remove(one)) return;
        one.stop();
        reject(error);
        this.#advance();
      };
      const onAbort = (): void => leave(clientGone());
      const { maxWaitMs } = this.#limits;
      const timer =
        maxWaitMs > 0
          ? setTimeout(
              () => leave(this.#busy("The request waited too long for its turn.")),
              maxWaitMs,
            )
          : undefined;
      const one: Waiting = {
        ...applicant,
        ahead: undefined,
        resolve,
        reject,
        stop: () => {
          clearTimeout(timer);
          applicant.signal.removeEventListener("abort", onAbort);
        },
      };
      applicant.signal.addEventListener("abort", onAbort, { once: true });
      queue.add(one);
      this.#advance();
    });
  }

  /** Ends all waiting requests with an error. */
  refuseAll(error: ApiError): void {
    for (const queue of [this.#main, this.#auxiliary])
      for (const one of [...queue.inOrder()]) {
        queue.remove(one);
        one.stop();
        one.reject(error);
      }
  }

  /** Time after which a place is likely to be free, by the requests that ended. */
  retryAfterMs(): number {
    const rounds = (this.waiting + 1) / Math.max(1, this.#limits.slots);
    return Math.min(60_000, Math.max(1000, Math.round(rounds * this.#meanMs)));
  }

  #refusal(key: string): ApiError | undefined {
    const { maxQueue, maxQueuePerKey } = this.#limits;
    if (this.#main.countOf(key) + this.#auxiliary.countOf(key) >= maxQueuePerKey)
      return new ApiError(
        `This key has ${maxQueuePerKey} requests waiting, which is the most. Try again when one ` +
          "has ended.",
        {
          status: 429,
          type: "rate_limit_error",
          code: "rate_limit_exceeded",
          retryAfterMs: this.retryAfterMs(),
        },
      );
    if (this.waiting >= maxQueue) return this.#busy(`${this.waiting} requests wait already.`);
    return undefined;
  }

  #busy(what: string): ApiError {
    const message = `The server is busy: ${what} Try again later.`;
    return unavailable(message, "overloaded", this.retryAfterMs());
  }

  /** A request wider than the gate starts when the gate is empty. */
  #readiness({ key, weight }: Applicant): Readiness {
    const { slots, maxRunningPerKey } = this.#limits;
    if ((this.#runningByKey.get(key) ?? 0) >= maxRunningPerKey) return "key is busy";
    return this.#taken === 0 || this.#taken + weight <= slots ? "ready" : "no room";
  }

  #start({ key, weight }: Applicant): () => void {
    this.#taken += weight;
    this.#running++;
    this.#runningByKey.set(key, (this.#runningByKey.get(key) ?? 0) + 1);
    const startedAt = performance.now();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#taken -= weight;
      this.#running--;
      const left = (this.#runningByKey.get(key) ?? 1) - 1;
      if (left === 0) this.#runningByKey.delete(key);
      else this.#runningByKey.set(key, left);
      this.#meanMs += (performance.now() - startedAt - this.#meanMs) / 8;
      this.#advance();
    };
  }

  #advance(): void {
    const readiness = (one: Waiting): Readiness => this.#readiness(one);
    for (;;) {
      const one =
        this.#main.next(readiness) ??
        (this.#main.size === 0 ? this.#auxiliary.next(readiness) : undefined);
      if (one === undefined) break;
      one.stop();
      one.resolve(this.#start(one));
    }
    let ahead = 0;
    for (const queue of [this.#main, this.#auxiliary])
      for (const one of queue.inOrder()) {
        if (one.ahead !== ahead) one.onMove?.((one.ahead = ahead));
        ahead++;
      }
  }
}
