// The child's side of an isolated model: carries out the parent's calls with the addon of its own
// process. Runs on the main thread of that process.
import type { BackendProblem } from "../binding/backends.js";
import type { NativeEndEvent, NativeEvents, NativeLastEvent } from "../binding/native-request.js";
import type {
  NativeAddon,
  NativeCancelToken,
  NativeEngine,
  NativeEngineStats,
  NativeModel,
} from "../binding/native.js";
import { Pieces, sendPieces } from "./messages.js";
import type { CallMessage, Calls, CallName, ToChild, ToParent } from "./messages.js";
import { LocalSessions } from "./sessions.js";

/**
 * Minimum time between snapshots sent with events; an event that ends a request always has its own.
 * Unit: milliseconds.
 */
const STATS_EVERY_MS = 200;

/** The end event of a request that was cancelled before it reached the engine. */
const NEVER_RAN: Omit<NativeEndEvent, "id"> = Object.freeze({
  kind: "end",
  reason: "aborted",
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  queueMs: 0,
  firstTokenMs: 0,
  promptMs: 0,
  decodeMs: 0,
  draftedTokens: 0,
  acceptedTokens: 0,
  stop: -1,
});

/** What the service needs of its process. */
export interface ServiceInit {
  readonly addon: () => NativeAddon;
  readonly initialize: (numa: Calls["start"]["given"]["numa"]) => void;
  readonly loadBackends: (folder: string | undefined) => Promise<BackendProblem[]>;
  /** Sends a message to the parent; resolves when it is sent. */
  readonly send: (message: ToParent) => Promise<void>;
}

