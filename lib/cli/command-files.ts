// The commands of the program, each in a file of its own; the list needs none of these files.
import type { CommandTable } from "./command-file.js";

/**
 * One file per command; each adds itself to the program. Only the files that a command line needs
 * are loaded.
 */
export const COMMANDS: CommandTable = {
  run: {
    summary: "answer one prompt (the word run is optional)",
    load: () => import("./commands/run.js"),
  },
  chat: {
    summary: "hold a conversation of many turns",
    load: () => import("./commands/chat.js"),
  },
  serve: {
    summary: "serve models over HTTP, for OpenAI's clients",
    load: () => import("./commands/serve.js"),
  },
  batch: {
    summary: "run the rows of a file; no result is lost, even if the run is killed",
    load: () => import("./commands/batch.js"),
  },
  "batch export": {
    summary: "write the results of a batch as JSONL, CSV, Parquet or OpenAI's lines",
    load: () => import("./commands/batch-export.js"),
  },
  "batch merge": {
    summary: "merge outputs of a batch: the first record of each sample counts",
    load: () => import("./commands/batch-merge.js"),
  },
  "batch collect": {
    summary: "merge the shards of a queue's workers, and report rows that are missing",
    load: () => import("./commands/batch-collect.js"),
  },
  "batch remove-queue": {
    summary: "remove a finished batch from its server",
    load: () => import("./commands/batch-remove-queue.js"),
  },
  "batch stats": {
    summary: "lengths and ends of a batch's results, as a table and a plot",
    load: () => import("./commands/batch-stats.js"),
  },
  worker: {
    summary: "compute rows of a queue on this machine",
    load: () => import("./commands/worker.js"),
  },
  devices: {
    summary: "list the devices that can hold layers, and their memory",
    load: () => import("./commands/devices.js"),
  },
  plan: {
    summary: "show which parts of a model fit on the GPU, before downloading or loading it",
    load: () => import("./commands/plan.js"),
  },
  pull: {
    summary: "download a model from the Hub, resuming and checking every file",
    load: () => import("./commands/pull.js"),
  },
  inspect: {
    summary: "show what is in a model file, local or remote, without loading it",
    load: () => import("./commands/inspect.js"),
  },
  doctor: {
    summary: "find what makes a file of R1 answer worse than it could, and correct its metadata",
    load: () => import("./commands/doctor.js"),
  },
  merge: {
    summary: "merge the parts of a split model into one file",
    load: () => import("./commands/merge.js"),
  },
  split: {
    summary: "split a model file into parts",
    load: () => import("./commands/split.js"),
  },
  imatrix: {
    summary: "compute an importance matrix for quantize",
    load: () => import("./commands/imatrix.js"),
  },
  quantize: {
    summary: "make a smaller quant of a model",
    load: () => import("./commands/quantize.js"),
  },
  quants: {
    summary: "show the quants of the 671B model and the distills",
    load: () => import("./commands/quants.js"),
  },
  bench: {
    summary: "measure how fast a model is on this machine: prompt, generation, several streams",
    load: () => import("./commands/bench.js"),
  },
  config: {
    summary: "show which settings hold for a command, and where each comes from",
    load: () => import("./commands/config.js"),
  },
  "rpc-server": {
    summary: "lend this machine's devices to models on other machines (llama.cpp's RPC)",
    load: () => import("./commands/rpc-server.js"),
  },
  complete: {
    summary: "print a script that completes r1-native's commands and flags in a shell",
    load: () => import("./commands/complete.js"),
  },
  build: {
    summary: "build the native addon from the source in the package",
    load: () => import("./commands/build.js"),
  },
};
