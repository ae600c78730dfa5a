// Counts what comes, and tells it ten times a second with rate and time left. Runs on the
// JavaScript thread.

/** How far a download is. */
export interface DownloadProgress {
  /** `checking`: what is there already is hashed. `fetching`: bytes come. */
  readonly phase: "checking" | "fetching";
  /** Of all files, bytes that are there: fetched now, or left by an earlier download. */
  readonly receivedBytes: number;
  /** Of all files. */
  readonly totalBytes: number;
  /** Bytes that came over the network in this call. */
  readonly fetchedBytes: number;
  /** Over the last seconds; 0 at the beginning. */
  readonly bytesPerSecond: number;
  /** Undefined while no rate is known. */
  readonly secondsLeft: number | undefined;
  /** Path in the repository of the file at work. */
  readonly file: string;
  /** Files that are whole and have their names. */
  readonly filesDone: number;
  /** Files of the download. */
  readonly files: number;
}

/** Least time between two calls. Unit: milliseconds. */
const INTERVAL_MS = 100;
/** Time that the rate is taken over. Unit: milliseconds. */
const WINDOW_MS = 5_000;

/** Keeps count of a download. */
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

  /** @param onError - Gets what the callback throws; it is not called again then. */
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
    this.tell();
  };

  /** @param isForced - Tells also when it has just told. */
  tell(isForced = false): void {
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
