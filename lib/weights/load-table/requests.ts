// Load options about requests, sessions and callbacks, which the program has no flags for; data
// only.
import { callback, signal } from "../../base/check.js";
import { logger, sessionKey } from "./checks.js";
import { onOff, other, whole, type LoadRow } from "./row.js";

const callable = other("a function", (value, path) => callback(value, path));

export const REQUEST_ROWS = {
  sequences: {
    doc: "generations decoded side by side; further ones wait",
    kind: whole(1, 256),
    default: 1,
    native: "engine",
  },
  kvUnified: {
    doc:
      "one pool of cells for all sequences, rather than an equal share of " +
      "`contextSize` for each; shares are faster",
    kind: onOff,
    defaultText:
      "false when each share holds at least 4096 tokens or with `deterministic`, else true",
    native: "engine",
  },
  maxQueue: {
    doc: "requests that may wait; one more fails with `QUEUE_FULL`",
    kind: whole(0, 1_000_000),
    default: 1024,
    native: "engine",
  },
  prefixCache: {
    doc:
      "finished sequences keep their cells, so that a prompt with the same " +
      "beginning is not computed again",
    kind: onOff,
    default: true,
    native: "engine",
  },
  guestSequence: {
    doc:
      "one more sequence, for generations with the option `guest`: they take no cells that " +
      "finished generations keep. Needs one pool of cells",
    kind: onOff,
    default: false,
    native: "engine",
  },
  maxDraft: {
    doc:
      "longest draft of speculation; 0: none. `sequences` * (1 + " +
      "`maxDraft`) is at most `batchSize`",
    kind: whole(0, 64),
    defaultText: "16, or what `batchSize` allows",
    native: "engine",
  },
  sessionKey: {
    doc: "seals saved sessions ([sessions](../guide/sessions.md))",
    kind: other("a string or a Uint8Array of at least 16 bytes", sessionKey),
    defaultText: "none",
  },
  logger: {
    doc:
      "gets llama.cpp's log: a function of `{ level, text }`, or an object with any of " +
      "`debug`, `info`, `warn`, `error`. `console` gets all of it, " +
      "`{ warn: console.warn, error: console.error }` what matters",
    kind: other("a function or an object", logger),
    defaultText: "nothing is logged",
  },
  onProgress: {
    doc: "gets 0..1, at most once in 16 ms, and 1 at the end; what it throws rejects the load",
    kind: callable,
  },
  onDownload: {
    doc:
      "of a model named `hf:...`: gets the progress of its download, as `onProgress` of " +
      "`downloadModel` does, before the load begins; what it throws rejects the load",
    kind: callable,
  },
  signal: {
    doc: "stops the load within 250 ms; it rejects with `signal.reason`",
    kind: other("an AbortSignal", signal),
  },
} as const satisfies Record<string, LoadRow>;
