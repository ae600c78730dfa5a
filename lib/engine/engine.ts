// One native engine and the generations that run on it: submits requests and deals events out by request id. Runs on the JavaScript thread that made it.
import { R1Error, fromNative, isErrorCode } from "../base/errors.js";
import type { GenerationResult } from "../base/types.js";
import type { NativeEventSink, NativeLastEvent } from "../binding/native-request.js";
import type { NativeCancelToken, NativeEngineInfo, NativeEngineStats } from "../binding/native.js";
import type { EngineHost, HostedEngine } from "../isolation/host.js";
import type { EngineSessions } from "../isolation/sessions.js";
import type { CacheChoice } from "../model/cache-types.js";
import type { LoadConfig } from "../model/normalize-load.js";
import type { Weights } from "../model/weights.js";
import { closingTokens } from "../reasoning/options.js";
import { Segmenter } from "../reasoning/segmenter.js";
import { engineConfig } from "./engine-config.js";
import type { GenerateConfig } from "./engine-options.js";
import { Generation } from "./generation.js";
import { buildRequest } from "./request.js";
import type { Prompt } from "./request.js";

/** A snapshot of an engine. */
export type EngineStats = Readonly<NativeEngineStats>;

const MAX_ID = 2 ** 32 - 1;

function disposed(): R1Error {
  return new R1Error("DISPOSED", "The model is closed. Load it again to go on.");
}

/** Ends a generation as its request ended. */
function finish(generation: Generation, event: NativeLastEvent): void {
  if (event.kind === "end") generation.end(event);
  else
    generation.fail(
      new R1Error(
        isErrorCode(event.code) ? event.code : "INTERNAL",
        event.message,
        event.details === undefined ? {} : { details: event.details },
      ),
    );
}

/**
 * Deals out what came from native code. Holds nothing but the live generations, so that native code, which holds this function, never keeps an engine alive by itself.
 */
function dispatcher(live: Map<number, Generation>): NativeEventSink {
  // A fault of ours while handling one request must neither reach native code nor touch the other requests.
  const giveUp = (id: number, generation: Generation, error: unknown): void => {
    live.delete(id);
    generation.cancel();
    generation.fail(fromNative(error));
  };
  return (requests, tokens, texts, logprobs, ends) => {
    // Whoever waits for a generation is woken once a delivery, with all that it holds for it.
    const told: Generation[] = [];
    let top = 0;
    for (let i = 0; i < requests.length; i++) {
      const first = top;
      if (logprobs !== null) top += logprobs.counts[i] as number;
      const id = requests[i] as number;
      const generation = live.get(id);
      if (generation === undefined) continue;
      try {
        const isFirst = generation.token(
          tokens[i] as number,
          texts[i] as string,
          logprobs === null ? undefined : { columns: logprobs, index: i, first, last: top },
        );
        if (isFirst) told.push(generation);
      } catch (error) {
        giveUp(id, generation, error);
      }
    }
    for (const generation of told) generation.tell();
    for (const event of ends) {
      const { id } = event;
      const generation = live.get(id);
      if (generation === undefined) continue;
      live.delete(id);
      try {
        finish(generation, event);
      } catch (error) {
        giveUp(id, generation, error);
      }
    }
  };
}

/** A context with its thread. Made by {@link createEngine}. */
export class Engine {
  readonly #native: HostedEngine;
  readonly #live: Map<number, Generation>;
  readonly #weights: Weights;
  #nextId = 1;
  #nextSession = 1;
  #closing: Promise<void> | undefined;
  /** What llama.cpp made of the configuration. */
  readonly info: Readonly<NativeEngineInfo>;

  /** @internal */
  constructor(engine: HostedEngine, live: Map<number, Generation>, weights: Weights) {
    this.#native = engine;
    this.#live = live;
    this.#weights = weights;
    this.info = Object.freeze(engine.info());
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
   * Starts a generation.
   *
   * @param onEnd - Told of the end before the generation's user is.
   * @throws {R1Error} `DISPOSED`, `PROMPT_TOO_LONG`, `QUEUE_FULL`, `INVALID_ARGUMENT`: before any work.
   */
  generate(
    prompt: Prompt,
    config: GenerateConfig,
    onEnd?: (result: GenerationResult | undefined) => void,
  ): Generation {
    this.assertOpen();
    const { roles, roleTexts, native: vocabulary } = this.#weights;
    const id = this.#takeId();
    const closing = closingTokens(config.reasoning, roles.endThink, (text) =>
      vocabulary.tokenize(text, false),
    );
    const request = buildRequest(id, prompt, config, roles, closing, this.info.sequenceContextSize);
    const engine = this.#native;
    const generation = new Generation({
      segmenter: new Segmenter({
        think: roles.think,
        endThink: roles.endThink,
        startsInReasoning: prompt.startsInReasoning,
        startsAfterReasoning: prompt.startsAfterReasoning,
        thinkText: roleTexts.think,
        endThinkText: roleTexts.endThink,
        ...(prompt.reader === undefined ? {} : { reader: prompt.reader }),
      }),
      seed: config.sampling.seed,
      promptTokens: prompt.tokens.length,
      wantsLogprobs: config.logprobs >= 0,
      signal: config.signal,
      cancel: () => engine.cancel(id),
      piece: (token) => vocabulary.detokenize(Int32Array.of(token)),
      onEnd,
    });
    if (generation.isEnded) return generation;
    this.#live.set(id, generation);
    try {
      engine.submit(request);
    } catch (error) {
      this.#live.delete(id);
      const failure = fromNative(error, new Error());
      generation.fail(failure);
      throw failure;
    }
    return generation;
  }

  /** A snapshot, taken without stopping anything. @throws {R1Error} `DISPOSED` */
  stats(): EngineStats {
    this.assertOpen();
    return Object.freeze(this.#native.stats());
  }

  /** Saved sessions; its errors are native ones. @throws {R1Error} `DISPOSED` */
  get sessions(): EngineSessions {
    this.assertOpen();
    return this.#native.sessions;
  }

  /** A number for a restored session, whose cells are its own. */
  newSession(): number {
    return this.#nextSession++;
  }

  /** Ends every generation with DISPOSED, joins the thread and frees the context. The same promise every time. */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    this.#closing = this.#native.close();
    const live = [...this.#live.values()];
    this.#live.clear();
    for (const generation of live) generation.fail(disposed());
    return this.#closing;
  }

  #takeId(): number {
    while (this.#live.has(this.#nextId)) this.#nextId = (this.#nextId % MAX_ID) + 1;
    const id = this.#nextId;
    this.#nextId = (id % MAX_ID) + 1;
    return id;
  }
}

/** What an engine is made of. */
export interface EngineInit {
  readonly host: EngineHost;
  readonly weights: Weights;
  readonly config: LoadConfig;
  readonly cache: CacheChoice;
  readonly draft: Weights | undefined;
  readonly token: NativeCancelToken;
}

/**
 * Makes a context on its own thread.
 *
 * @param init - Where the weights are; what they were loaded with; the model that drafts tokens for requests that ask for it; what stops the warm-up.
 * @throws {R1Error} `ABORTED` by the token, `OUT_OF_MEMORY`, `CACHE_TYPE_UNSUPPORTED`, `INVALID_ARGUMENT` (the draft model's vocabulary is another one), `INTERNAL`.
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
  );
}
