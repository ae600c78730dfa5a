// Builds the configuration that native code creates an engine from.
import type { NativeEngineConfig } from "../binding/native.js";
import type { CacheChoice } from "./cache-types.js";
import { nativeFields } from "./load-table/table.js";
import type { LoadConfig } from "./normalize-load.js";

/** The load options that concern the context, with the chosen cache types. */
export function engineConfig(config: LoadConfig, cache: CacheChoice): NativeEngineConfig {
  return Object.freeze({
    ...nativeFields(config, "engine"),
    cacheTypeK: cache.typeK,
    cacheTypeV: cache.typeV,
    flashAttention: cache.flashAttention,
  } satisfies NativeEngineConfig);
}
