// Forwards llama.cpp's log lines to a user's logger. Runs on the JavaScript thread that loads the
// model.
import { warnOnce } from "../base/warn-once.js";
import type { NativeLogEntry } from "../binding/native.js";
import type { EngineHost } from "../isolation/host.js";
import type { Logger } from "./load-options.js";

/** The log of one model. */
export interface Log {
  /** Marks the model as ready: from now on a logger that throws is dropped with a warning. */
  readonly ready: () => void;
  readonly stop: () => void;
  /**
   * Reports something the user should know: to the logger, or as a process warning if there is
   * none.
   */
  readonly warn: (text: string) => void;
}

/** @param onError - Receives what the logger throws while the model is loading. */
export function startLogging(
  host: EngineHost,
  logger: Logger | undefined,
  onError: (error: unknown) => void,
): Log {
  if (logger === undefined)
    return { ready: () => undefined, stop: () => undefined, warn: warnOnce };
  let isLoading = true;
  const write = (entry: NativeLogEntry): void => {
    if (typeof logger === "function") logger(entry);
    else logger[entry.level]?.(entry.text);
  };
  const stop = host.listen((entries) => {
    try {
      entries.forEach(write);
    } catch (error) {
      if (!isLoading) throw error;
      onError(error);
    }
  });
  const warn = (text: string): void => {
    try {
      write({ level: "warn", text });
    } catch (error) {
      onError(error);
    }
  };
  return { ready: () => void (isLoading = false), stop, warn };
}
