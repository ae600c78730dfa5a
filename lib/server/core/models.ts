// The models a server has, by name: loaded already, loading, or loaded on first use; the idle one
// that was used least recently is closed when another needs its memory.
import { basename } from "node:path";
import { object, refuse } from "../../base/check.js";
import { isR1Error } from "../../base/errors.js";
import type { ChatModel } from "../../index.js";
import { ApiError, unavailable } from "./api-error.js";
import { FairGate } from "./fair-gate.js";
import type { GateLimits } from "./fair-gate.js";

/**
 * A model as `createApp` takes it: one that is loaded, the promise of one, or a function that loads
 * it on first use. What a function loaded the server closes; what it was given loaded it does not.
 */
export type ModelSource = ChatModel | Promise<ChatModel> | (() => Promise<ChatModel>);

/** How the registry keeps models. */
export interface RegistryOptions {
  /** Other names of models; `*` at the end stands for any text. */
  readonly aliases: Readonly<Record<string, string>>;
  /** A name that nobody knows means the first model. */
  readonly anyModel: boolean;
  /** Most bytes of all models that the registry loaded itself; 0: no bound. */
  readonly maxModelBytes: number;
  readonly gate: Omit<GateLimits, "slots">;
  readonly now: () => number;
}

/** A model in use; give it back. */
export interface Lease {
  readonly entry: ModelEntry;
  readonly model: ChatModel;
  readonly release: () => void;
}

export type ModelState = "unloaded" | "loading" | "ready" | "failed";

const BACK_OFF_MS = [1000, 2000, 5000, 10_000, 30_000, 60_000] as const;

/** Whether the model behind an object has been closed, as far as it says so. */
function isClosed(model: ChatModel): boolean {
  return (model as { isClosed?: boolean }).isClosed === true;
}

/** Bytes that a model has allocated; what is read from a mapped file counts too. */
function bytesOf({ info }: ChatModel): number {
  return info.memory.reduce(
    (sum, { weightBytes, cacheBytes, computeBytes }) =>
      sum + weightBytes + cacheBytes + computeBytes,
    0,
  );
}

/** One name of the registry. */
export class ModelEntry {
  readonly name: string;
  readonly isLazy: boolean;
  readonly created = Math.floor(Date.now() / 1000);
  readonly #registry: ModelRegistry;
  readonly #source: ModelSource;
  #model: ChatModel | undefined;
  #loading: Promise<ChatModel> | undefined;
  #gate: FairGate | undefined;
  #failures = 0;
  #retryAt = 0;
  #isAwaited = false;
  #lastError: unknown;
  #bytes = 0;
  users = 0;
  lastUsed = 0;

  constructor(registry: ModelRegistry, name: string, source: ModelSource) {
    this.#registry = registry;
    this.name = name;
    this.#source = source;
    this.isLazy = typeof source === "function";
    if (source instanceof Promise) {
      this.#loading = this.#await(source.then((model) => this.#loaded(model)));
      this.#loading.catch(() => undefined);
    } else if (typeof source === "object") this.#loaded(source);
  }

