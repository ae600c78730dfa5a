// The progress bar of a download: share, rate and time left, on standard error and on a terminal
// only; main thread.
import { SingleBar } from "cli-progress";
import type { DownloadProgress, RetryNotice } from "../hub.js";
import { bytesText } from "./file-work.js";

/** Seconds as a person says them. */
function timeText(seconds: number | undefined): string {
  if (seconds === undefined) return "";
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s left`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s left`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min left`;
}

/** Names come from the server: nothing in them may steer the terminal. */
const shown = (name: string): string => JSON.stringify(name).slice(1, -1);

/** Columns that have room for all. */
const WIDE = 110;

/**
 * What is shown on a terminal of so many columns: share and rate first, then bytes and the file,
 * then the bar.
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

/** A name that is too long, without its middle: the end has the quant and the part. */
export function shortened(name: string, width: number): string {
  if (name.length <= width) return name;
  const tail = Math.max(4, Math.ceil((width - 1) * 0.7));
  return `${name.slice(0, Math.max(0, width - 1 - tail))}…${name.slice(-tail)}`;
}

/** A bar that appears with the first progress it is shown, and clears itself when it is stopped. */
export interface DownloadBar {
  show(progress: DownloadProgress): void;
  /** A line above the bar: why nothing comes, and when the next try is. */
  retry(notice: RetryNotice): void;
  stop(): void;
}

/** A bar on standard error, or nothing when that is no terminal. */
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
        // `total` is the bar's own: its 1000 steps.
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
        `cannot reach ${shown(host)} (${shown(reason)}); trying again in ${seconds} s, try ${attempt} of ${attempts}\n`,
      );
    },
    stop: () => {
      if (isShown) bar.stop();
      isShown = false;
    },
  };
}
