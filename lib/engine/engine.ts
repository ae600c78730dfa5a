// One native engine and its generations: submits requests and delivers events by request id. Runs
// on the JavaScript thread that made it.
import { R1Error, fromNative, isR1Error } from "../base/errors.js";
import { queueFull } from "../base/queue-full.js";
import type { QueueCounts } from "../base/queue-full.js";
import type { GenerationResult } from "../base/types.js";
import type { NativeCancelToken, NativeEngineInfo, NativeEngineStats } from "../binding/native.js";
import type { EngineHost, HostedEngine } from "../isolation/host.js";
import type { EngineSessions } from "../isolation/sessions.js";
import type { CacheChoice } from "../weights/cache-types.js";
import type { LoadConfig } from "../weights/normalize-load.js";
import type { Weights } from "../weights/weights.js";
import { assertEndable, closingTokens } from "../reasoning/options.js";
import type { ReasoningConfig } from "../reasoning/options.js";
import { Segmenter } from "../reasoning/segmenter.js";
import { engineConfig } from "../weights/engine-config.js";
import { dispatcher } from "./dispatcher.js";
import { Drain } from "./drain.js";
import type { GenerateConfig } from "./engine-options.js";
import { Generation } from "./generation.js";
import type { GenerationInit } from "./generation.js";
import { prepareRequest } from "./preparation.js";
import type { MakePrompt } from "./preparation.js";
import { buildRequest, checkTogether } from "./request.js";
import type { Prepared } from "./request.js";
import { NO_RUN } from "./timings.js";

/** A snapshot of an engine. */
export interface EngineStats extends Readonly<NativeEngineStats> {
  /**
   * Requests whose prompt or grammar is still being prepared; `running` and `waiting` do not
   * include them.
   */
  readonly preparing: number;
}

/** A generation that is not yet submitted to the engine. */
interface Started {
  readonly id: number;
  readonly config: GenerateConfig;
  readonly generation: Generation;
  /** Time of `performance.now()`. */
  readonly startedAt: number;
}

const MAX_ID = 2 ** 32 - 1;

const disposed = (): R1Error =>
  new R1Error("DISPOSED", "The model is closed. Load it again to continue.");

/** The error of a reply that `close` interrupted. */
const cutOff = ({ hasBegun }: Generation): R1Error =>
  new R1Error(
    "DISPOSED",
    "The model was closed " +
      (hasBegun ? "while this reply was being generated. " : "before this reply began. ") +
      "To let replies finish first, close the model with `close({ drainMs })`.",
  );

/** A context with its thread. Created by {@link createEngine}. */
export class Engine {
  readonly #native: HostedEngine;
  readonly #live: Map<number, Generation>;
  readonly #weights: Weights;
  /** Maximum requests at once: running, waiting, and in preparation. */
  readonly #room: number;
  /** Ids of the requests in preparation, each with the timer of its deadline. */
  readonly #preparing = new Map<number, NodeJS.Timeout | undefined>();
  /** Running preparations; each function returns whether its result is still needed. */
  readonly #unsettled = new Set<() => boolean>();
  #closingLine: { readonly text: string; readonly ids: Int32Array } | undefined;
  #nextId = 1;
  #nextSession = 1;
  #closing: Promise<void> | undefined;
  #drain: Drain | undefined;
  /** llama.cpp's values for the configuration. */
  readonly info: Readonly<NativeEngineInfo>;

