// Shows the progress of a batch on standard error: a bar on a terminal, otherwise one line a
// minute, or JSON lines. Main thread.
import { SingleBar } from "cli-progress";
import type { BatchProgress } from "../batch.js";

/** Time between two lines if standard error is not a terminal. Unit: milliseconds. */
const LINE_MS = 60_000;
/** Time between two JSON objects. Unit: milliseconds. */
const JSON_MS = 1000;

/** Formats seconds for people. */
export function timeText(seconds: number | undefined): string {
  if (seconds === undefined) return "time left unknown";
  if (seconds < 90) return `${Math.ceil(seconds)} s left`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

/** Tokens a second as a person says them. */
export const rateText = (perSecond: number): string =>
  `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)} tokens/s`;

/** Formats one line of progress. */
export function progressLine(progress: BatchProgress): string {
  const { total, done, failed, running, tokensPerSecond, secondsLeft } = progress;
  const failures = failed === 0 ? "" : `, ${failed} failed`;
  return `${done} of ${total ?? "?"} done${failures}, ${running} running, ${rateText(tokensPerSecond)}, ${timeText(secondsLeft)}`;
}

/** Shows progress until it is stopped. */
export interface ProgressView {
  update(progress: BatchProgress): void;
  /** Writes a line above the bar. */
  say(text: string): void;
  stop(): void;
}

/** Progress as JSON, for programs. */
export const progressJson = (progress: BatchProgress): string =>
  `${JSON.stringify({ event: "progress", ...progress })}\n`;

function lines(everyMs: number, lineOf: (progress: BatchProgress) => string): ProgressView {
  let last = performance.now();
  return {
    update: (progress) => {
      const now = performance.now();
      if (now - last < everyMs) return;
      last = now;
      process.stderr.write(lineOf(progress));
    },
    say: (text) => void process.stderr.write(`${text}\n`),
    stop: () => undefined,
  };
}

function bar(): ProgressView {
  const shown = new SingleBar({
    format: "{bar} {text}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 20,
    linewrap: false,
  });
  let isShown = false;
  const stop = (): void => {
    if (isShown) shown.stop();
    isShown = false;
  };
  return {
    update: (progress) => {
      const total = Math.max(1, progress.total ?? 1);
      const text = progressLine(progress);
      if (!isShown) shown.start(total, progress.done, { text });
      isShown = true;
      shown.setTotal(total);
      shown.update(progress.done, { text });
    },
    say: (text) => {
      stop();
      process.stderr.write(`${text}\n`);
    },
    stop,
  };
}

/** Returns the view that suits standard error. */
export function progressView(wantsJson: boolean): ProgressView {
  if (wantsJson) return lines(JSON_MS, progressJson);
  return process.stderr.isTTY ? bar() : lines(LINE_MS, (progress) => `${progressLine(progress)}\n`);
}
