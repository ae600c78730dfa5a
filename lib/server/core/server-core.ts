// What all routes of an app share: its options, models and metrics, and the runs under way.
import { isR1Error } from "../../base/errors.js";
import type { ChatModel } from "../../index.js";
import type { ServerConfig } from "../options.js";
import { unavailable } from "./api-error.js";
import type { ApiError } from "./api-error.js";
import type { RunEvent } from "./events.js";
import { SILENT } from "./log.js";
import type { ServerLogger } from "./log.js";
import { ServerMetrics } from "./metrics.js";
import { ModelRegistry } from "./models.js";
import type { ModelEntry, ModelSource } from "./models.js";
import type { GenerateCall } from "./call.js";
import { Run } from "./run.js";
import type { RunInput, RunObserver, Turn } from "./run.js";

/** Where a run comes from. */
export interface Caller {
  readonly id: string;
  readonly key: string;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** The engine's priorities: larger runs first. */
const PRIORITY = { normal: 0, auxiliary: -100 } as const;

const draining = (): ApiError =>
  unavailable("The server is shutting down and takes no new requests.", "shutting_down", 5000);

/** The shared state of one app. */
export class ServerCore {
  readonly config: ServerConfig;
  readonly models: ModelRegistry;
  readonly metrics: ServerMetrics;
  readonly log: ServerLogger;
  /** When the app was made. Unit: seconds since 1970. */
  readonly startedAt = Date.now() / 1000;
  readonly #runs = new Set<Run>();
  /** Runs that can be spoken to by the id of their response. */
  readonly #byResponse = new Map<string, { readonly run: Run; readonly key: string }>();
  #isDraining = false;
  /** Each drain under way waits with one of these. */
  readonly #onIdle: (() => void)[] = [];

