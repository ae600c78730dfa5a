// The flags of a queue: of `batch` when it fills one, and of `worker`; data only.
import { inGroup, type Flag, type Row } from "./flags.js";
import { constant, integer, seconds, text } from "./flag-values.js";

const server: Row[] = [
  {
    names: ["--queue"],
    value: "URL",
    option: "queue",
    parse: text,
    doc: "redis://, rediss:// or postgres://; passwords: REDISCLI_AUTH, PGPASSWORD",
  },
  {
    names: ["--queue-name"],
    value: "NAME",
    option: "queueName",
    parse: text,
    doc: "one server holds many batches, each with a name (default: batch)",
  },
  {
    names: ["--dashboard"],
    option: "dashboard",
    parse: constant(true),
    doc: "show workers, rates and rows left, until all rows are done",
  },
];

const producer: Row[] = [
  {
    names: ["--max-waiting"],
    value: "N",
    option: "maxWaiting",
    parse: integer,
    doc: "most rows that wait in the queue; more are added as workers take them (default: 100000)",
  },
];

const worker: Row[] = [
  {
    names: ["-o", "--output"],
    value: "SHARD",
    option: "shard",
    parse: text,
    doc: "this worker's own output, JSONL; results are appended to it",
  },
  {
    names: ["-np", "--parallel", "--sequences"],
    value: "N",
    option: "sequences",
    parse: integer,
    doc: "rows computed side by side; they share --ctx-size (default: 4)",
  },
  {
    names: ["--concurrency"],
    value: "N",
    option: "concurrency",
    parse: integer,
    doc: "rows taken from the queue at a time (default: as many as sequences)",
  },
  {
    names: ["--lock"],
    value: "SECONDS",
    option: "lockMs",
    parse: seconds,
    doc: "after so long without a sign of life a worker's rows go to others (default: 60)",
  },
  {
    names: ["--max-lost"],
    value: "N",
    option: "maxLost",
    parse: integer,
    doc: "a row whose worker died more often than this fails (default: 5)",
  },
  {
    names: ["--stay"],
    option: "stay",
    parse: constant(true),
    doc: "wait for further rows when all are done",
  },
  {
    names: ["--verify"],
    value: "FILE",
    option: "verify",
    parse: text,
    doc: "the verifier's module, where the batch has one: code is never taken from the queue",
  },
  {
    names: ["--verify-timeout"],
    value: "MS",
    option: "verifyTimeoutMs",
    parse: integer,
    doc: "longest time of one call of it (default: 10000)",
  },
  {
    names: ["--drain"],
    value: "SECONDS",
    option: "drainMs",
    parse: seconds,
    doc: "how long running rows may go on after Ctrl-C (default: 0, they go back to the queue)",
  },
  {
    names: ["--repair"],
    option: "repair",
    parse: constant(true),
    doc: "move broken lines of the shard into a file of their own",
  },
  {
    names: ["--json-progress"],
    option: "jsonProgress",
    parse: constant(true),
    doc: "progress as one JSON object a line on standard error",
  },
  {
    names: ["-v", "--log-verbose", "--verbose"],
    option: "verbose",
    parse: constant(true),
    doc: "llama.cpp's log on standard error",
  },
];

/** Flags that `batch` takes for a queue. */
export const batchQueueFlags: readonly Flag[] = Object.freeze(
  inGroup("run", "Queue:", [...server, ...producer]),
);

/** Flags of `worker` only. */
export const workerFlags: readonly Flag[] = Object.freeze([
  ...inGroup("run", "Queue:", server),
  ...inGroup("run", "Worker:", worker),
]);
