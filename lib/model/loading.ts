// Carries out loadModel: downloads the file if necessary, opens the weights, starts the engine, and
// builds the model. Never blocks the calling JavaScript thread.
import { waitOrAbort } from "../base/abort.js";
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
import { warnOfProblems } from "../machine/backends.js";
import { settleThreads } from "../machine/cpu.js";
import { describeModel } from "./info.js";
import { absolutePath } from "./model-path.js";
import { startLogging } from "../weights/logging.js";
import type { Log } from "../weights/logging.js";
import type { LoadConfig } from "../weights/normalize-load.js";
import { fingerprint } from "../weights/fingerprint.js";
import { openDraft, openWeights } from "./open.js";
import type { Weights } from "../weights/weights.js";
import { templateOpensThink } from "../template/file-template.js";
import { Model } from "./model.js";

/** The share of the progress for the weights; creating the context is the rest. */
const WEIGHTS_SHARE = 0.95;

/**
 * Loads a model whose path and options are checked.
 *
 * @param path - Absolute, or a reference to the Hub.
 * @param site - Created at the user's call: gives errors of native code its stack.
 * @throws as `loadModel`.
 */
export async function loadChecked(path: string, config: LoadConfig, site: Error): Promise<Model> {
  config.signal?.throwIfAborted();

  // An exception in a user's callback ends the load in the same way as an abort.
  const callbackFailure = new AbortController();
  const signal =
    config.signal === undefined
      ? callbackFailure.signal
      : AbortSignal.any([config.signal, callbackFailure.signal]);
  const abortLoad = (error: unknown): void => callbackFailure.abort(error);
  const report = progressReporter(config.onProgress, abortLoad);
  const { numa, backendDir, rpc: servers } = config;
  const host =
    config.isolation === "process"
      ? isolatedHost({
          numa,
          backendDir,
          servers,
          path,
          signal,
          onProblems: (problems, devices) => warnOfProblems(problems, () => devices, log.warn),
        })
      : localHost(numa);
  const log = startLogging(host, config.logger, abortLoad);
  try {
    const fetching = fetchOptions(config, signal, abortLoad);
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

/** Options for the download of a model from the Hub. */
type Fetching = Pick<DownloadOptions, "signal" | "onProgress">;

function fetchOptions(
  { onDownload }: LoadConfig,
  signal: AbortSignal,
  abortLoad: (error: unknown) => void,
): Fetching {
  if (onDownload === undefined) return { signal };
  const onProgress = (progress: DownloadProgress): void => {
    try {
      onDownload(progress);
    } catch (error) {
      abortLoad(error);
    }
  };
  return { signal, onProgress };
}

/** Returns the first file of a model; downloads it if it is a reference to the Hub. */
async function localPath(path: string, fetching: Fetching): Promise<string> {
  return isHubReference(path) ? resolveModel(path, fetching) : path;
}

/** Values that every step of a load uses. */
interface LoadContext {
  readonly host: EngineHost;
  readonly signal: AbortSignal;
  readonly fetching: Fetching;
  readonly report: (progress: number) => void;
  readonly log: Log;
}

async function load(
  path: string,
  asked: LoadConfig,
  { host, signal, fetching, report, log }: LoadContext,
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
    // Detects this by running the template, while the engine starts on its own thread; openWeights
    // has parsed it.
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
    let hash: Promise<string> | undefined;
    return new Model({
      weights,
      engine,
      info,
      maxDraft: config.maxDraft,
      draft,
      fingerprint: () => (hash ??= fingerprint(opened.paths)),
      cellOptions,
      sessionKey: config.sessionKey,
      onClosed: log.stop,
    });
  } catch (error) {
    await Promise.all([weights.close(), draft?.close()]);
    throw error;
  }
}
