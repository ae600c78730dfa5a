// Loads the model a command line names, with progress bars on the terminal and llama.cpp's log when
// asked for; main thread.
import { SingleBar } from "cli-progress";
import { isHubReference, resolveModel } from "../hub.js";
import type { DownloadProgress } from "../hub.js";
import { loadModel } from "../index.js";
import type { LoadOptions, Model } from "../index.js";
import { downloadBar } from "./download-bar.js";

/** What {@link openModel} needs beside the options of `loadModel`. */
export interface OpenSettings {
  /** llama.cpp's log goes to standard error. */
  readonly isVerbose: boolean;
  /** Gives the load up. */
  readonly signal: AbortSignal;
}

/** Milliseconds a load may take before a progress bar is worth showing. */
const BAR_AFTER_MS = 300;

/**
 * A bar on standard error, or nothing when that is no terminal. It shows only when a load takes
 * long, and clears itself.
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
 * Loads a model as a command line asks for it.
 *
 * @param load - What the flags gave: the options of `loadModel`, and `path`.
 * @throws {R1Error} what `loadModel` throws; the signal's reason when it is given up.
 */
export async function openModel(
  load: Readonly<Record<string, unknown>>,
  settings: OpenSettings,
): Promise<Model> {
  const bar = progressBar();
  const download = downloadBar();
  // A model that is in the cache needs no bar.
  const onDownload = (progress: DownloadProgress): void => {
    if (progress.phase === "fetching" && progress.receivedBytes < progress.totalBytes)
      download.show(progress);
  };
  const { signal } = settings;
  /** Resolved here, since a load cannot report why it waits for the Hub. */
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
