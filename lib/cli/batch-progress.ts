// Shows the progress of a batch on standard error: a bar on a terminal, otherwise one line a
// minute, or JSON lines. Main thread.
import { SingleBar } from "cli-progress";
import type { BatchProgress } from "../batch.js";
import { reportText } from "./report-json.js";

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

/** Columns of the bar. */
const BAR = 20;

/** One line of progress that fits a terminal: with a bar if there is room, and with less if not. */
export function barText(progress: BatchProgress, columns: number): string {
  const { total, done, failed, tokensPerSecond, secondsLeft } = progress;
  const filled = Math.floor(Math.min(1, done / Math.max(1, total ?? Infinity)) * BAR);
  const line = progressLine(progress);
  const count = `${done} of ${total ?? "?"} done`;
  const failures = failed === 0 ? "" : `, ${failed} failed`;
  const left = timeText(secondsLeft);
  const forms = [
    `${"=".repeat(filled)}${"-".repeat(BAR - filled)} ${line}`,
    line,
    `${count}${failures}, ${rateText(tokensPerSecond)}, ${left}`,
    `${count}${failures}, ${left}`,
    `${count}, ${left}`,
  ];
  // Text in the last column would make some terminals begin a line.
  return forms.find((form) => form.length < columns) ?? `${done} of ${total ?? "?"}`;
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
  reportText("batch-progress", { event: "progress", ...progress }, 0);

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
    format: "{text}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
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
      const text = barText(progress, process.stderr.columns || 80);
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
