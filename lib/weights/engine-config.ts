// What native code is given to make an engine of. Pure; runs on any JavaScript thread.
import type { NativeEngineConfig } from "../binding/native.js";
import type { CacheChoice } from "./cache-types.js";
import type { LoadConfig } from "./normalize-load.js";

/** The options of a load that concern the context, with the settled cache types. */
export function engineConfig(config: LoadConfig, cache: CacheChoice): NativeEngineConfig {
  return Object.freeze({
    contextSize: config.contextSize,
    batchSize: config.batchSize,
    ubatchSize: config.ubatchSize,
    sequences: config.sequences,
    kvUnified: config.kvUnified,
    threads: config.threads,
    threadsBatch: config.threadsBatch,
    cacheTypeK: cache.typeK,
    cacheTypeV: cache.typeV,
    flashAttention: cache.flashAttention,
    offloadKqv: config.offloadKqv,
    opOffload: config.opOffload,
    priority: config.priority,
    poll: config.poll,
    rope: config.rope,
    maxQueue: config.maxQueue,
    prefixCache: config.prefixCache,
    maxDraft: config.maxDraft,
    deterministic: config.deterministic,
    warmup: config.warmup,
  });
}
