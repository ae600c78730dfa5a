// Counts received bytes and reports them ten times per second, with the rate and the remaining
// time.

/** The progress of a download. */
export interface DownloadProgress {
  /** `checking`: hashing what is already present. `fetching`: receiving bytes. */
  readonly phase: "checking" | "fetching";
  /** Bytes of all files that are present: fetched now, or left by an earlier download. */
  readonly receivedBytes: number;
  /** Of all files. */
  readonly totalBytes: number;
  /** Bytes received over the network in this call. */
  readonly fetchedBytes: number;
  /** Over the last seconds; 0 at the beginning. */
  readonly bytesPerSecond: number;
  /** Undefined while the rate is unknown. */
  readonly secondsLeft: number | undefined;
  /** Path of the current file in the repository. */
  readonly file: string;
  /** Files that are complete and have their names. */
  readonly filesDone: number;
  /** Number of files in the download. */
  readonly files: number;
}

/** Minimum time between two calls. Unit: milliseconds. */
const INTERVAL_MS = 100;
/** Time over which the rate is measured. Unit: milliseconds. */
const WINDOW_MS = 5_000;

/** Keeps the counts of a download. */
export class Meter {
  phase: DownloadProgress["phase"] = "checking";
  file = "";
  filesDone = 0;
  receivedBytes = 0;
  fetchedBytes = 0;
  readonly #totalBytes: number;
  readonly #files: number;
  readonly #callback: ((progress: DownloadProgress) => void) | undefined;
  readonly #onError: (error: unknown) => void;
  #samples: { time: number; bytes: number }[] = [];
  #lastTime = -Infinity;

  /** @param onError - Called with what the callback throws; the callback is not called again. */
  constructor(
    totalBytes: number,
    files: number,
    callback: ((progress: DownloadProgress) => void) | undefined,
    onError: (error: unknown) => void,
  ) {
    this.#totalBytes = totalBytes;
    this.#files = files;
    this.#callback = callback;
    this.#onError = onError;
  }

  /** Bytes came over the network. */
  readonly add = (bytes: number): void => {
    this.receivedBytes += bytes;
    this.fetchedBytes += bytes;
    this.report();
  };

  /** @param isForced - Reports even if the last report was just now. */
  report(isForced = false): void {
    const now = performance.now();
    if (this.#callback === undefined || (!isForced && now - this.#lastTime < INTERVAL_MS)) return;
    this.#lastTime = now;
    this.#samples = [
      ...this.#samples.filter(({ time }) => now - time <= WINDOW_MS),
      { time: now, bytes: this.fetchedBytes },
    ];
    const [first] = this.#samples;
    const seconds = first === undefined ? 0 : (now - first.time) / 1000;
    const bytesPerSecond = seconds > 0 ? (this.fetchedBytes - (first?.bytes ?? 0)) / seconds : 0;
    const { phase, receivedBytes, fetchedBytes, file, filesDone } = this;
    try {
      this.#callback({
        phase,
        receivedBytes,
        totalBytes: this.#totalBytes,
        fetchedBytes,
        bytesPerSecond,
        secondsLeft:
          bytesPerSecond > 0 ? (this.#totalBytes - receivedBytes) / bytesPerSecond : undefined,
        file,
        filesDone,
        files: this.#files,
      });
    } catch (error) {
      this.#onError(error);
    }
  }
}