/** One model, optionally its draft model, and one engine. */
export class EngineService {
  readonly #init: ServiceInit;
  readonly #models: NativeModel[] = [];
  /** Requests whose grammar is being compiled, and whether their reasoning should end. */
  readonly #compiling = new Map<number, { endsReasoning: boolean }>();
  readonly #pieces = new Map<number, Pieces>();
  #token: NativeCancelToken | undefined;
  #engine: NativeEngine | undefined;
  #sessions: LocalSessions | undefined;
  /** Batches of events that were not sent yet. */
  #events: NativeEvents[] = [];
  #isSending = false;
  #reported: NativeEngineStats | undefined;
  #reportedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(init: ServiceInit) {
    this.#init = init;
  }

  /** Handles one message from the parent. */
  take(message: ToChild): void {
    switch (message.kind) {
      case "call":
        void this.#answer(message);
        return;
      case "ping":
        void this.#init.send({ kind: "pong" });
        return;
      case "submit":
        void this.#submit(message);
        return;
      case "cancel":
        if (this.#compiling.has(message.id)) this.#endCompiling(message.id);
        else this.#engine?.cancel(message.id);
        return;
      case "end-reasoning": {
        const compiling = this.#compiling.get(message.id);
        if (compiling === undefined) this.#engine?.endReasoning(message.id);
        else compiling.endsReasoning = true;
        return;
      }
      case "listen":
        this.#init
          .addon()
          .setLogSink(
            message.on ? (entries) => void this.#init.send({ kind: "log", entries }) : null,
          );
        return;
      case "release":
        this.#sessions?.release(message.hold);
        return;
      case "close-session":
        this.#sessions?.close(message.saved);
        return;
      case "forget":
        this.#sessions?.forget(message.session);
        return;
      case "piece": {
        const pieces = this.#pieces.get(message.call) ?? new Pieces();
        this.#pieces.set(message.call, pieces);
        pieces.add(message);
      }
    }
  }

  /** Frees everything, the newest first. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#token?.cancel();
    await this.#engine?.close();
    await Promise.all(this.#models.map((model) => model.close()));
  }

  async #answer(message: CallMessage): Promise<void> {
    const { call } = message;
    try {
      await this.#init.send({ kind: "answer", call, value: await this.#do(message) });
    } catch (error) {
      const { code, message: text } = error as { code?: unknown; message?: unknown };
      await this.#init.send({
        kind: "failure",
        call,
        code: typeof code === "string" ? code : "INTERNAL",
        message: String(text),
      });
    }
  }

  async #do(message: CallMessage): Promise<Calls[CallName]["answer"]> {
    const { call, name, given } = message;
    switch (name) {
      case "start":
        this.#init.initialize(given.numa);
        return this.#init.loadBackends(given.backendDir);
      case "connect":
        return this.#init.addon().connectRpc(given.servers);
      case "load":
        return this.#load(given.config);
      case "engine":
        return this.#makeEngine(given);
      case "hold":
        return this.#openedSessions().hold(given.tokens, given.session);
      case "save": {
        const bytes = await this.#openedSessions().save(given);
        if (bytes !== null) await sendPieces(call, bytes, (piece) => this.#init.send(piece));
        return null;
      }
      case "open": {
        const bytes = this.#pieces.get(call)?.take() ?? new Uint8Array(0);
        this.#pieces.delete(call);
        return this.#openedSessions().open(given.path ?? bytes, given.key);
      }
      case "restore":
        await this.#openedSessions().restore(given.saved, given.session);
        return null;
      case "close":
        await this.close();
        return null;
    }
  }

  async #load(config: Calls["load"]["given"]["config"]): Promise<Calls["load"]["answer"]> {
    const addon = this.#init.addon();
    this.#token = addon.createCancelToken();
    const model = await addon.loadModel(
      config,
      this.#token,
      (value) => void this.#init.send({ kind: "progress", value }),
    );
    this.#models.push(model);
    return model.info();
  }

  async #makeEngine({
    config,
    hasDraft,
  }: Calls["engine"]["given"]): Promise<Calls["engine"]["answer"]> {
    const [model, draft] = this.#models;
    if (model === undefined) throw new Error("there is no model to make an engine of");
    const addon = this.#init.addon();
    this.#token = addon.createCancelToken();
    const engine = await addon.createEngine(
      model,
      config,
      (...events) => this.#collect(events),
      hasDraft ? (draft ?? null) : null,
      this.#token,
    );
    this.#engine = engine;
    this.#sessions = new LocalSessions(engine);
    // A long prompt has no events, but its snapshots are sent all the same.
    this.#timer = setInterval(() => this.#flush(), STATS_EVERY_MS);
    return { info: engine.info(), stats: engine.stats() };
  }

  #openedSessions(): LocalSessions {
    if (this.#sessions === undefined) throw new Error("there is no engine");
    return this.#sessions;
  }

  #opened(): NativeEngine {
    if (this.#engine === undefined) throw new Error("there is no engine");
    return this.#engine;
  }

  async #submit({ request, grammar }: Extract<ToChild, { kind: "submit" }>): Promise<void> {
    const { id } = request;
    const state = { endsReasoning: false };
    try {
      if (grammar === "") {
        this.#opened().submit(request);
        return;
      }
      const [model] = this.#models;
      if (model === undefined) throw new Error("there is no model to compile a grammar for");
      let compiled = model.knownGrammar(grammar);
      if (compiled === null) {
        const startedAt = performance.now();
        this.#compiling.set(id, state);
        compiled = await model.compileGrammar(grammar);
        if (!this.#compiling.delete(id)) return; // cancelled meanwhile
        const { timeoutMs } = request;
        if (timeoutMs > 0)
          request = {
            ...request,
            timeoutMs: Math.max(1, timeoutMs - (performance.now() - startedAt)),
          };
      }
      const asked = state.endsReasoning ? { ...request, reasoningBudget: 0 } : request;
      this.#opened().submit({ ...asked, grammar: compiled });
    } catch (error) {
      if (this.#engine === undefined) return;
      const { code, message } = error as { code?: unknown; message?: unknown };
      this.#compiling.delete(id);
      this.#end({
        kind: "error",
        id,
        code: typeof code === "string" ? code : "INTERNAL",
        message: String(message),
      });
    }
  }

  /** Ends a request whose grammar is still being compiled; the engine has not seen the request. */
  #endCompiling(id: number): void {
    this.#compiling.delete(id);
    this.#end({ ...NEVER_RAN, id });
  }

  #end(event: NativeLastEvent): void {
    this.#collect([[], [], [], null, [event], []]);
  }

  #collect(events: NativeEvents): void {
    this.#events.push(events);
    this.#flush();
  }

  /** One message is in transit at a time; new events are sent with the next one. */
  #flush(): void {
    if (this.#isSending) return;
    const events = this.#events;
    const stats = this.#stats(events.some(([, , , , ends]) => ends.length > 0));
    if (events.length === 0 && stats === undefined) return;
    this.#events = [];
    this.#isSending = true;
    void this.#init.send({ kind: "events", events, stats }).then(() => {
      this.#isSending = false;
      if (this.#events.length > 0) this.#flush();
    });
  }

  /** Returns a snapshot, if one is due and it differs from the last. */
  #stats(isDue: boolean): NativeEngineStats | undefined {
    const now = performance.now();
    if (this.#engine === undefined || (!isDue && now - this.#reportedAt < STATS_EVERY_MS))
      return undefined;
    const stats = this.#engine.stats();
    this.#reportedAt = now;
    if (this.#reported !== undefined && JSON.stringify(stats) === JSON.stringify(this.#reported))
      return undefined;
    this.#reported = stats;
    return stats;
  }
}
