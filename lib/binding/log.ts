// Forwards llama.cpp's log to the listeners in this environment; without listeners nothing is
// logged. Runs on the JavaScript thread that listens.
import { native } from "./load.js";
import type { NativeLogEntry } from "./native.js";

/** Receives log lines in batches. */
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
        "A logger threw an error and receives no more lines: " +
          (error instanceof Error ? error.message : String(error)),
        "R1NativeWarning",
      );
    }
  }
  if (listeners.size === 0) native().setLogSink(null);
}

/**
 * Listens to the process's llama.cpp log, which contains the lines of all models and all threads.
 *
 * @returns A function that ends the listening; it may be called more than once.
 */
export function listenToLog(listener: LogListener): () => void {
  listeners.add(listener);
  if (listeners.size === 1) native().setLogSink(deal);
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) native().setLogSink(null);
  };
}
