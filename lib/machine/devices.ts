// Lists the devices that llama.cpp detects, and decides how many layers go to them.
import { resolve } from "node:path";
import { knownKeys, object, string } from "../base/check.js";
import { documentAddress } from "../base/documents.js";
import { R1Error } from "../base/errors.js";
import { warnOnce } from "../base/warn-once.js";
import { native } from "../binding/load.js";
import type { NativeDevice } from "../binding/native-backends.js";
import { availableMemory } from "./available-memory.js";
import { openBackendsNow } from "./backends.js";

/** A device, as reported by llama.cpp. */
export type Device = Readonly<NativeDevice>;

/** Options of {@link devices}. */
export interface DevicesOptions {
  /** As `backendDir` of `loadModel`. @defaultValue none */
  readonly backendDir?: string | undefined;
}

/**
 * Returns all devices of the backends: the CPU and each GPU. First loads backend libraries next to
 * the addon and in `backendDir`, once per process. This blocks the calling thread for as long as a
 * driver needs to start. A library that cannot be used causes a process warning.
 *
 * @throws {R1Error} `ADDON_MISSING` if the native addon cannot be loaded; `UNKNOWN_OPTION`;
 * `INVALID_ARGUMENT` if `backendDir` is not a folder.
 */
export function devices(options: DevicesOptions = {}): readonly Device[] {
  const given = object(options, "options");
  knownKeys(given, "devices", ["backendDir"]);
  openBackendsNow(
    given.backendDir === undefined ? undefined : resolve(string(given.backendDir, "backendDir")),
    warnOnce,
  );
  return Object.freeze(
    native()
      .devices()
      // ggml reports all system memory as free.
      .map((device) =>
        Object.freeze(
          device.type === "cpu"
            ? { ...device, freeBytes: Math.min(device.freeBytes, availableMemory()) }
            : device,
        ),
      ),
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

/** @throws {R1Error} `INVALID_ARGUMENT` if a requested device does not exist. */
export function assertDevices(wanted: readonly string[], devices: readonly Device[]): void {
  for (const name of wanted) {
    if (devices.some((device) => device.name === name)) continue;
    const known = devices.map((device) => device.name).join(", ");
    throw new R1Error(
      "INVALID_ARGUMENT",
      `There is no device "${name}". llama.cpp sees: ${known === "" ? "none" : known}.`,
      {
        details: { option: "devices", device: name },
      },
    );
  }
}

/**
 * Warns if layers were requested on GPUs but there are none: they stay on the CPU, which is slow.
 */
export function warnWithoutGpu(
  { gpuLayers, devices: wanted }: Pick<GpuQuestion, "gpuLayers"> & { devices: readonly string[] },
  present: readonly Device[],
  warn: (text: string) => void,
): void {
  const isAsked = gpuLayers === "all" || (gpuLayers !== "auto" && gpuLayers > 0);
  if (!isAsked || usableGpus(wanted, present).length > 0) return;
  const where =
    wanted.length > 0
      ? `none of the devices asked for (${wanted.join(", ")}) is a GPU`
      : "no GPU was found";
  warn(
    `\`gpuLayers\` is ${gpuLayers}, but ${where}: all layers stay on the CPU. ` +
      `\`r1-native devices\` lists what there is. To build for a GPU: ${documentAddress("guide/gpu.md")}`,
  );
}

/**
 * Returns the GPUs that hold layers, in the order of `wanted`. Like in llama.cpp, integrated ones
 * are used only if there are no others.
 */
export function usableGpus(
  wanted: readonly string[],
  devices: readonly Device[],
): readonly Device[] {
  const isGpu = ({ type }: Device): boolean => type === "gpu" || type === "igpu";
  if (wanted.length > 0)
    return wanted.flatMap((name) =>
      devices.filter((device) => device.name === name && isGpu(device)),
    );
  const gpus = devices.filter(isGpu);
  return gpus.some(({ type }) => type === "gpu") ? gpus.filter(({ type }) => type === "gpu") : gpus;
}

/**
 * Returns the number of whole layers to offload; -1 is all. For "auto" without a plan: all if the
 * free memory has room to spare for the file, otherwise the published rule floor(free / file size *
 * layers - 4).
 *
 * @throws {R1Error} `INVALID_ARGUMENT` if a requested device does not exist.
 */
export function chooseGpuLayers(question: GpuQuestion): number {
  const { gpuLayers, wanted, devices: known, sizeBytes, layers } = question;
  assertDevices(wanted, known);
  if (gpuLayers === "all") return -1;
  if (gpuLayers !== "auto") return gpuLayers;
  const free = usableGpus(wanted, known).reduce(
    (sum, device) => sum + Math.max(0, device.freeBytes - MARGIN_BYTES),
    0,
  );
  if (free <= 0) return 0;
  if (free >= sizeBytes) return -1;
  return layers === undefined
    ? 0
    : Math.min(layers, Math.max(0, Math.floor((free / sizeBytes) * layers - 4)));
}