  constructor(models: ModelSource | Readonly<Record<string, ModelSource>>, config: ServerConfig) {
    this.config = config;
    this.log = config.logger ?? SILENT;
    const { maxQueue, maxQueuePerKey, maxRunningPerKey, maxWait } = config.limits;
    this.models = new ModelRegistry(models, {
      aliases: config.aliases,
      anyModel: config.anyModel,
      maxModelBytes: config.maxModelBytes,
      gate: { maxQueue, maxQueuePerKey, maxRunningPerKey, maxWaitMs: maxWait * 1000 },
      now: () => performance.now(),
    });
    this.models.onLoadFailed = (model, error) =>
      this.log.error({ model, err: error }, "a model could not be loaded");
    this.metrics = new ServerMetrics(this.models);
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Requests that have not ended. */
  get underWay(): number {
    return this.#runs.size;
  }

  /** @throws {ApiError} 503 while draining, and while a model that was to be there is not. */
  assertHealthy(): void {
    if (this.#isDraining) throw draining();
    const { entries } = this.models;
    const awaited = entries.filter(({ isLazy, state }) => !isLazy || state !== "unloaded");
    if (awaited.some(({ state }) => state === "loading"))
      throw unavailable("Loading model", "model_loading");
    if (awaited.some(({ state }) => state === "failed"))
      throw unavailable("A model could not be loaded or has died.", "model_unavailable");
  }

  /**
   * Begins a run.
   * @throws {ApiError} 404 for an unknown model, 503 while draining.
   */
  start(call: GenerateCall, caller: Caller): Run {
    if (this.#isDraining) throw draining();
    const entry = this.models.find(call.model, call.modelFallback);
    const { timeoutMs } = this.config;
    const wished = call.timeoutMs ?? 0;
    const run: Run = new Run(
      (signal, onMove) => this.#takeTurn(entry, call, caller, signal, onMove),
      this.#withDefaults(call),
      {
        words: call.words,
        priority: call.isAuxiliary ? PRIORITY.auxiliary : PRIORITY.normal,
        timeoutMs:
          wished > 0 && timeoutMs > 0 ? Math.min(wished, timeoutMs) : Math.max(wished, timeoutMs),
        signal: caller.signal,
        wantsQueue: call.wantsQueue === true,
      },
      this.#observe(entry, caller, () => run),
    );
    if (!run.isOver) this.#runs.add(run);
    return run;
  }

  /** Lets a response be spoken to by its id, by the same key, until its run ends. */
  register(responseId: string, run: Run, key: string): void {
    if (!run.isOver) this.#byResponse.set(responseId, { run, key });
  }

  /** The run of a response, if it is one of this key's and has not ended. */
  runOf(responseId: string, key: string): Run | undefined {
    const found = this.#byResponse.get(responseId);
    return found?.key === key ? found.run : undefined;
  }

  /**
   * Takes no new requests, waits for the ones under way, and ends what is left with an error in
   * its protocol. A later call can shorten the wait.
   */
  async drain(ms: number): Promise<void> {
    this.#isDraining = true;
    if (this.#runs.size > 0 && ms > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#onIdle.push(resolve);
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
    }
    for (const entry of this.models.entries) entry.gate?.refuseAll(draining());
    for (const run of this.#runs) run.cut(draining());
  }

  /** Closes the models that the server loaded itself. */
  async close(): Promise<void> {
    await this.drain(0);
    await this.models.close();
  }

  /** The call with the server's own defaults; an auxiliary one is a guest of the engine. */
  #withDefaults(call: GenerateCall): RunInput {
    const { defaults } = this.config;
    const { reasoning, ...rest } = call.options;
    const wished = reasoning ?? (call.messages === undefined ? undefined : defaults.reasoning);
    const { reasoning: _, ...plain } = defaults;
    const options = {
      ...plain,
      ...rest,
      ...(wished === undefined ? {} : { reasoning: wished }),
      ...(call.isAuxiliary ? { guest: true } : {}),
    };
    return { ...call, options };
  }

  async #takeTurn(
    entry: ModelEntry,
    call: GenerateCall,
    { key }: Caller,
    signal: AbortSignal,
    onMove?: (ahead: number) => void,
  ): Promise<Turn> {
    const lease = await this.models.lease(entry);
    try {
      const { gate } = entry;
      if (gate === undefined) throw unavailable("Loading model", "model_loading");
      const leave = await gate.enter({
        key,
        weight: call.n,
        isAuxiliary: call.isAuxiliary,
        signal,
        onMove,
      });
      const release = (): void => {
        leave();
        lease.release();
      };
      return { model: lease.model, release };
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  #observe(entry: ModelEntry, { id }: Caller, run: () => Run): RunObserver {
    const { metrics, log } = this;
    const startedAt = performance.now();
    const seconds = (): number => (performance.now() - startedAt) / 1000;
    let hasText = false;
    let model: ChatModel | undefined;
    const onEvent = (event: RunEvent): void => {
      if (event.type === "finish") {
        metrics.finished(event, event.choice === 0);
        entry.wentWell();
      } else if (event.type === "error") this.#failed(entry, model, event.error, id);
      else if (
        !hasText &&
        event.type !== "queued" &&
        event.type !== "start" &&
        event.type !== "progress"
      ) {
        hasText = true;
        metrics.firstText(seconds());
      }
    };
    const onEnd = (): void => {
      this.#runs.delete(run());
      for (const [responseId, { run: one }] of this.#byResponse)
        if (one === run()) this.#byResponse.delete(responseId);
      if (this.#runs.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
      log.debug?.({ reqId: id, model: entry.name }, "run ended");
    };
    const onTurn = (leased: ChatModel): void => {
      model = leased;
      metrics.queued(seconds());
    };
    return { onTurn, onEvent, onEnd };
  }

  /** Logs an error that ended a run; a model whose process died is loaded again. */
  #failed(entry: ModelEntry, model: ChatModel | undefined, error: ApiError, reqId: string): void {
    if (error.status >= 500)
      this.log.error({ reqId, code: error.code, err: error.cause }, "run failed");
    if (model === undefined || !isR1Error(error.cause, "ENGINE_CRASHED")) return;
    const waitMs = entry.crashed(model);
    if (waitMs === undefined) return;
    this.log.error({ model: entry.name, waitMs }, "the model's process died; it is loaded again");
    if (!entry.isLazy || this.#isDraining) return;
    setTimeout(() => {
      if (!this.#isDraining) entry.load().catch(() => undefined);
    }, waitMs).unref();
  }
}
