// The progress bar of a download: share, rate and remaining time. Written to standard error, and
// only on a terminal. Main thread.
import { SingleBar } from "cli-progress";
import type { DownloadProgress, RetryNotice } from "../hub.js";
import { bytesText } from "./file-work.js";

/** Formats seconds for people. */
function timeText(seconds: number | undefined): string {
  if (seconds === undefined) return "";
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s left`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s left`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min left`;
}

/** Names come from the server: escape them, so that they cannot control the terminal. */
const shown = (name: string): string => JSON.stringify(name).slice(1, -1);

/** Number of columns that has room for everything. */
const WIDE = 110;

/**
 * Chooses what to show on a terminal with the given number of columns: first the share and the
 * rate, then bytes and the file, then the bar.
 */
export function barLayout(columns: number): { format: string; fileWidth: number } {
  if (columns >= WIDE)
    return {
      format: "{bar} {percentage} % {received} of {all} {rate} {left} {file}",
      fileWidth: columns - 80,
    };
  if (columns >= 70)
    return {
      format: "{percentage} % {received} of {all} {rate} {left} {file}",
      fileWidth: columns - 63,
    };
  return { format: "{percentage} % {rate} {left}", fileWidth: 0 };
}

/** Shortens a long name in its middle: the end holds the quant and the part. */
export function shortened(name: string, width: number): string {
  if (name.length <= width) return name;
  const tail = Math.max(4, Math.ceil((width - 1) * 0.7));
  return `${name.slice(0, Math.max(0, width - 1 - tail))}…${name.slice(-tail)}`;
}

/** A bar that appears with the first progress update and clears itself when stopped. */
export interface DownloadBar {
  show(progress: DownloadProgress): void;
  /** Writes a line above the bar: why no data arrives, and when the next attempt is. */
  retry(notice: RetryNotice): void;
  stop(): void;
}

/** Returns a bar on standard error, or one that does nothing if that is not a terminal. */
export function downloadBar(): DownloadBar {
  if (!process.stderr.isTTY)
    return { show: () => undefined, retry: () => undefined, stop: () => undefined };
  const columns = process.stderr.columns || WIDE;
  const { format, fileWidth } = barLayout(columns);
  const bar = new SingleBar({
    format,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 20,
    linewrap: false,
  });
  let isShown = false;
  return {
    show: ({
      phase,
      receivedBytes,
      totalBytes,
      bytesPerSecond,
      secondsLeft,
      file,
      filesDone,
      files,
    }) => {
      const words = {
        received: bytesText(receivedBytes),
        // `total` means the bar's own total: its 1000 steps.
        all: bytesText(totalBytes),
        rate: phase === "checking" ? "checking" : `${bytesText(Math.round(bytesPerSecond))}/s`,
        left: timeText(secondsLeft),
        file: `(${Math.min(files, filesDone + 1)}/${files}) ${shortened(shown(file.slice(file.lastIndexOf("/") + 1)), fileWidth)}`,
      };
      const share = totalBytes === 0 ? 1000 : Math.floor((receivedBytes / totalBytes) * 1000);
      if (isShown) bar.update(share, words);
      else bar.start(1000, share, words);
      isShown = true;
    },
    retry: ({ host, reason, attempt, attempts, waitMs }) => {
      if (isShown) bar.stop();
      isShown = false;
      const seconds = Math.max(1, Math.round(waitMs / 1000));
      process.stderr.write(
        `cannot reach ${shown(host)} (${shown(reason)}); retrying in ${seconds} s, ` +
          `attempt ${attempt} of ${attempts}\n`,
      );
    },
    stop: () => {
      if (isShown) bar.stop();
      isShown = false;
    },
  };
}
