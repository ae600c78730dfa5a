// Which devices llama.cpp sees, and how many layers go onto them. Runs on any JavaScript thread.
import { R1Error } from "../base/errors.js";
import type { NativeDevice } from "../binding/native.js";
import { initialize, native } from "../binding/load.js";

/** A device, as llama.cpp tells it. */
export type Device = Readonly<NativeDevice>;

/**
 * All devices that the loaded backends offer: the CPU, and each GPU.
 *
 * @throws {R1Error} `ADDON_MISSING` when the native addon cannot be loaded.
 */
export function devices(): readonly Device[] {
  initialize("disabled");
  return Object.freeze(
    native()
      .devices()
      .map((device) => Object.freeze(device)),
  );
}

/** What is left free on every device, in bytes: compute buffers and the display need some. */
const MARGIN_BYTES = 1024 ** 3;

/** What the number of layers depends on. */
export interface GpuQuestion {
  readonly gpuLayers: number | "auto" | "all";
  /** Names of the devices to use; empty: all. */
  readonly wanted: readonly string[];
  readonly devices: readonly Device[];
  /** Of all parts of the file together. */
  readonly sizeBytes: number;
  /** Of the model; undefined where the file does not say. */
  readonly layers: number | undefined;
}

/** @throws {R1Error} `INVALID_ARGUMENT` when a device is asked for that there is not. */
export function assertDevices(wanted: readonly string[], devices: readonly Device[]): void {
  for (const name of wanted) {
    if (devices.some((device) => device.name === name)) continue;
    const known = devices.map((device) => device.name).join(", ");
    throw new R1Error("INVALID_ARGUMENT", `There is no device "${name}". llama.cpp sees: ${known === "" ? "none" : known}.`, {
      details: { option: "devices", device: name },
    });
  }
}

/** The GPUs that take layers, in the order of `wanted`; integrated ones only where there is no other, as llama.cpp does. */
export function usableGpus(wanted: readonly string[], devices: readonly Device[]): readonly Device[] {
  const isGpu = ({ type }: Device): boolean => type === "gpu" || type === "igpu";
  if (wanted.length > 0) return wanted.flatMap((name) => devices.filter((device) => device.name === name && isGpu(device)));
  const gpus = devices.filter(isGpu);
  return gpus.some(({ type }) => type === "gpu") ? gpus.filter(({ type }) => type === "gpu") : gpus;
}

/**
 * Whole layers to offload; -1 is all. For "auto" without a plan: all when the free memory holds the file with room to spare, else the published rule floor(free / file size * layers - 4).
 *
 * @throws {R1Error} `INVALID_ARGUMENT` when a device is asked for that there is not.
 */
export function chooseGpuLayers(question: GpuQuestion): number {
  const { gpuLayers, wanted, devices: known, sizeBytes, layers } = question;
  assertDevices(wanted, known);
  if (gpuLayers === "all") return -1;
  if (gpuLayers !== "auto") return gpuLayers;
  const free = usableGpus(wanted, known).reduce((sum, device) => sum + Math.max(0, device.freeBytes - MARGIN_BYTES), 0);
  if (free <= 0) return 0;
  if (free >= sizeBytes) return -1;
  return layers === undefined ? 0 : Math.min(layers, Math.max(0, Math.floor((free / sizeBytes) * layers - 4)));
}
