// Loads the model that a command line names, with progress bars on a terminal and llama.cpp's log
// on request. Main thread.
import { SingleBar } from "cli-progress";
import { isHubReference, resolveModel } from "../hub.js";
import type { DownloadProgress } from "../hub.js";
import { loadModel } from "../index.js";
import type { LoadOptions, Model } from "../index.js";
import { downloadBar } from "./download-bar.js";

/** What {@link openModel} needs in addition to the options of `loadModel`. */
export interface OpenSettings {
  /** Writes llama.cpp's log to standard error. */
  readonly isVerbose: boolean;
  /** Cancels the load. */
  readonly signal: AbortSignal;
}

/** A load that takes longer shows a progress bar. Unit: milliseconds. */
const BAR_AFTER_MS = 300;

/**
 * Returns a bar on standard error, or one that does nothing if that is not a terminal. The bar
 * appears only during a long load and clears itself.
 */
function progressBar(): { update: (progress: number) => void; stop: () => void } {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    format: "loading {bar} {percentage} % | {duration_formatted}",
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
  });
  const started = Date.now();
  let isShown = false;
  return {
    update: (progress) => {
      if (!isShown && progress < 1 && Date.now() - started > BAR_AFTER_MS) {
        bar.start(100, 0);
        isShown = true;
      }
      if (isShown) bar.update(Math.floor(progress * 100));
    },
    stop: () => {
      if (isShown) bar.stop();
    },
  };
}

/**
 * Loads the model that a command line names.
 *
 * @param load - The values of the flags: the options of `loadModel`, and `path`.
 * @throws {R1Error} what `loadModel` throws; the signal's reason if the load is cancelled.
 */
export async function openModel(
  load: Readonly<Record<string, unknown>>,
  settings: OpenSettings,
): Promise<Model> {
  const bar = progressBar();
  const download = downloadBar();
  // A model in the cache needs no bar.
  const onDownload = (progress: DownloadProgress): void => {
    if (progress.phase === "fetching" && progress.receivedBytes < progress.totalBytes)
      download.show(progress);
  };
  const { signal } = settings;
  /** Resolved here, because a load cannot report why it waits for the Hub. */
  const local = async (name: unknown): Promise<string | undefined> =>
    typeof name === "string" && isHubReference(name)
      ? resolveModel(name, {
          signal,
          onProgress: onDownload,
          onRetry: (notice) => download.retry(notice),
        })
      : (name as string | undefined);
  const { path: named, ...options } = load;
  const full = {
    ...options,
    signal,
    onProgress: (progress: number) => {
      download.stop();
      bar.update(progress);
    },
    ...(settings.isVerbose
      ? {
          logger: ({ level, text }: { level: string; text: string }) =>
            process.stderr.write(`${level.padEnd(5)} ${text}\n`),
        }
      : {}),
  } as LoadOptions;
  try {
    const path = await local(named);
    const draftModel = await local(options["draftModel"]);
    download.stop();
    return await loadModel(path, draftModel === undefined ? full : { ...full, draftModel });
  } finally {
    download.stop();
    bar.stop();
  }
}