  /** @internal */
  constructor(
    engine: HostedEngine,
    live: Map<number, Generation>,
    weights: Weights,
    maxQueue: number,
  ) {
    this.#native = engine;
    this.#live = live;
    this.#weights = weights;
    this.info = Object.freeze(engine.info());
    this.#room = this.info.sequences + maxQueue;
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** @throws {R1Error} `DISPOSED` once the engine is closed. */
  assertOpen(): void {
    if (this.isClosed) throw disposed();
  }

  /**
   * Starts generations from one prompt, all or none. Prepares the request synchronously if that is
   * quick, otherwise off the event loop. A failed preparation ends the generations.
   *
   * @param makePrompt - Called once and synchronously, unless there is nothing to run.
   * @param configs - One per generation; they differ only in their seeds.
   * @param onEnd - Called at the end of each generation, before its user sees the end.
   * @throws {R1Error} `DISPOSED`; `INVALID_ARGUMENT`, `TEMPLATE_UNSUPPORTED` for options.
   */
  start(
    makePrompt: MakePrompt,
    configs: readonly GenerateConfig[],
    onEnd?: (result: GenerationResult | undefined) => void,
  ): Generation[] {
    this.assertOpen();
    const [config] = configs;
    if (config === undefined) return [];
    checkTogether(config, this.#weights.roles);
    const started = configs.map((each) => this.#open(each, onEnd));
    const waiting = started.filter(({ generation }) => !generation.isEnded);
    if (waiting.length > 0) {
      if (this.#taken() + waiting.length > this.#room)
        this.#fail(waiting, queueFull(this.#counts()));
      else this.#prepare(waiting, makePrompt, config);
    }
    return started.map(({ generation }) => generation);
  }

  /**
   * Counts the places in use. Cancelled requests that are still in preparation have as many places
   * of their own, and only those beyond that number count here. This bounds a flood of them.
   */
  #taken(): number {
    let cancelled = 0;
    for (const isNeeded of this.#unsettled) if (!isNeeded()) cancelled++;
    return this.#live.size + Math.max(0, cancelled - this.#room);
  }

  #open(config: GenerateConfig, onEnd: GenerationInit["onEnd"]): Started {
    const id = this.#takeId();
    const { native: vocabulary } = this.#weights;
    const generation = new Generation({
      seed: config.sampling.seed,
      wantsLogprobs: config.logprobs >= 0,
      stop: config.stop,
      signal: config.signal,
      cancel: () => this.#cancel(id),
      endReasoning: () => this.#endReasoning(id),
      bytesOf: (token) => vocabulary.detokenizeBytes(Int32Array.of(token)),
      onEnd,
    });
    return { id, config, generation, startedAt: performance.now() };
  }

  #prepare(waiting: readonly Started[], makePrompt: MakePrompt, config: GenerateConfig): void {
    for (const { id, generation } of waiting) this.#live.set(id, generation);
    const site = new Error();
    try {
      const isNeeded = (): boolean => waiting.some(({ generation }) => !generation.isEnded);
      const ready = prepareRequest(
        () => makePrompt(isNeeded),
        config,
        () => this.#closingIds(config.reasoning),
        this.#weights.native,
      );
      if (!(ready instanceof Promise)) {
        this.#submit(waiting, ready);
        return;
      }
      for (const { id, generation } of waiting)
        this.#preparing.set(id, this.#deadline(id, generation, config.timeoutMs));
      this.#unsettled.add(isNeeded);
      ready
        .then((made) => this.#submit(waiting, made))
        .catch((error: unknown) => this.#fail(waiting, fromNative(error, site)))
        .finally(() => this.#unsettled.delete(isNeeded));
    } catch (error) {
      this.#fail(waiting, fromNative(error, site));
    }
  }

  /** Ends a request whose preparation takes longer than its `timeoutMs`. */
  #deadline(id: number, generation: Generation, timeoutMs: number): NodeJS.Timeout | undefined {
    if (timeoutMs === 0) return undefined;
    const end = (): void => {
      this.#forget(id);
      generation.end({ ...NO_RUN, reason: "timeout" });
    };
    return setTimeout(end, timeoutMs).unref();
  }

  /** Submits prepared requests to the engine, except those that have ended in the meantime. */
  #submit(started: readonly Started[], prepared: Prepared): void {
    const { roles, roleTexts } = this.#weights;
    const { prompt } = prepared;
    const waiting = started.filter(({ generation }) => !generation.isEnded);
    const now = performance.now();
    for (const { id, config, generation, startedAt } of waiting) {
      this.#endPreparing(id);
      generation.begin(
        new Segmenter({
          think: roles.think,
          endThink: roles.endThink,
          startsInReasoning: prompt.startsInReasoning,
          startsAfterReasoning: prompt.startsAfterReasoning,
          continuesText: prompt.continuesText,
          thinkText: roleTexts.think,
          endThinkText: roleTexts.endThink,
          ...(prompt.newReader === undefined ? {} : { reader: prompt.newReader() }),
        }),
      );
      const { sequenceContextSize } = this.info;
      const elapsed = now - startedAt;
      const request = buildRequest(id, prepared, config, roles, sequenceContextSize, elapsed);
      // Part of the request: a call after it would let the engine sample a token in between.
      this.#native.submit(generation.endsReasoning ? { ...request, reasoningBudget: 0 } : request);
    }
    for (const { generation } of waiting) generation.admit(prompt.tokens.length);
  }

  /** Ends generations that could not all start. */
  #fail(started: readonly Started[], error: R1Error): void {
    for (const { id, generation } of started) {
      if (generation.isEnded) continue;
      this.#forget(id);
      this.#native.cancel(id);
      generation.fail(error);
    }
  }

  /**
   * During preparation this ends the request synchronously, and nothing is submitted. Later the
   * engine reports the end.
   */
  #cancel(id: number): void {
    const generation = this.#live.get(id);
    if (generation === undefined || !this.#preparing.has(id)) {
      this.#native.cancel(id);
      return;
    }
    this.#forget(id);
    generation.end(NO_RUN);
  }

  /** During preparation the generation remembers this until it is submitted. */
  #endReasoning(id: number): void {
    assertEndable(this.#weights.roles.endThink);
    if (!this.#preparing.has(id)) this.#native.endReasoning(id);
  }

  #forget(id: number): void {
    this.#endPreparing(id);
    this.#live.delete(id);
  }

  #endPreparing(id: number): void {
    clearTimeout(this.#preparing.get(id));
    this.#preparing.delete(id);
  }

  /** Most requests use the same closing line, so its ids are cached. */
  #closingIds(reasoning: ReasoningConfig): Int32Array {
    const { roles, native: vocabulary } = this.#weights;
    if (this.#closingLine?.text !== reasoning.closing) {
      const ids = closingTokens(reasoning, roles.endThink, (text) =>
        vocabulary.tokenize(text, false),
      );
      this.#closingLine = { text: reasoning.closing, ids };
    }
    return this.#closingLine.ids;
  }

