// The last check before a model file is first loaded into a process: a trial in a process of its
// own, unless it is remembered. Runs on any JavaScript thread, which it does not hold up.
import { FILE_ROPE } from "./file-rope.js";
import { hasPassed, rememberPassed, trialKey } from "./trial-memory.js";
import type { TrialPart } from "./trial-memory.js";
import { tryModel } from "./trial-process.js";
import type { TrialTask } from "./trial-process.js";

/** When a file is tried: where that is not remembered, each time, or not at all. */
export type TrialMode = "auto" | "always" | "never";

/** Files up to this size are also loaded with their data, and decode a few tokens. Unit: bytes. */
const WITH_DATA_BYTES = 64 * 1024 * 1024;

/** What is tried, and with which options. */
export interface Trial {
  readonly mode: TrialMode;
  /** The files, in order. */
  readonly parts: readonly TrialPart[];
  /** Bytes of all files. */
  readonly sizeBytes: number;
  readonly model: TrialTask["model"];
  /** null: no context is made of it. */
  readonly engine: TrialTask["engine"];
}

/**
 * Loads a model in a process of its own: without its data, on the CPU, with a context as it is
 * asked for; a small one also with its data, to decode a few tokens.
 *
 * @throws `signal.reason` when aborted; {R1Error} `MODEL_UNSUPPORTED` where that process died,
 * `MODEL_LOAD_FAILED` where it did not end or llama.cpp refused the file, `RESOURCE_EXHAUSTED`;
 * otherwise what loading here would throw.
 */
export async function tryBeforeLoading(trial: Trial, signal: AbortSignal): Promise<void> {
  const { mode, parts, sizeBytes, model, engine } = trial;
  if (mode === "never") return;
  const task: TrialTask = {
    // As the trial has it anyway: a load that differs in nothing else is the same trial.
    model: {
      ...model,
      gpuLayers: 0,
      devices: [],
      mainGpu: 0,
      splitMode: "layer",
      tensorSplit: [],
      tensorOverrides: [],
      loadMode: "none",
      checkTensors: false,
    },
    engine:
      engine === null
        ? null
        : { ...engine, threads: 1, threadsBatch: 1, poll: 0, priority: "normal", maxQueue: 0 },
    withData: sizeBytes <= WITH_DATA_BYTES,
  };
  const [path = ""] = model.paths;
  // A file that cannot be read any more is for the load to report.
  const key = await trialKey(task, parts).catch(() => undefined);
  if (mode === "auto" && key !== undefined && (await hasPassed(key))) return;
  await tryModel(path, task, signal);
  if (key !== undefined) await rememberPassed(key);
}

/** A model on the CPU with nothing special, for loads that have no options of their own. */
export function plainModel(paths: string[]): Trial["model"] {
  return {
    paths,
    gpuLayers: 0,
    devices: [],
    mainGpu: 0,
    splitMode: "layer",
    tensorSplit: [],
    tensorOverrides: [],
    loadMode: "auto",
    checkTensors: false,
    repack: false,
    mla: false,
    vocabOnly: false,
    metadataOverrides: [],
  };
}

/** An engine of one sequence with nothing special, for contexts that are made in other ways. */
export function plainEngine(contextSize: number): NonNullable<Trial["engine"]> {
  return {
    contextSize,
    batchSize: contextSize,
    ubatchSize: Math.min(512, contextSize),
    sequences: 1,
    kvUnified: false,
    threads: 1,
    threadsBatch: 1,
    cacheTypeK: "f16",
    cacheTypeV: "f16",
    flashAttention: "auto",
    offloadKqv: true,
    opOffload: true,
    priority: "normal",
    poll: 0,
    rope: FILE_ROPE,
    maxQueue: 0,
    prefixCache: true,
    maxDraft: 0,
    deterministic: false,
    warmup: false,
  };
}
