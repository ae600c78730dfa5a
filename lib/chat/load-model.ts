// loadModel: checks the options and the files, loads the weights, makes the engine, and puts the model together. Runs on the calling JavaScript thread, which it never holds up.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { waitOrAbort } from "../base/abort.js";
import { refuse } from "../base/check.js";
import { R1Error, fromNative, isErrorCode, isR1Error } from "../base/errors.js";
import { progressReporter } from "../base/progress.js";
import { initialize, native } from "../binding/load.js";
import { listenToLog } from "../binding/log.js";
import type { NativeAddon, NativeEngineConfig, NativeLogEntry } from "../binding/native.js";
import { createEngine } from "../engine/engine.js";
import type { CheckedModel } from "../gguf/check-model.js";
import { checkModelFiles } from "../gguf/check-model.js";
import { availableMemory } from "../model/available-memory.js";
import { chooseCacheTypes, estimateCacheBytes } from "../model/cache-types.js";
import type { CacheChoice } from "../model/cache-types.js";
import { DEFAULT_MODEL_PATH } from "../model/default-model.js";
import { chooseGpuLayers } from "../model/devices.js";
import { describeModel } from "../model/info.js";
import type { LoadOptions, Logger } from "../model/load-options.js";
import { normalizeLoad } from "../model/normalize-load.js";
import type { LoadConfig } from "../model/normalize-load.js";
import { loadWeights } from "../model/weights.js";
import { templateOpensThink } from "../template/file-template.js";
import { Model } from "./model.js";

/** The share of the progress that the weights take; making the context is the rest. */
const WEIGHTS_SHARE = 0.95;

/**
 * Loads a model and starts its engine.
 *
 * @param path - The GGUF file, or the first part of a split one. @defaultValue the small model that comes with the package
 * @throws {R1Error} `UNKNOWN_OPTION`, `INVALID_ARGUMENT`; `FILE_NOT_FOUND`, `FILE_IS_DIRECTORY`, `FILE_EMPTY`, `FILE_UNREADABLE`, `FILE_TRUNCATED`, `NOT_GGUF`, `GGUF_INVALID`,
 * `SHARD_MISSING`, `SHARD_INVALID`, `MODEL_UNSUPPORTED`, `MODEL_LOAD_FAILED`; `CACHE_TYPE_UNSUPPORTED`, `OUT_OF_MEMORY`; `ADDON_MISSING`. An abort rejects with `signal.reason` as it is.
 * @example
 * ```ts
 * const model = await loadModel("DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", { cacheTypeK: "q4_0", priority: "high" });
 * for await (const part of model.chat([{ role: "user", content: "What is 1+1?" }])) if (part.type === "answer-delta") process.stdout.write(part.text);
 * await model.close();
 * ```
 */
export async function loadModel(path?: string | URL, options?: LoadOptions): Promise<Model>;
/** Loads the small model that comes with the package. */
export async function loadModel(options: LoadOptions): Promise<Model>;
export async function loadModel(pathOrOptions?: string | URL | LoadOptions, maybeOptions?: LoadOptions): Promise<Model> {
  const site = new Error();
  const isPath = typeof pathOrOptions === "string" || pathOrOptions instanceof URL;
  if (!isPath && maybeOptions !== undefined && pathOrOptions !== undefined) refuse("path", "a string", pathOrOptions);
  const config = normalizeLoad((isPath ? maybeOptions : (maybeOptions ?? pathOrOptions)) ?? {});
  const path = isPath ? absolutePath(pathOrOptions) : DEFAULT_MODEL_PATH;
  config.signal?.throwIfAborted();

  // What a user's callback throws ends the load as an abort does.
  const callbackFailure = new AbortController();
  const signal = config.signal === undefined ? callbackFailure.signal : AbortSignal.any([config.signal, callbackFailure.signal]);
  const report = progressReporter(config.onProgress, (error) => callbackFailure.abort(error));
  const log = startLogging(config.logger, (error) => callbackFailure.abort(error));
  try {
    const model = await load(path, config, signal, report, log);
    signal.throwIfAborted();
    return model;
  } catch (error) {
    log.stop();
    if (signal.aborted && error === signal.reason) throw error;
    if (isR1Error(error)) throw error;
    throw isErrorCode((error as { code?: unknown } | null)?.code) ? fromNative(error, site) : new R1Error("INTERNAL", `Loading ${path} failed: ${String(error)}`, { cause: error });
  }
}

function absolutePath(given: string | URL): string {
  if (typeof given === "string") return given === "" ? refuse("path", "a non-empty string", given) : resolve(given);
  return given.protocol === "file:" ? fileURLToPath(given) : refuse("path", "a path or a file: URL", given.href);
}

interface Log {
  /** From here on a logger that throws is dropped with a warning. */
  ready(): void;
  stop(): void;
}

