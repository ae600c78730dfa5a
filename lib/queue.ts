// The public exports of r1-native/queue; nothing else.
export { fillQueue } from "./queue/fill.js";
export type { FillOptions, FillSummary } from "./queue/fill.js";
export { runWorker } from "./queue/worker.js";
export type { WorkerSummary } from "./queue/worker.js";
export type { WorkerOptions } from "./queue/worker-config.js";
export { collectQueue } from "./queue/collect.js";
export type { CollectOptions, CollectSummary, MissingShard } from "./queue/collect.js";
export { removeQueue } from "./queue/remove.js";
export type { RemoveOptions, RemoveSummary } from "./queue/remove.js";
export { watchQueue } from "./queue/watch.js";
export type { QueueState, WatchedWorker, WatchOptions } from "./queue/watch.js";
export type { QueueOptions } from "./queue/options.js";
export type { WorkerReport } from "./queue/control.js";
export type { RowCounts } from "./queue/link.js";
