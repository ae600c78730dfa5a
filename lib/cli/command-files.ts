// The commands of the program, each in a file of its own.
import type { CommandTable } from "./command-file.js";

/**
 * One file per command; each adds itself to the program. Only the files that a command line needs
 * are loaded.
 */
export const COMMANDS: CommandTable = {
  run: () => import("./commands/run.js"),
  chat: () => import("./commands/chat.js"),
  serve: () => import("./commands/serve.js"),
  batch: () => import("./commands/batch.js"),
  "batch export": () => import("./commands/batch-export.js"),
  "batch merge": () => import("./commands/batch-merge.js"),
  "batch collect": () => import("./commands/batch-collect.js"),
  "batch remove-queue": () => import("./commands/batch-remove-queue.js"),
  "batch stats": () => import("./commands/batch-stats.js"),
  worker: () => import("./commands/worker.js"),
  devices: () => import("./commands/devices.js"),
  plan: () => import("./commands/plan.js"),
  pull: () => import("./commands/pull.js"),
  inspect: () => import("./commands/inspect.js"),
  doctor: () => import("./commands/doctor.js"),
  merge: () => import("./commands/merge.js"),
  split: () => import("./commands/split.js"),
  imatrix: () => import("./commands/imatrix.js"),
  quantize: () => import("./commands/quantize.js"),
  quants: () => import("./commands/quants.js"),
  "rpc-server": () => import("./commands/rpc-server.js"),
  complete: () => import("./commands/complete.js"),
  build: () => import("./commands/build.js"),
};
