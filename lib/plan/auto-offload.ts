// What `gpuLayers` comes to on the devices present: "auto" by the plan that planOffload tells. Runs
// on any JavaScript thread.
import type { CheckedModel } from "../gguf/check/check-model.js";
import type { PlanTensor } from "./memory.js";
import { place, type Placement } from "./offload.js";
import type { CacheChoice } from "../weights/cache-types.js";
import { assertDevices, chooseGpuLayers, usableGpus, type Device } from "../machine/devices.js";
import type { LoadConfig } from "../weights/normalize-load.js";
import { describeForPlan } from "./plan-model.js";
import type { ResolvedOverrides } from "../weights/tensor-overrides.js";

/** What llama.cpp is given. */
export type Offload = Pick<LoadConfig, "tensorOverrides" | "tensorSplit" | "devices"> & {
  /** -1: all. */
  readonly gpuLayers: number;
  /** Undefined where no plan was made. */
  readonly placement: Placement | undefined;
};

/** Left free on each device, for what nobody can tell beforehand. */
const MARGIN_BYTES = 2 ** 30;

/**
 * The tensors that the user's own overrides leave to the plan; undefined when they cannot be
 * planned around.
 */
function tensorsLeft(
  tensors: readonly PlanTensor[],
  { overrides, matched }: ResolvedOverrides,
): readonly PlanTensor[] | undefined {
  if (overrides.some(({ buffer }) => buffer !== "CPU")) return undefined;
  return tensors.filter(({ name }) => !matched.has(name));
}

/**
 * Settles where layers and experts go.
 *
 * A number of layers, or "all", is taken as it is. "auto" is planned for the memory that is free on
 * the devices: overrides of the user's own that keep tensors in system memory are planned around.
 * With overrides to other places, a `tensorSplit` or another `splitMode` than by layers, it is
 * whole layers by the published rule of thumb.
 *
 * @param resolved - The user's own overrides, as names of this file.
 * @throws {R1Error} `INVALID_ARGUMENT` when a device is asked for that there is not.
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
