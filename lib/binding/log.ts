// Deals llama.cpp's log out to whoever listens in this environment; nothing is logged while nobody
// does. Runs on the JavaScript thread that listens.
import { native } from "./load.js";
import type { NativeLogEntry } from "./native.js";

/** Gets log lines in bulk. */
export type LogListener = (entries: readonly NativeLogEntry[]) => void;

const listeners = new Set<LogListener>();

function deal(entries: NativeLogEntry[]): void {
  for (const listener of listeners) {
    try {
      listener(entries);
    } catch (error) {
      // A logger that throws must not end the process it logs for.
      listeners.delete(listener);
      process.emitWarning(
        `A logger threw and gets no more lines: ${error instanceof Error ? error.message : String(error)}`,
        "R1NativeWarning",
      );
    }
  }
  if (listeners.size === 0) native().setLogSink(null);
}

/**
 * Listens to the process's llama.cpp log: lines of all models come, those of other threads too.
 *
 * @returns Ends the listening; may be called more than once.
 */
export function listenToLog(listener: LogListener): () => void {
  listeners.add(listener);
  if (listeners.size === 1) native().setLogSink(deal);
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) native().setLogSink(null);
  };
}
