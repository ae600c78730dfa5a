// The facts that a loaded model reports about itself.
import type { Variant } from "../base/types.js";
import { native } from "../binding/load.js";
import type { NativeEngineInfo } from "../binding/native.js";
import type { LoadConfig } from "../weights/normalize-load.js";
import type { OpenedModel } from "./open.js";

/** Facts about a loaded model and its context; frozen, and readable after `close()`. */
export interface ModelInfo {
  /** The file that was loaded; the first part of a split model. */
  readonly path: string;
  /** `general.architecture`, e.g. `deepseek2`. */
  readonly architecture: string;
  /** llama.cpp's one-line description. */
  readonly description: string;
  /**
   * Which of R1's releases it is, detected from its vocabulary and architecture, never from its
   * name.
   */
  readonly variant: Variant;
  /** Multi-head latent attention: K holds one latent row per token, and V is a view of it. */
  readonly isMla: boolean;
  /** Transformer layers, not counting prediction layers. */
  readonly layers: number;
  /** Number of weights. */
  readonly parameters: number;
  /** Bytes of the weights. */
  readonly sizeBytes: number;
  /** Bytes of the file; of all parts if it is split. */
  readonly fileBytes: number;
  /** Context that the model was trained with, in tokens. */
  readonly trainContextSize: number;
  /** KV cells of the engine, in tokens: the `contextSize` option, rounded up by llama.cpp. */
  readonly contextSize: number;
  /** Cells that one sequence may fill: all of them with `kvUnified`, otherwise its share. */
  readonly sequenceContextSize: number;
  /** Generations decoded in parallel. */
  readonly sequences: number;
  /** Number of tokens in the vocabulary. */
  readonly vocabSize: number;
  /** Length of a hidden row. */
  readonly embeddingSize: number;
  /** Types of the K and V cache, and the bytes that llama.cpp allocated for both. */
  readonly cache: { readonly typeK: string; readonly typeV: string; readonly bytes: number };
  /** Bytes of llama.cpp's compute buffers. */
  readonly computeBytes: number;
  /**
   * The flash attention setting; with `"auto"` llama.cpp decides. A quantised V cache sets it to
   * `"on"`.
   */
  readonly flashAttention: "auto" | "on" | "off";
  /** Threads used for decoding. */
  readonly threads: number;
  /** Threads used for prompts. */
  readonly threadsBatch: number;
  /** The actual priority of the decoding threads. */
  readonly priority: "normal" | "medium" | "high" | "realtime";
  /** Layers requested on devices; -1: all. */
  readonly gpuLayers: number;
  /** Names of the devices that hold weights, GPUs first. */
  readonly devices: readonly string[];
  /**
   * Bytes of weights, cache and compute buffers by device, as llama.cpp allocated them; `CPU` is
   * system memory.
   */
  readonly memory: readonly {
    readonly device: string;
    readonly weightBytes: number;
    readonly cacheBytes: number;
    readonly computeBytes: number;
  }[];
  /** Whether the file's chat template opens `<think>` in the generation prompt. */
  readonly templateOpensThink: boolean;
  /** llama.cpp's version. */
  readonly llamaVersion: string;
  /** CPU features and build options, as llama.cpp prints them. */
  readonly systemInfo: string;
}

/**
 * Collects the facts.
 *
 * @param opensThink - Whether the file's chat template opens `<think>`. Detecting this takes longer
 * than everything else here, so the caller does it while the engine starts.
 */
export function describeModel(
  path: string,
  opened: OpenedModel,
  engine: Readonly<NativeEngineInfo>,
  config: LoadConfig,
  opensThink: boolean,
): ModelInfo {
  const { weights, cache } = opened;
  const { info } = weights;
  return Object.freeze({
    path,
    architecture: info.architecture,
    description: info.description,
    variant: weights.variant,
    isMla: info.isMla,
    layers: info.layers,
    parameters: info.parameters,
    sizeBytes: info.sizeBytes,
    fileBytes: opened.fileBytes,
    trainContextSize: info.trainContextSize,
    contextSize: engine.contextSize,
    sequenceContextSize: engine.sequenceContextSize,
    sequences: engine.sequences,
    vocabSize: info.vocabSize,
    embeddingSize: info.embeddingSize,
    cache: Object.freeze({
      typeK: engine.cacheTypeK,
      typeV: engine.cacheTypeV,
      bytes: engine.cacheBytes,
    }),
    computeBytes: engine.computeBytes,
    flashAttention: cache.flashAttention,
    threads: config.threads,
    threadsBatch: config.threadsBatch,
    priority: engine.priority,
    gpuLayers: opened.gpuLayers,
    devices: Object.freeze(
      engine.memory.filter(({ weightBytes }) => weightBytes > 0).map(({ device }) => device),
    ),
    memory: Object.freeze(engine.memory.map((place) => Object.freeze({ ...place }))),
    templateOpensThink: opensThink,
    llamaVersion: native().llamaVersion(),
    systemInfo: native().systemInfo(),
  });
}
