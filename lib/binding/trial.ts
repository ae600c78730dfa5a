// The last check before a model file is first loaded into a process: a trial in a separate process,
// unless the file has passed before. Does not block the JavaScript thread.
import { FILE_ROPE } from "./file-rope.js";
import { hasPassed, rememberPassed, trialKey } from "./trial-memory.js";
import type { TrialPart } from "./trial-memory.js";
import { tryModel } from "./trial-process.js";
import type { TrialTask } from "./trial-process.js";

/** When a file is tried: unless it has passed before, each time, or never. */
export type TrialMode = "auto" | "always" | "never";

/** Files up to this size are also loaded with their data, and decode a few tokens. Unit: bytes. */
const WITH_DATA_BYTES = 64 * 1024 * 1024;

/** The files and options of a trial. */
export interface Trial {
  readonly mode: TrialMode;
  /** The files, in order. */
  readonly parts: readonly TrialPart[];
  /** Bytes of all files. */
  readonly sizeBytes: number;
  readonly model: TrialTask["model"];
  /** null: no context is created. */
  readonly engine: TrialTask["engine"];
}

/**
 * Loads a model in a separate process: without its data, on the CPU, with the requested context. A
 * small model is also loaded with its data and decodes a few tokens.
 *
 * @throws `signal.reason` when aborted; {R1Error} `MODEL_UNSUPPORTED` if that process died,
 * `MODEL_LOAD_FAILED` if it did not finish or llama.cpp refused the file, `RESOURCE_EXHAUSTED`;
 * otherwise the errors that loading here would throw.
 */
export async function tryBeforeLoading(trial: Trial, signal: AbortSignal): Promise<void> {
  const { mode, parts, sizeBytes, model, engine } = trial;
  if (mode === "never") return;
  const task: TrialTask = {
    // The values the trial uses in any case: a load that differs only in these is the same trial.
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
  // An unreadable file is reported by the load.
  const key = await trialKey(task, parts).catch(() => undefined);
  if (mode === "auto" && key !== undefined && (await hasPassed(key))) return;
  await tryModel(path, task, signal);
  if (key !== undefined) await rememberPassed(key);
}

/** A model on the CPU with default settings, for loads without options of their own. */
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

/** An engine of one sequence with default settings, for contexts that are created in other ways. */
export function plainEngine(contextSize: number): NonNullable<Trial["engine"]> {
  return {
    contextSize,
    batchSize: contextSize,
    ubatchSize: Math.min(512, contextSize),
    sequences: 1,
    guestSequence: false,
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
