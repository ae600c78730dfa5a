// Starts the trial of a model that is about to be loaded: selects the options that matter there,
// and skips the model that needs no trial. Does not block the JavaScript thread.
import { tryBeforeLoading } from "../binding/trial.js";
import type { CheckedModel } from "../gguf/check/check-model.js";
import type { CacheChoice } from "./cache-types.js";
import { DEFAULT_MODEL_PATH } from "./default-model.js";
import { engineConfig } from "./engine-config.js";
import type { LoadConfig } from "./normalize-load.js";
import { weightsConfig } from "./weights.js";

/** A running trial. */
export interface RunningTrial {
  /** Settles with the trial. A failure counts as handled even if nobody awaits it. */
  readonly passed: Promise<void>;
  /** Stops the trial because the load has failed in another way. */
  readonly stop: () => void;
}

/** The unmodified model of the package: its tests load it with every option. */
function isKnown(checked: CheckedModel, config: LoadConfig): boolean {
  return (
    checked.paths[0] === DEFAULT_MODEL_PATH &&
    config.metadataOverrides.length === 0 &&
    config.rope.scaling === "file"
  );
}

/**
 * Starts a trial of checked files in a separate process.
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