  get state(): ModelState {
    if (this.#model !== undefined && !isClosed(this.#model)) return "ready";
    if (this.#loading !== undefined) return "loading";
    return this.#failures > 0 || this.#model !== undefined ? "failed" : "unloaded";
  }

  /** The model if it is loaded. */
  get model(): ChatModel | undefined {
    return this.state === "ready" ? this.#model : undefined;
  }

  /** Bytes it has, or had when it was loaded last. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Why the last load failed. */
  get lastError(): unknown {
    return this.#lastError;
  }

  get gate(): FairGate | undefined {
    return this.#gate;
  }

  /**
   * The model, loaded if need be.
   * @throws {ApiError} 503 while a given promise is pending and after a load that failed.
   */
  async ready(): Promise<ChatModel> {
    if (this.model !== undefined) return this.model;
    if (this.#loading !== undefined) {
      if (this.isLazy && !this.#isAwaited) return this.#loading;
      throw unavailable("Loading model", "model_loading");
    }
    if (!this.isLazy)
      throw unavailable("The model could not be loaded or was closed.", "model_unavailable");
    const wait = this.#retryAt - this.#registry.now();
    if (wait > 0)
      throw unavailable(
        "The model could not be loaded; it is tried again soon.",
        "model_unavailable",
        wait,
      );
    return this.load();
  }

  /** Loads it now; until it is there requests for it get 503, and `/health` says so. */
  async loadAwaited(): Promise<ChatModel> {
    this.#isAwaited = true;
    return this.load();
  }

  /** Loads it unless it is there, making room first. @throws {ApiError} 503 */
  async load(): Promise<ChatModel> {
    const source = this.#source;
    if (typeof source !== "function" || this.model !== undefined) return this.ready();
    const load = async (): Promise<ChatModel> => this.#loaded(await source());
    this.#loading ??= this.#await(this.#registry.loadWithRoom(this, load));
    return this.#loading;
  }

  /**
   * The engine of a model has died: it is loaded again, later after each failure in a row. All of
   * its runs report it, and the first report counts.
   *
   * @returns When it may be loaded. Unit: milliseconds; undefined: it was reported before.
   */
  crashed(model: ChatModel): number | undefined {
    if (model !== this.#model) return undefined;
    this.#model = undefined;
    void model.close().catch(() => undefined);
    this.#failed();
    return Math.max(0, this.#retryAt - this.#registry.now());
  }

  /** Closes a model that the registry loaded; it is loaded again when it is asked for. */
  async unload(): Promise<void> {
    const model = this.#model;
    if (!this.isLazy || model === undefined) return;
    this.#model = undefined;
    await model.close();
  }

  /** A run ended well: the next failure counts as the first. */
  wentWell(): void {
    this.#failures = 0;
  }

  async #await(loaded: Promise<ChatModel>): Promise<ChatModel> {
    try {
      return await loaded;
    } catch (error) {
      this.#failed();
      this.#lastError = error;
      this.#registry.onLoadFailed?.(this.name, error);
      throw unavailable("The model could not be loaded.", "model_unavailable", 5000);
    } finally {
      this.#loading = undefined;
    }
  }

  #loaded(model: ChatModel): ChatModel {
    this.#model = model;
    this.#bytes = bytesOf(model);
    const { sequences } = model.info;
    // Some requests more than run, so that the engine always has the next one at hand.
    const slots = sequences + Math.max(1, Math.ceil(sequences / 2));
    this.#gate ??= new FairGate({ ...this.#registry.gateLimits, slots });
    return model;
  }

  #failed(): void {
    const wait = BACK_OFF_MS[Math.min(this.#failures, BACK_OFF_MS.length - 1)] ?? 1000;
    this.#failures++;
    this.#retryAt = this.#registry.now() + wait;
  }
}

function isSource(value: unknown): value is ModelSource {
  if (typeof value === "function" || value instanceof Promise) return true;
  return typeof (value as { chat?: unknown } | null)?.chat === "function";
}

/** `DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf` as a name of a model. */
function nameOf(source: ModelSource): string {
  if (typeof source !== "object" || source instanceof Promise) return "r1";
  const name = basename(source.info.path).replace(/(?:-\d{5}-of-\d{5})?\.gguf$/i, "");
  return name === "" ? "r1" : name;
}

/** The models of one app. */
export class ModelRegistry {
  readonly #entries = new Map<string, ModelEntry>();
  readonly #options: RegistryOptions;
  /** Loads follow one another, so that each sees the room that is really there. */
  #last: Promise<unknown> = Promise.resolve();
  /** Hears of loads that failed. */
  onLoadFailed: ((name: string, error: unknown) => void) | undefined;

  constructor(
    models: ModelSource | Readonly<Record<string, ModelSource>>,
    options: RegistryOptions,
  ) {
    this.#options = options;
    const named = isSource(models) ? { [nameOf(models)]: models } : object(models, "models");
    for (const [name, source] of Object.entries(named)) {
      if (!isSource(source)) refuse(`models.${name}`, "a model, a promise or a function", source);
      this.#entries.set(name, new ModelEntry(this, name, source));
    }
    if (this.#entries.size === 0) refuse("models", "at least one model", models);
  }

  get gateLimits(): Omit<GateLimits, "slots"> {
    return this.#options.gate;
  }

  now(): number {
    return this.#options.now();
  }

  get entries(): readonly ModelEntry[] {
    return [...this.#entries.values()];
  }

  /** The model that is meant when a request names none. */
  get first(): ModelEntry {
    return this.entries[0] as ModelEntry;
  }

  /**
   * The entry that a request's `model` means.
   * @param fallback - Names that the protocol's clients have fixed, taken as aliases of the first.
   * @throws {ApiError} 404 for a name that nobody knows.
   */
  find(name: string | undefined, fallback?: RegExp): ModelEntry {
    if (name === undefined || name === "") return this.first;
    const direct = this.#entries.get(name) ?? this.#entries.get(this.#aliased(name) ?? "");
    if (direct !== undefined) return direct;
    if (this.#options.anyModel || fallback?.test(name) === true) return this.first;
    const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
    throw new ApiError(
      `The model ${JSON.stringify(shown)} does not exist. GET /v1/models lists the models.`,
      { status: 404, type: "not_found_error", code: "model_not_found", param: "model" },
    );
  }

  /** Takes a model into use. @throws {ApiError} 503 */
  async lease(entry: ModelEntry): Promise<Lease> {
    entry.users++;
    try {
      const model = await entry.ready();
      entry.lastUsed = this.now();
      let isOver = false;
      const release = (): void => {
        if (isOver) return;
        isOver = true;
        entry.users--;
        entry.lastUsed = this.now();
      };
      return { entry, model, release };
    } catch (error) {
      entry.users--;
      throw error;
    }
  }

  /**
   * Runs a load after the ones before it; when memory is short, idle models make room, and again
   * when the entry knows the size of its new model.
   */
  loadWithRoom(entry: ModelEntry, load: () => Promise<ChatModel>): Promise<ChatModel> {
    const work = this.#last.then(async () => {
      await this.#makeRoom(entry);
      for (;;) {
        try {
          return await load();
        } catch (error) {
          const isShort = isR1Error(error, "OUT_OF_MEMORY", "RESOURCE_EXHAUSTED");
          if (!isShort || !(await this.#closeIdle(entry))) throw error;
        }
      }
    });
    this.#last = work.then(
      () => this.#makeRoom(entry),
      () => undefined,
    );
    return work;
  }

  /** Closes what the registry loaded itself. */
  async close(): Promise<void> {
    await Promise.all(this.entries.map((entry) => entry.unload()));
  }

  #aliased(name: string): string | undefined {
    const { aliases } = this.#options;
    if (Object.hasOwn(aliases, name)) return aliases[name];
    const pattern = Object.keys(aliases).find(
      (key) => key.endsWith("*") && name.startsWith(key.slice(0, -1)),
    );
    return pattern === undefined ? undefined : aliases[pattern];
  }

  async #makeRoom(entry: ModelEntry): Promise<void> {
    const { maxModelBytes } = this.#options;
    const used = (): number =>
      this.entries
        .filter((one) => one === entry || one.state === "ready")
        .reduce((sum, one) => sum + one.bytes, 0);
    while (maxModelBytes > 0 && used() > maxModelBytes && (await this.#closeIdle(entry)));
  }

  /** Closes the idle model that was used least recently. @returns Whether there was one. */
  async #closeIdle(but: ModelEntry): Promise<boolean> {
    const [oldest] = this.entries
      .filter((one) => one !== but && one.isLazy && one.users === 0 && one.state === "ready")
      .sort((a, b) => a.lastUsed - b.lastUsed);
    // Nobody here can act on a failure, and the load that needs the room must go on.
    await oldest?.unload().catch(() => undefined);
    return oldest !== undefined;
  }
}
