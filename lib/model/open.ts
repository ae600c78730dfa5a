// From a path to loaded weights: checks the files, settles what llama.cpp is to be given, refuses what cannot work, loads. Runs on the JavaScript thread, which it never holds up.
import { waitOrAbort } from "../base/abort.js";
import { R1Error } from "../base/errors.js";
import { native } from "../binding/load.js";
import { checkModelFiles } from "../gguf/check-model.js";
import type { CheckedModel } from "../gguf/check-model.js";
import type { EngineHost } from "../isolation/host.js";
import { availableMemory } from "./available-memory.js";
import { openBackends } from "./backends.js";
import { chooseCacheTypes, estimateCacheBytes } from "./cache-types.js";
import type { CacheChoice } from "./cache-types.js";
import { chooseGpuLayers } from "./devices.js";
import { chooseOffload } from "./auto-offload.js";
import type { LoadConfig } from "./normalize-load.js";
import { loadWeights } from "./weights.js";
import type { Weights } from "./weights.js";

/** Loaded weights, and what was settled on the way. */
export interface Opened {
  readonly weights: Weights;
  /** All parts of the file. */
  readonly paths: readonly string[];
  readonly cache: CacheChoice;
  /** Layers asked onto devices; -1: all. */
  readonly gpuLayers: number;
  /** Bytes of the file, all parts of a split one. */
  readonly fileBytes: number;
}

/**
 * Opens a model's files.
 *
 * @param warn - Gets what the user should know of, such as a backend library that cannot be used.
 * @throws `signal.reason` when aborted; {R1Error} the codes of `loadModel`.
 */
export async function openWeights(
  host: EngineHost,
  path: string,
  config: LoadConfig,
  signal: AbortSignal,
  report: (progress: number) => void,
  warn: (text: string) => void,
): Promise<Opened> {
  const nothing = (): void => undefined;
  const checked = await waitOrAbort(checkModelFiles(path, { signal, overrides: config.metadataOverrides }), signal, nothing, nothing);
  // The child of an isolated model has the backends of the addon, and no others.
  if (config.isolation === "none") await waitOrAbort(openBackends(config, warn), signal, nothing, nothing);
  const present = await waitOrAbort(host.devices(), signal, nothing, nothing);
  const { cacheTypeK, cacheTypeV, flashAttention } = config;
  const { isMla, keyLength, valueLength } = checked;
  const cache = chooseCacheTypes({ path, isMla, keyLength, valueLength, cacheTypeK, cacheTypeV, flashAttention });
  const { gpuLayers, tensorOverrides, tensorSplit, devices } = chooseOffload(checked, config, cache, present);
  assertCacheFits(checked, config, cache, gpuLayers);
  report(0);
  const weights = await loadWeights(host, checked, { ...config, tensorOverrides, tensorSplit, devices }, gpuLayers, signal, report);
  return { weights, paths: checked.paths, cache, gpuLayers, fileBytes: checked.sizeBytes };
}

/**
 * Loads the weights of a draft model; its cells lie with those of the model it drafts for.
 *
 * @throws as {@link openWeights}.
 */
export async function openDraft(host: EngineHost, path: string, config: LoadConfig, signal: AbortSignal): Promise<Weights> {
  const nothing = (): void => undefined;
  const checked = await waitOrAbort(checkModelFiles(path, { signal }), signal, nothing, nothing);
  const devices = await host.devices();
  const gpuLayers = chooseGpuLayers({ gpuLayers: config.gpuLayers, wanted: config.devices, devices, sizeBytes: checked.sizeBytes, layers: checked.blockCount });
  // Overrides are meant for the model's own file.
  return loadWeights(host, checked, { ...config, metadataOverrides: [], tensorOverrides: [] }, gpuLayers, signal, nothing);
}

/** Linux would promise the memory and kill the process when it is used, so a cache that cannot fit is refused here. Cells on a GPU are the driver's to refuse. */
function assertCacheFits(checked: CheckedModel, config: LoadConfig, cache: CacheChoice, gpuLayers: number): void {
  const cells = config.contextSize === 0 ? checked.contextLength : config.contextSize;
  const layers = checked.blockCount - checked.nextnLayers;
  const shape = { layers, isMla: checked.isMla, kvHeads: checked.headCountsKv, keyLength: checked.keyLength, valueLength: checked.valueLength };
  const layersOffHost = !config.offloadKqv ? 0 : gpuLayers < 0 ? layers : Math.min(layers, gpuLayers);
  const rowBytes = (type: string, values: number): number => native().rowBytes(type, values);
  const needed = estimateCacheBytes(shape, cache, cells, rowBytes) * (1 - layersOffHost / layers);
  const available = availableMemory();
  if (needed <= available) return;
  const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  throw new R1Error(
    "OUT_OF_MEMORY",
    `The KV cache of ${checked.paths[0] ?? "the model"} needs ${gib(needed)} for contextSize ${cells}, and ${gib(available)} are free. Take a smaller contextSize, or a quantised cacheTypeK.`,
    { details: { neededBytes: needed, availableBytes: available, contextSize: cells } },
  );
}