/** Sends llama.cpp's lines to the user's logger; while loading, what it throws goes to `onError`. */
function startLogging(logger: Logger | undefined, onError: (error: unknown) => void): Log {
  if (logger === undefined) return { ready: () => undefined, stop: () => undefined };
  let isLoading = true;
  const write = (entry: NativeLogEntry): void => {
    if (typeof logger === "function") logger(entry);
    else logger[entry.level]?.(entry.text);
  };
  const stop = listenToLog((entries) => {
    try {
      entries.forEach(write);
    } catch (error) {
      if (!isLoading) throw error;
      onError(error);
    }
  });
  return { ready: () => void (isLoading = false), stop };
}

async function load(path: string, config: LoadConfig, signal: AbortSignal, report: (progress: number) => void, log: Log): Promise<Model> {
  const nothing = (): void => undefined;
  const checked = await waitOrAbort(checkModelFiles(path, { signal }), signal, nothing, nothing);
  initialize(config.numa);
  const addon = native();
  const cache = chooseCacheTypes({ path, ...checked, cacheTypeK: config.cacheTypeK, cacheTypeV: config.cacheTypeV, flashAttention: config.flashAttention });
  const gpuLayers = chooseGpuLayers({ gpuLayers: config.gpuLayers, wanted: config.devices, devices: addon.devices(), sizeBytes: checked.sizeBytes, layers: checked.blockCount });
  assertCacheFits(addon, checked, config, cache, gpuLayers);
  report(0);
  const weights = await loadWeights(addon, checked, config, gpuLayers, signal, (progress) => report(progress * WEIGHTS_SHARE));
  try {
    const { think, endThink } = weights.roleTexts;
    const making = createEngine(addon, { native: weights.native, roles: weights.roles, tagTexts: { think, endThink } }, engineConfig(config, cache));
    const engine = await waitOrAbort(making, signal, nothing, (late) => void late.close());
    const info = describeModel(weights, engine.info, config, {
      path,
      fileBytes: checked.sizeBytes,
      flashAttention: cache.flashAttention,
      gpuLayers,
      templateOpensThink: templateOpensThink(weights.chatTemplate),
      llamaVersion: addon.llamaVersion(),
      systemInfo: addon.systemInfo(),
    });
    report(1);
    if (signal.aborted) await engine.close();
    signal.throwIfAborted();
    log.ready();
    return new Model({ weights, engine, info, maxDraft: config.maxDraft, onClosed: log.stop });
  } catch (error) {
    await weights.close();
    throw error;
  }
}

/** Linux would promise the memory and kill the process when it is used, so a cache that cannot fit is refused here. Cells on a GPU are the driver's to refuse. */
function assertCacheFits(addon: NativeAddon, checked: CheckedModel, config: LoadConfig, cache: CacheChoice, gpuLayers: number): void {
  const cells = config.contextSize === 0 ? checked.contextLength : config.contextSize;
  const layers = checked.blockCount - checked.nextnLayers;
  const shape = { layers, isMla: checked.isMla, kvHeads: checked.headCountsKv, keyLength: checked.keyLength, valueLength: checked.valueLength };
  const onHost = gpuLayers < 0 || !config.offloadKqv ? (config.offloadKqv ? 0 : 1) : Math.max(0, layers - gpuLayers) / layers;
  const needed = estimateCacheBytes(shape, cache, cells, (type, values) => addon.rowBytes(type, values)) * onHost;
  const available = availableMemory();
  if (needed <= available) return;
  const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  throw new R1Error(
    "OUT_OF_MEMORY",
    `The KV cache of ${checked.paths[0] ?? "the model"} needs ${gib(needed)} for contextSize ${cells}, and ${gib(available)} are free. Take a smaller contextSize, or a quantised cacheTypeK.`,
    { details: { neededBytes: needed, availableBytes: available, contextSize: cells } },
  );
}

function engineConfig(config: LoadConfig, cache: CacheChoice): NativeEngineConfig {
  return Object.freeze({
    contextSize: config.contextSize,
    batchSize: config.batchSize,
    ubatchSize: config.ubatchSize,
    sequences: config.sequences,
    kvUnified: config.kvUnified,
    threads: config.threads,
    threadsBatch: config.threadsBatch,
    cacheTypeK: cache.typeK,
    cacheTypeV: cache.typeV,
    flashAttention: cache.flashAttention,
    offloadKqv: config.offloadKqv,
    opOffload: config.opOffload,
    priority: config.priority,
    poll: config.poll,
    rope: config.rope,
    maxQueue: config.maxQueue,
    prefixCache: config.prefixCache,
    maxDraft: config.maxDraft,
    deterministic: config.deterministic,
    warmup: config.warmup,
  });
}
