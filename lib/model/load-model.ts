// loadModel: checks the options, opens the weights, makes the engine, and puts the model together.
// Runs on the calling JavaScript thread, which it never holds up.
import { resolve } from "node:path";
import { waitOrAbort } from "../base/abort.js";
import { fileName, refuse } from "../base/check.js";
import { R1Error, fromNative, isErrorCode, isR1Error } from "../base/errors.js";
import { progressReporter } from "../base/progress.js";
import { createEngine } from "../engine/engine.js";
import type { DownloadOptions } from "../hub/download-options.js";
import type { DownloadProgress } from "../hub/meter.js";
import { isHubReference } from "../hub/reference.js";
import { resolveModel } from "../hub/resolve.js";
import { localHost } from "../isolation/host.js";
import type { EngineHost } from "../isolation/host.js";
import { isolatedHost } from "../isolation/isolated-host.js";
import { tellProblems } from "../machine/backends.js";
import { settleThreads } from "../machine/cpu.js";
import { embeddedModel } from "../weights/default-model.js";
import { describeModel } from "./info.js";
import type { LoadOptions } from "../weights/load-options.js";
import { startLogging } from "../weights/logging.js";
import type { Log } from "../weights/logging.js";
import { normalizeLoad } from "../weights/normalize-load.js";
import type { LoadConfig } from "../weights/normalize-load.js";
import { openDraft, openWeights } from "./open.js";
import type { Weights } from "../weights/weights.js";
import { templateOpensThink } from "../template/file-template.js";
import { Model } from "./model.js";

/** The share of the progress that the weights take; making the context is the rest. */
const WEIGHTS_SHARE = 0.95;

/**
 * Loads a model and starts its engine.
 *
 * @param path - The GGUF file, or the first part of a split one; or a model on the Hub,
 * `hf:owner/name:QUANT`, which is downloaded into its cache if it is not there (`onDownload` tells
 * how far that is, `onProgress` of loading only). @defaultValue the small model that comes with the
 * package
 * @throws {R1Error} `UNKNOWN_OPTION`, `INVALID_ARGUMENT`; `FILE_NOT_FOUND`, `FILE_IS_DIRECTORY`,
 * `FILE_EMPTY`, `FILE_UNREADABLE`, `FILE_TRUNCATED`, `NOT_GGUF`, `GGUF_INVALID`, `SHARD_MISSING`,
 * `SHARD_INVALID`, `MODEL_UNSUPPORTED`, `MODEL_LOAD_FAILED`; `CACHE_TYPE_UNSUPPORTED`,
 * `OUT_OF_MEMORY`; `ADDON_MISSING`; of a model on the Hub what `downloadModel` throws. An abort
 * rejects with `signal.reason` as it is.
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
export async function loadModel(
  pathOrOptions?: string | URL | LoadOptions,
  maybeOptions?: LoadOptions,
): Promise<Model> {
  const site = new Error();
  const isPath = typeof pathOrOptions === "string" || pathOrOptions instanceof URL;
  // A null that stands for a missing setting must not load another model than was meant.
  if (
    pathOrOptions === null ||
    (!isPath && maybeOptions !== undefined && pathOrOptions !== undefined)
  )
    refuse("path", "a string", pathOrOptions);
  const config = normalizeLoad((isPath ? maybeOptions : (maybeOptions ?? pathOrOptions)) ?? {});
  const path = isPath ? absolutePath(pathOrOptions) : embeddedModel();
  config.signal?.throwIfAborted();

  // What a user's callback throws ends the load as an abort does.
  const callbackFailure = new AbortController();
  const signal =
    config.signal === undefined
      ? callbackFailure.signal
      : AbortSignal.any([config.signal, callbackFailure.signal]);
  const giveUp = (error: unknown): void => callbackFailure.abort(error);
  const report = progressReporter(config.onProgress, giveUp);
  const { numa, backendDir, rpc: servers } = config;
  const host =
    config.isolation === "process"
      ? isolatedHost({
          numa,
          backendDir,
          servers,
          path,
          signal,
          onProblems: (problems, devices) => tellProblems(problems, () => devices, log.warn),
        })
      : localHost(numa);
  const log = startLogging(host, config.logger, giveUp);
  try {
    const fetching = fetchOptions(config, signal, giveUp);
    return await load(await localPath(path, fetching), config, {
      host,
      signal,
      fetching,
      report,
      log,
    });
  } catch (error) {
    log.stop();
    host.kill();
    if (signal.aborted && error === signal.reason) throw error;
    if (isR1Error(error)) throw error;
    if (isErrorCode((error as { code?: unknown } | null)?.code)) throw fromNative(error, site);
    throw new R1Error("INTERNAL", `Loading ${path} failed: ${String(error)}`, { cause: error });
  }
}

/** A path made absolute; a reference to the Hub stays as it is. */
function absolutePath(given: string | URL): string {
  if (typeof given === "string" && isHubReference(given)) return given;
  return resolve(fileName(given, "path"));
}

/** How a model on the Hub is fetched. */
type Fetching = Pick<DownloadOptions, "signal" | "onProgress">;

function fetchOptions(
  { onDownload }: LoadConfig,
  signal: AbortSignal,
  giveUp: (error: unknown) => void,
): Fetching {
  if (onDownload === undefined) return { signal };
  const onProgress = (progress: DownloadProgress): void => {
    try {
      onDownload(progress);
    } catch (error) {
      giveUp(error);
    }
  };
  return { signal, onProgress };
}

/** The first file of a model, downloaded if it is a reference to the Hub. */
async function localPath(path: string, fetching: Fetching): Promise<string> {
  return isHubReference(path) ? resolveModel(path, fetching) : path;
}

/** What a load goes along with. */
interface Course {
  readonly host: EngineHost;
  readonly signal: AbortSignal;
  readonly fetching: Fetching;
  readonly report: (progress: number) => void;
  readonly log: Log;
}

async function load(
  path: string,
  asked: LoadConfig,
  { host, signal, fetching, report, log }: Course,
): Promise<Model> {
  const opened = await openWeights(
    host,
    path,
    asked,
    signal,
    (progress) => report(progress * WEIGHTS_SHARE),
    log.warn,
  );
  const config = settleThreads(asked, opened.fileBytes);
  const { weights, cache } = opened;
  let draft: Weights | undefined;
  try {
    if (config.draftModel !== undefined)
      draft = await openDraft(
        host,
        await localPath(absolutePath(config.draftModel), fetching),
        config,
        signal,
        opened.devicesLeft,
      );
    const token = host.createCancelToken();
    const starting = waitOrAbort(
      createEngine({ host, weights, config, cache, draft, token }),
      signal,
      () => token.cancel(),
      (late) => void late.close(),
    );
    // Reads the template by running it, while the engine starts on its own thread; openWeights has
    // parsed it.
    const opensThink = templateOpensThink(weights.chatTemplate);
    const engine = await starting;
    const info = describeModel(path, opened, engine.info, config, opensThink);
    report(1);
    if (signal.aborted) {
      await engine.close();
      signal.throwIfAborted();
    }
    log.ready();
    const cellOptions = JSON.stringify([config.rope, config.metadataOverrides]);
    return new Model({
      weights,
      engine,
      info,
      maxDraft: config.maxDraft,
      draft,
      paths: opened.paths,
      cellOptions,
      sessionKey: config.sessionKey,
      onClosed: log.stop,
    });
  } catch (error) {
    await Promise.all([weights.close(), draft?.close()]);
    throw error;
  }
}
