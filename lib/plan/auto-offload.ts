// Resolves `gpuLayers` for the devices present; "auto" uses the plan of planOffload.
import type { CheckedModel } from "../gguf/check/check-model.js";
import type { PlanTensor } from "./memory.js";
import { place, type Placement } from "./offload.js";
import type { CacheChoice } from "../weights/cache-types.js";
import { assertDevices, chooseGpuLayers, usableGpus, type Device } from "../machine/devices.js";
import type { LoadConfig } from "../weights/normalize-load.js";
import { describeForPlan } from "./plan-model.js";
import type { ResolvedOverrides } from "../weights/tensor-overrides.js";

/** What llama.cpp receives. */
export type Offload = Pick<LoadConfig, "tensorOverrides" | "tensorSplit" | "devices"> & {
  /** -1: all. */
  readonly gpuLayers: number;
  /** Undefined if no plan was made. */
  readonly placement: Placement | undefined;
};

/** Memory left free on each device, for what cannot be known in advance. */
const MARGIN_BYTES = 2 ** 30;

/**
 * Returns the tensors that the user's own overrides leave to the plan; undefined if the plan cannot
 * take them into account.
 */
function tensorsLeft(
  tensors: readonly PlanTensor[],
  { overrides, matched }: ResolvedOverrides,
): readonly PlanTensor[] | undefined {
  if (overrides.some(({ buffer }) => buffer !== "CPU")) return undefined;
  return tensors.filter(({ name }) => !matched.has(name));
}

/**
 * Decides where layers and experts go.
 *
 * A number of layers, or "all", is used unchanged. "auto" is planned for the free memory of the
 * devices; the plan takes overrides of the user that keep tensors in system memory into account.
 * With overrides to other places, a `tensorSplit`, or a `splitMode` other than by layers, it uses
 * whole layers by the published rule of thumb.
 *
 * @param resolved - The user's own overrides, as names of this file.
 * @throws {R1Error} `INVALID_ARGUMENT` if a requested device does not exist.
 */
export function chooseOffload(
  checked: CheckedModel,
  config: LoadConfig,
  cache: CacheChoice,
  devices: readonly Device[],
  resolved: ResolvedOverrides,
): Offload {
  const { gpuLayers, tensorSplit, devices: wanted, splitMode } = config;
  const tensorOverrides = resolved.overrides;
  assertDevices(wanted, devices);
  const asGiven = { tensorOverrides, tensorSplit, devices: wanted, placement: undefined };
  const gpus = usableGpus(wanted, devices);
  const mayPlan =
    gpuLayers === "auto" && gpus.length > 0 && tensorSplit.length === 0 && splitMode === "layer";
  const tensors = mayPlan ? tensorsLeft(checked.tensors, resolved) : undefined;
  if (tensors === undefined) {
    return {
      ...asGiven,
      gpuLayers: chooseGpuLayers({
        gpuLayers,
        wanted,
        devices,
        sizeBytes: checked.sizeBytes,
        layers: checked.blockCount,
      }),
    };
  }
  const placement = place(describeForPlan(checked, tensors, checked.sizeBytes), {
    devices: gpus.map(({ name, freeBytes }) => ({ name, bytes: freeBytes })),
    ramBytes: undefined,
    contextSize: config.contextSize === 0 ? checked.contextLength : config.contextSize,
    cacheTypeK: cache.typeK,
    cacheTypeV: cache.typeV,
    ubatchSize: config.ubatchSize,
    marginBytes: MARGIN_BYTES,
    cacheOnHost: !config.offloadKqv,
    // Devices behind RPC fetch nothing.
    opOffload: config.opOffload && gpus.some(({ name }) => !name.startsWith("RPC")),
  });
  return {
    gpuLayers: placement.gpuLayers === "all" ? -1 : placement.gpuLayers,
    // llama.cpp takes the first that fits, so the user's own stay what they are.
    tensorOverrides: [...tensorOverrides, ...placement.tensorOverrides],
    tensorSplit: placement.tensorSplit ?? [],
    // Shares are in this order.
    devices: gpus.length > 1 ? gpus.map(({ name }) => name) : wanted,
    placement,
  };
}
