// What a loaded model tells of itself. Plain data; runs on any JavaScript thread.
import type { Variant } from "../base/types.js";
import { native } from "../binding/load.js";
import type { NativeEngineInfo } from "../binding/native.js";
import type { LoadConfig } from "../weights/normalize-load.js";
import type { OpenedModel } from "./open.js";

/**
 * Facts of a loaded model and of the context it runs in; frozen, and still readable after
 * `close()`.
 */
export interface ModelInfo {
  /** The file that was asked for; the first part of a split model. */
  readonly path: string;
  /** `general.architecture`, e.g. `deepseek2`. */
  readonly architecture: string;
  /** llama.cpp's one-line description. */
  readonly description: string;
  /** Which of R1's releases it is, by its vocabulary and architecture, never by its name. */
  readonly variant: Variant;
  /** Multi-head latent attention: K holds one latent row a token, and V is a view of it. */
  readonly isMla: boolean;
  /** Transformer layers, prediction layers left out. */
  readonly layers: number;
  /** Weights, counted. */
  readonly parameters: number;
  /** Bytes of the weights. */
  readonly sizeBytes: number;
  /** Bytes of the file, all parts of a split one. */
  readonly fileBytes: number;
  /** Context the model was trained with, in tokens. */
  readonly trainContextSize: number;
  /** KV cells of the engine, in tokens: what `contextSize` asked for, rounded up by llama.cpp. */
  readonly contextSize: number;
  /** Cells that one sequence may fill: all of them with `kvUnified`, else its share. */
  readonly sequenceContextSize: number;
  /** Generations decoded side by side. */
  readonly sequences: number;
  /** Tokens of the vocabulary. */
  readonly vocabSize: number;
  /** Length of a hidden row. */
  readonly embeddingSize: number;
  /** Types of the K and V cache and the bytes llama.cpp allocated for both. */
  readonly cache: { readonly typeK: string; readonly typeV: string; readonly bytes: number };
  /** Bytes of llama.cpp's compute buffers. */
  readonly computeBytes: number;
  /**
   * What flash attention was set to; `"auto"` is decided by llama.cpp. A quantised V cache sets it
   * to `"on"`.
   */
  readonly flashAttention: "auto" | "on" | "off";
  /** Threads that decode. */
  readonly threads: number;
  /** Threads that take in prompts. */
  readonly threadsBatch: number;
  /** The priority the decoding threads really have. */
  readonly priority: "normal" | "medium" | "high" | "realtime";
  /** Layers asked onto devices; -1: all. */
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
  /** The file's chat template opens `<think>` in the generation prompt. */
  readonly templateOpensThink: boolean;
  /** llama.cpp's version. */
  readonly llamaVersion: string;
  /** CPU features and build options, as llama.cpp prints them. */
  readonly systemInfo: string;
}

/**
 * Puts the facts together.
 *
 * @param opensThink - Whether the file's chat template opens `<think>`: to find that out takes
 * longer than all else here, so the caller does it while the engine starts.
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
