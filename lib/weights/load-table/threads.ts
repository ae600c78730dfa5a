// Load options about threads; data only.
import { choice, onOff, whole, type LoadRow } from "./row.js";

export const THREAD_ROWS = {
  threads: {
    doc: "threads that decode",
    kind: whole(1, 512),
    defaultText: "the physical cores this process may use; 1 for a file below 32 MiB",
    native: "engine",
    flags: [
      {
        names: ["-t", "--threads"],
        value: "N",
        reader: "threads",
        doc: "threads that decode",
        shownDefault: "the physical cores; 1 for a file below 32 MiB",
      },
    ],
  },
  threadsBatch: {
    doc: "threads that compute prompts",
    kind: whole(1, 512),
    defaultText: "`threads`",
    native: "engine",
    flags: [
      {
        names: ["-tb", "--threads-batch"],
        value: "N",
        reader: "threads",
        doc: "threads that process prompts",
        shownDefault: "as --threads",
      },
    ],
  },
  priority: {
    doc:
      "scheduling of the decoding threads. It stays normal where the system refuses more, or " +
      "where the threads are as many as the cores (JavaScript would get none); " +
      "`info.priority` says which it is",
    kind: choice("normal", "medium", "high", "realtime"),
    default: "normal",
    native: "engine",
    flags: [
      {
        names: ["--prio"],
        value: "N",
        words: { "0": "normal", "1": "medium", "2": "high", "3": "realtime" },
        doc: "scheduling of the threads: 0 normal, 1 medium, 2 high, 3 realtime",
        shownDefault: "0",
      },
    ],
  },
  poll: {
    doc: "how eagerly idle decoding threads poll for work; 0: they sleep at once",
    kind: whole(0, 100),
    default: 50,
    native: "engine",
    flags: [{ names: ["--poll"], value: "0..100", doc: "how eagerly idle threads poll for work" }],
  },
  deterministic: {
    doc:
      "decodes one sequence at a time and computes every prompt anew, so that nothing beside " +
      "or before can change the last bits",
    kind: onOff,
    default: false,
    native: "engine",
    flags: [
      {
        names: ["--deterministic"],
        sets: true,
        doc: "decode one sequence at a time, so that other requests cannot change the last bits",
      },
    ],
  },
} as const satisfies Record<string, LoadRow>;