  #counts(): QueueCounts {
    const { sequences } = this.info;
    const underWay = this.#taken();
    const waiting = Math.max(0, underWay - sequences);
    const maxQueue = this.#room - sequences;
    return { sequences, maxQueue, underWay, waiting, preparing: this.#preparing.size };
  }

  /** Adds the counts to a native `QUEUE_FULL` error; any other error is returned unchanged. */
  withCounts(error: unknown): unknown {
    if (!isR1Error(error, "QUEUE_FULL")) return error;
    const details = { ...error.details, ...this.#counts() };
    return new R1Error(error.code, error.message, { cause: error, details });
  }

  /** Returns a snapshot without stopping the engine. @throws {R1Error} `DISPOSED` */
  stats(): EngineStats {
    this.assertOpen();
    return Object.freeze({ ...this.#native.stats(), preparing: this.#preparing.size });
  }

  /** The saved sessions of the engine; its errors are native ones. @throws {R1Error} `DISPOSED` */
  get sessions(): EngineSessions {
    this.assertOpen();
    return this.#native.sessions;
  }

  /** Returns a new id for a restored session, which owns its cells. */
  newSession(): number {
    return this.#nextSession++;
  }

  /**
   * Refuses new requests, waits up to `drainMs` for the current ones, ends the rest with DISPOSED,
   * joins the thread and frees the context. Returns the same promise every time; a later call can
   * shorten the wait.
   */
  close(drainMs = 0): Promise<void> {
    if (this.#closing !== undefined) {
      this.#drain?.hasten(drainMs);
      return this.#closing;
    }
    if (drainMs > 0 && this.#live.size > 0) {
      this.#drain = new Drain([...this.#live.values()], drainMs);
      this.#closing = this.#drain.ended.then(() => this.#end());
    } else this.#closing = this.#end();
    return this.#closing;
  }

  #end(): Promise<void> {
    const closed = this.#native.close();
    const live = [...this.#live.values()];
    for (const id of [...this.#preparing.keys()]) this.#endPreparing(id);
    this.#live.clear();
    for (const generation of live) generation.fail(cutOff(generation));
    return closed;
  }

  #takeId(): number {
    while (this.#live.has(this.#nextId)) this.#nextId = (this.#nextId % MAX_ID) + 1;
    const id = this.#nextId;
    this.#nextId = (id % MAX_ID) + 1;
    return id;
  }
}

/** The parts of an engine. */
export interface EngineInit {
  readonly host: EngineHost;
  readonly weights: Weights;
  readonly config: LoadConfig;
  readonly cache: CacheChoice;
  readonly draft: Weights | undefined;
  readonly token: NativeCancelToken;
}

/**
 * Creates a context with its own thread.
 *
 * @param init - The weights, the options they were loaded with, the model that drafts tokens for
 * requests that use it, and the token that stops the warm-up.
 * @throws {R1Error} `ABORTED` by the token, `OUT_OF_MEMORY`, `CACHE_TYPE_UNSUPPORTED`,
 * `INVALID_ARGUMENT` (the draft model has a different vocabulary), `INTERNAL`.
 */
export async function createEngine({
  host,
  weights,
  config,
  cache,
  draft,
  token,
}: EngineInit): Promise<Engine> {
  const live = new Map<number, Generation>();
  return new Engine(
    await host.createEngine(
      weights.native,
      engineConfig(config, cache),
      dispatcher(live),
      draft?.native ?? null,
      token,
    ),
    live,
    weights,
    config.maxQueue,
  );
}
