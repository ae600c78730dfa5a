// Opens weights from a path: checks the files, chooses the settings for llama.cpp, refuses what
// cannot work, and loads. Never blocks the JavaScript thread.
import { setImmediate } from "node:timers/promises";
import { waitOrAbort } from "../base/abort.js";
import { R1Error } from "../base/errors.js";
import { native } from "../binding/load.js";
import { checkModelFiles } from "../gguf/check/check-model.js";
import type { CheckedModel } from "../gguf/check/check-model.js";
import type { EngineHost } from "../isolation/host.js";
import type { Placement } from "../plan/offload.js";
import { parseJinja } from "../template/jinja.js";
import { availableMemory } from "../machine/available-memory.js";
import { checkBackendDir, openBackends } from "../machine/backends.js";
import { chooseCacheTypes, estimateCacheBytes } from "../weights/cache-types.js";
import type { CacheChoice } from "../weights/cache-types.js";
import { warnWithoutGpu, type Device } from "../machine/devices.js";
import { chooseOffload } from "../plan/auto-offload.js";
import type { LoadConfig } from "../weights/normalize-load.js";
import { NO_OVERRIDES, resolveOverrides } from "../weights/tensor-overrides.js";
import { startTrial } from "../weights/trial.js";
import type { RunningTrial } from "../weights/trial.js";
import { loadWeights } from "../weights/weights.js";
import type { Weights } from "../weights/weights.js";

/** Loaded weights, and the settings chosen while loading. */
export interface OpenedModel {
  readonly weights: Weights;
  /** All parts of the file. */
  readonly paths: readonly string[];
  readonly cache: CacheChoice;
  /** Layers requested on devices; -1: all. */
  readonly gpuLayers: number;
  /** Bytes of the file; of all parts if it is split. */
  readonly fileBytes: number;
  /**
   * The devices, with the memory that the plan of this model leaves free on each; undefined if
   * there was no plan.
   */
  readonly devicesLeft: readonly Device[] | undefined;
}

/**
 * Opens a model's files.
 *
 * @param warn - Receives messages that the user should see, such as a backend library that cannot
 * be used.
 * @throws `signal.reason` when aborted; {R1Error} the codes of `loadModel`.
 */
export async function openWeights(
  host: EngineHost,
  path: string,
  config: LoadConfig,
  signal: AbortSignal,
  report: (progress: number) => void,
  warn: (text: string) => void,
): Promise<OpenedModel> {
  const nothing = (): void => undefined;
  const checked = await waitOrAbort(
    checkModelFiles(path, { signal, overrides: config.metadataOverrides }),
    signal,
    nothing,
    nothing,
  );
  const { cacheTypeK, cacheTypeV, flashAttention } = config;
  const { isMla, keyLength, valueLength } = checked;
  const cache = chooseCacheTypes({
    path,
    isMla,
    keyLength,
    valueLength,
    cacheTypeK,
    cacheTypeV,
    flashAttention,
  });
  const trial = startTrial(checked, config, cache, signal);
  try {
    return await openChecked({ host, checked, config, cache, trial, signal, report, warn });
  } finally {
    trial.stop();
  }
}

/** The remaining work after the checks of the files. */
interface Opening {
  readonly host: EngineHost;
  readonly checked: CheckedModel;
  readonly config: LoadConfig;
  readonly cache: CacheChoice;
  readonly trial: RunningTrial;
  readonly signal: AbortSignal;
  readonly report: (progress: number) => void;
  readonly warn: (text: string) => void;
}

