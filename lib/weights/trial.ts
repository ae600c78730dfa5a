// The trial of a model that is about to be loaded: what of its options matters there, and the model
// that needs none. Runs on the JavaScript thread, which it does not hold up.
import { tryBeforeLoading } from "../binding/trial.js";
import type { CheckedModel } from "../gguf/check/check-model.js";
import type { CacheChoice } from "./cache-types.js";
import { DEFAULT_MODEL_PATH } from "./default-model.js";
import { engineConfig } from "./engine-config.js";
import type { LoadConfig } from "./normalize-load.js";
import { weightsConfig } from "./weights.js";

/** A trial under way. */
export interface RunningTrial {
  /** Settles with it. Its failure is handled even if nobody waits. */
  readonly passed: Promise<void>;
  /** Ends it, because the load has failed in another way. */
  readonly stop: () => void;
}

/** The model of the package, as it came: its tests load it with every option. */
function isKnown(checked: CheckedModel, config: LoadConfig): boolean {
  return (
    checked.paths[0] === DEFAULT_MODEL_PATH &&
    config.metadataOverrides.length === 0 &&
    config.rope.scaling === "file"
  );
}

/**
 * Starts to try checked files in a process of their own.
 *
 * @throws (by `passed`) `signal.reason` when aborted; {R1Error} as `tryBeforeLoading`.
 */
export function startTrial(
  checked: CheckedModel,
  config: LoadConfig,
  cache: CacheChoice,
  signal: AbortSignal,
): RunningTrial {
  const stopped = new AbortController();
  const needsNone = config.trial === "auto" && isKnown(checked, config);
  const passed = tryBeforeLoading(
    {
      mode: needsNone ? "never" : config.trial,
      parts: checked.parts,
      sizeBytes: checked.sizeBytes,
      model: weightsConfig(checked, config, 0),
      engine: engineConfig(config, cache),
    },
    AbortSignal.any([signal, stopped.signal]),
  );
  passed.catch(() => undefined);
  return { passed, stop: () => stopped.abort() };
}