async function openChecked(opening: Opening): Promise<OpenedModel> {
  const { host, checked, config, cache, trial, signal, report, warn } = opening;
  const nothing = (): void => undefined;
  // The child of an isolated model loads the backend libraries itself.
  const backends =
    config.isolation === "none"
      ? openBackends(config, warn, signal)
      : checkBackendDir(config.backendDir, warn);
  await waitOrAbort(backends, signal, nothing, nothing);
  const present = await waitOrAbort(host.devices(), signal, nothing, nothing);
  warnWithoutGpu(config, present, warn);
  // In separate turns, and while nothing else runs: together with the threads that load the weights
  // it would block the event loop twice as long.
  await setImmediate();
  await parseJinja(checked.chatTemplate ?? "");
  await setImmediate();
  const resolved = await resolveOverrides(
    checked.tensors.map(({ name }) => name),
    config.tensorOverrides,
    signal,
  );
  const { gpuLayers, tensorOverrides, tensorSplit, devices, placement } = chooseOffload(
    checked,
    config,
    cache,
    present,
    resolved,
  );
  assertCacheFits(checked, config, cache, gpuLayers);
  await waitOrAbort(trial.passed, signal, nothing, nothing);
  report(0);
  const weights = await loadWeights(
    host,
    checked,
    { ...config, tensorOverrides, tensorSplit, devices },
    gpuLayers,
    signal,
    report,
  );
  const devicesLeft =
    placement === undefined ? undefined : present.map((device) => leftOf(device, placement));
  return {
    weights,
    paths: checked.paths,
    cache,
    gpuLayers,
    fileBytes: checked.sizeBytes,
    devicesLeft,
  };
}

function leftOf(device: Device, { places }: Placement): Device {
  const {
    weightsBytes = 0,
    cacheBytes = 0,
    computeBytes = 0,
  } = device.type === "cpu" ? {} : (places.find(({ name }) => name === device.name) ?? {});
  return {
    ...device,
    freeBytes: Math.max(0, device.freeBytes - weightsBytes - cacheBytes - computeBytes),
  };
}

/** The cache types of a draft model; its cache is as long as the model's. */
const DRAFT_CACHE: CacheChoice = { typeK: "f16", typeV: "f16", flashAttention: "auto" };

/**
 * Loads the weights of a draft model, planned for the device memory that the main model leaves
 * free.
 *
 * @throws as {@link openWeights}.
 */
export async function openDraft(
  host: EngineHost,
  path: string,
  asked: LoadConfig,
  signal: AbortSignal,
  devicesLeft: OpenedModel["devicesLeft"],
): Promise<Weights> {
  const nothing = (): void => undefined;
  const checked = await waitOrAbort(checkModelFiles(path, { signal }), signal, nothing, nothing);
  // Overrides apply to the model's own file only.
  const config = { ...asked, metadataOverrides: [], tensorOverrides: [] };
  const { gpuLayers, ...offload } = chooseOffload(
    checked,
    config,
    DRAFT_CACHE,
    devicesLeft ?? (await host.devices()),
    NO_OVERRIDES,
  );
  const settled = { ...config, ...offload };
  const trial = startTrial(checked, settled, DRAFT_CACHE, signal);
  await waitOrAbort(trial.passed, signal, nothing, nothing);
  return loadWeights(host, checked, settled, gpuLayers, signal, nothing);
}

/**
 * Linux would promise the memory and kill the process when it is used, so a cache that cannot fit
 * is refused here. For cells on a GPU the driver refuses.
 */
function assertCacheFits(
  checked: CheckedModel,
  config: LoadConfig,
  cache: CacheChoice,
  gpuLayers: number,
): void {
  const cells = config.contextSize === 0 ? checked.contextLength : config.contextSize;
  const layers = checked.blockCount - checked.nextnLayers;
  const shape = {
    layers,
    isMla: checked.isMla,
    kvHeads: checked.headCountsKv,
    keyLength: checked.keyLength,
    valueLength: checked.valueLength,
  };
  const layersOffHost = !config.offloadKqv
    ? 0
    : gpuLayers < 0
      ? layers
      : Math.min(layers, gpuLayers);
  const rowBytes = (type: string, values: number): number => native().rowBytes(type, values);
  const needed = estimateCacheBytes(shape, cache, cells, rowBytes) * (1 - layersOffHost / layers);
  const available = availableMemory();
  if (needed <= available) return;
  const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  throw new R1Error(
    "OUT_OF_MEMORY",
    `The KV cache of ${checked.paths[0] ?? "the model"} needs ${gib(needed)} for ` +
      `\`contextSize\` ${cells}, but only ${gib(available)} are free. Use a smaller ` +
      "`contextSize`, or a quantised `cacheTypeK`.",
    { details: { neededBytes: needed, availableBytes: available, contextSize: cells } },
  );
}
