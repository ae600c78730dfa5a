// planOffload: what of a model fits where, from metadata alone, before anything is downloaded or loaded. Runs on the calling JavaScript thread; waits are asynchronous.
import { totalmem } from "node:os";
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import { inspectGguf, type Inspection } from "../gguf/inspect.js";
import { R1_LAYERS, R1_QUANTS, ruleOfThumbLayers, type R1Quant } from "../plan/catalogue.js";
import { cacheBytesPerToken, cacheCells } from "../plan/memory.js";
import { place, type Placement, type PlanModel, type PlanPlace } from "../plan/offload.js";
import { checkBandwidth, measureMemoryBandwidth, type Bandwidth } from "./bandwidth.js";
import { CACHE_TYPES, chooseCacheTypes, type CacheType } from "./cache-types.js";
import { devices as presentDevices } from "./devices.js";
import type { LoadOptions } from "./load-options.js";
import { describeForPlan } from "./plan-model.js";
import { reasonsOf } from "./plan-reasons.js";

/** Options of {@link planOffload}. */
export interface PlanOptions {
  /** Memory of the GPUs, one number each, or one for a single one; 0 or `[]`: none. Unit: GiB. @defaultValue the free memory of this machine's GPUs */
  readonly vramGiB?: number | readonly number[];
  /** Names of GPUs of this machine, as `devices()` tells them. Not together with `vramGiB`. @defaultValue all of them */
  readonly devices?: readonly string[];
  /** Where this machine's GPUs come from, as `backendDir` of `loadModel`. Not together with `vramGiB`. @defaultValue none */
  readonly backendDir?: string;
  /** System memory. Unit: GiB. @defaultValue this machine's when the GPUs are too, else not told */
  readonly ramGiB?: number;
  /** KV cells, all sequences together. Unit: tokens. @defaultValue 8192 */
  readonly contextSize?: number;
  /** @defaultValue `"f16"` */
  readonly cacheTypeK?: CacheType;
  /** @defaultValue `cacheTypeK` on an MLA file, else `"f16"` */
  readonly cacheTypeV?: CacheType;
  /** Generations side by side; they share the cells. @defaultValue 1 */
  readonly sequences?: number;
  /** Tokens computed at once. @defaultValue 512 */
  readonly ubatchSize?: number;
  /** Left free on each GPU, for what nobody can tell beforehand. Unit: GiB. @defaultValue 1 */
  readonly marginGiB?: number;
  /** Whether GPUs fetch experts from system memory to compute prompts, as `loadModel`'s option of this name; it takes room for one tensor of these. Devices behind RPC never do. @defaultValue true */
  readonly opOffload?: boolean;
  /**
   * How fast memory is read. `"measured"`: this machine's system memory is read for a quarter of a second on all cores. Unit: 10^9 bytes a second.
   * @defaultValue none: no bound on the rate is told
   */
  readonly bandwidth?: { readonly gpu?: number; readonly ram?: number | "measured"; readonly disk?: number };
  readonly signal?: AbortSignal;
}

/** What {@link planOffload} tells. Unit of sizes: bytes. */
export interface OffloadPlan {
  /** First file looked at. */
  readonly source: string;
  readonly sizeBytes: number;
  readonly layers: number;
  readonly experts: number;
  /** Whole layers by the published rule of thumb, from memory and file size alone. */
  readonly rule: { readonly layers: number; readonly formula: string; readonly published: number | undefined };
  /** What to do instead: see {@link Placement}. */
  readonly placement: Placement;
  readonly cache: { readonly bytes: number; readonly bytesPerToken: number; readonly typeK: CacheType; readonly typeV: CacheType };
  /** Must be in system memory at all times. */
  readonly residentBytes: number;
  /** Experts in system memory: read from the file when they are not, at the speed of the disk. */
  readonly pageableBytes: number;
  /** Most tokens a second that reading the weights allows. A place whose bandwidth was not told counts as infinitely fast; undefined where that is all of them. */
  readonly tokensPerSecondBound: number | undefined;
  /** The bandwidths behind it, measured ones included. Unit: 10^9 bytes a second. */
  readonly bandwidth: Bandwidth;
  /** Whether system memory holds what is placed there; undefined when it was not told. */
  readonly fitsInRam: boolean | undefined;
  /** What to give to `loadModel`. */
  readonly load: Pick<LoadOptions, "gpuLayers" | "tensorOverrides" | "tensorSplit" | "contextSize" | "cacheTypeK" | "sequences" | "ubatchSize">;
  /** All this in words. */
  readonly reasons: readonly string[];
}

const GIB = 2 ** 30;
const KEYS = Object.keys({
  vramGiB: 0,
  devices: 0,
  backendDir: 0,
  ramGiB: 0,
  contextSize: 0,
  cacheTypeK: 0,
  cacheTypeV: 0,
  sequences: 0,
  ubatchSize: 0,
  marginGiB: 0,
  opOffload: 0,
  bandwidth: 0,
  signal: 0,
} satisfies Record<keyof PlanOptions, 0>);

interface Memory {
  readonly devices: readonly { readonly name: string; readonly bytes: number }[];
  readonly ramBytes: number | undefined;
}

function memoryOf({ vramGiB, devices, backendDir, ramGiB }: PlanOptions): Memory {
  const ram = ramGiB === undefined ? undefined : check.number(ramGiB, "ramGiB", 0, 2 ** 20) * GIB;
  if (vramGiB !== undefined) {
    const other = devices !== undefined ? "devices" : backendDir !== undefined ? "backendDir" : undefined;
    if (other !== undefined) {
      throw new R1Error("INVALID_ARGUMENT", `\`vramGiB\` and \`${other}\` exclude each other: the one is for any machine, the other for this one.`, {
        details: { option: other },
      });
    }
    const given = typeof vramGiB === "number" ? [vramGiB] : check.array(vramGiB, "vramGiB", (each) => each as number);
    if (given.length > 16) check.refuse("vramGiB", "at most 16 GPUs", given);
    const sizes = given.map((each, i) => check.number(each, typeof vramGiB === "number" ? "vramGiB" : `vramGiB[${i}]`, 0, 2 ** 20));
    return { devices: sizes.filter((gib) => gib > 0).map((gib, i) => ({ name: `GPU${i}`, bytes: gib * GIB })), ramBytes: ram };
  }
  const gpus = presentDevices(backendDir === undefined ? {} : { backendDir }).filter(({ type }) => type === "gpu" || type === "igpu");
  const wanted = devices === undefined ? undefined : check.array(devices, "devices", (each, path) => check.string(each, path));
  for (const name of wanted ?? [])
    if (!gpus.some((gpu) => gpu.name === name)) check.refuse("devices", `names of ${gpus.map((gpu) => gpu.name).join(", ") || "GPUs (there are none)"}`, name);
  const used = wanted === undefined ? gpus : gpus.filter(({ name }) => wanted.includes(name));
  return { devices: used.map(({ name, freeBytes }) => ({ name, bytes: freeBytes })), ramBytes: ram ?? totalmem() };
}

function planModel(found: Inspection): PlanModel {
  const { shape, tensors, sizeBytes, sources, problems } = found;
  const missing = problems.find(({ code }) => code === "SHARD_MISSING");
  if (missing !== undefined) throw new R1Error("SHARD_MISSING", `${missing.message} A plan needs the headers of all parts.`, { details: { path: sources[0] } });
  if (shape === undefined || tensors.length === 0) {
    throw new R1Error("GGUF_INVALID", `No plan can be made of ${sources[0] ?? "the file"}: ${problems[0]?.message ?? "it holds no tensors"}`, {
      details: { path: sources[0] },
    });
  }
  return describeForPlan(shape, tensors, sizeBytes);
}

/** Most tokens a second: the sum of what each place takes to read its weights of one token. What is not told takes no time, so that the bound stays one. */
function rateBound(places: readonly PlanPlace[], { gpu, ram, disk }: Bandwidth, ramBytes: number | undefined): number | undefined {
  let seconds = 0;
  for (const { name, readPerTokenBytes, weightsBytes, cacheBytes, computeBytes } of places) {
    if (readPerTokenBytes === 0) continue;
    const isHost = name === "CPU";
    const missing = isHost && ramBytes !== undefined ? Math.max(0, weightsBytes + cacheBytes + computeBytes - ramBytes) : 0;
    // Experts are used evenly enough that each read misses as often as experts are missing.
    const pagedShare = Math.min(1, missing / Math.max(1, weightsBytes));
    const memory = (isHost ? ram : gpu) ?? Infinity;
    // Pages that come from a disk are read from memory after that.
    seconds += (readPerTokenBytes * (1 - pagedShare)) / (memory * 1e9) + (readPerTokenBytes * pagedShare) / (Math.min(memory, disk ?? Infinity) * 1e9);
  }
  return seconds > 0 ? 1 / seconds : undefined;
}

/** The row of the published table that a file is, and what it tells for this memory. */
function publishedLayers(source: string, layers: number, memory: Memory): { quant: R1Quant | undefined; layers: number | undefined } {
  const quant = layers === R1_LAYERS ? R1_QUANTS.find(({ name }) => source.includes(name)) : undefined;
  const gib = memory.devices.map(({ bytes }) => bytes / GIB);
  const column =
    gib.length === 1 && gib[0] === 24
      ? "24 GB"
      : gib.length === 1 && gib[0] === 80
        ? "80 GB"
        : gib.length === 2 && gib.every((one) => one === 80)
          ? "2 x 80 GB"
          : undefined;
  return { quant, layers: column === undefined ? undefined : quant?.layersOnGpu[column] };
}

/** A plan of inspected files; the part of {@link planOffload} that needs neither disk nor network. `measured` stands before the bandwidths given. */
export function planInspected(found: Inspection, options: PlanOptions = {}, measured: Bandwidth = {}): OffloadPlan {
  check.knownKeys(check.object(options, "options"), "planOffload", KEYS);
  const contextSize = check.integer(options.contextSize ?? 8192, "contextSize", 1, 2 ** 31 - 1);
  const sequences = check.integer(options.sequences ?? 1, "sequences", 1, 256);
  const ubatchSize = check.integer(options.ubatchSize ?? 512, "ubatchSize", 1, 2 ** 20);
  const marginGiB = check.number(options.marginGiB ?? 1, "marginGiB", 0, 1024);
  const typeOf = (key: "cacheTypeK" | "cacheTypeV"): CacheType | undefined =>
    options[key] === undefined ? undefined : check.oneOf(options[key], key, CACHE_TYPES);
  const bandwidth = Object.freeze({ ...checkBandwidth(options.bandwidth), ...measured });

  const source = found.sources[0] ?? "";
  const model = planModel(found);
  const memory = memoryOf(options);
  const { typeK, typeV } = chooseCacheTypes({
    ...model,
    path: source,
    cacheTypeK: typeOf("cacheTypeK"),
    cacheTypeV: typeOf("cacheTypeV"),
    flashAttention: "auto",
  });
  const placement = place(model, {
    ...memory,
    contextSize,
    cacheTypeK: typeK,
    cacheTypeV: typeV,
    ubatchSize,
    marginBytes: marginGiB * GIB,
    opOffload: check.boolean(options.opOffload ?? true, "opOffload"),
  });
  const bytesPerToken = Array.from({ length: model.layers }, (_, layer) => cacheBytesPerToken(model, layer, typeK, typeV)).reduce((a, b) => a + b, 0);
  const host = placement.places.at(-1);
  const pageableBytes = host?.expertBytes ?? 0;
  const residentBytes = (host?.weightsBytes ?? 0) - pageableBytes + (host?.cacheBytes ?? 0) + (host?.computeBytes ?? 0);
  const vram = memory.devices.reduce((total, { bytes }) => total + bytes, 0);
  const published = publishedLayers(source, model.layers, memory);
  // The table's own sizes, rounded as they are, are what its cells came from.
  const size = published.quant?.sizeGiB ?? model.sizeBytes / GIB;
  const ruled = ruleOfThumbLayers(vram / GIB, size, model.layers);
  const short = (gib: number): string => String(Number(gib.toFixed(1)));
  const plan = {
    source,
    sizeBytes: model.sizeBytes,
    layers: model.layers,
    experts: model.expertCount,
    rule: { layers: ruled, formula: `floor(${short(vram / GIB)} / ${short(size)} * ${model.layers} - 4)`, published: published.layers },
    placement,
    cache: { bytes: bytesPerToken * cacheCells(contextSize), bytesPerToken, typeK, typeV },
    residentBytes,
    pageableBytes,
    tokensPerSecondBound: rateBound(placement.places, bandwidth, memory.ramBytes),
    bandwidth,
    fitsInRam: memory.ramBytes === undefined ? undefined : residentBytes + pageableBytes <= memory.ramBytes,
    load: {
      gpuLayers: placement.gpuLayers,
      ...(placement.tensorOverrides.length === 0 ? {} : { tensorOverrides: placement.tensorOverrides }),
      ...(placement.tensorSplit === undefined ? {} : { tensorSplit: placement.tensorSplit }),
      contextSize,
      cacheTypeK: typeK,
      sequences,
      ubatchSize,
    },
  };
  return { ...plan, reasons: reasonsOf(plan, memory.ramBytes, "ram" in measured) };
}

/**
 * Plans where a model's parts go, before it is downloaded or loaded: from the headers of its files.
 *
 * @param source - A path, an `http(s)` URL, or `hf:owner/name:QUANT`; of a split model any part.
 * @returns Sizes of weights are exact, of the cache by llama.cpp's own formula, of compute buffers an estimate.
 * @throws {R1Error} As `inspectGguf`; `GGUF_INVALID`, `SHARD_MISSING` (of a local model), `CACHE_TYPE_UNSUPPORTED`; `NETWORK_FAILED`; `ADDON_MISSING` where this machine's GPUs are asked for.
 * @example
 * ```ts
 * const plan = await planOffload("hf:unsloth/DeepSeek-R1-GGUF:UD-IQ1_S", { vramGiB: 24, ramGiB: 128, cacheTypeK: "q4_0" });
 * console.log(plan.reasons.join("\n"));
 * const model = await loadModel("DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", plan.load);
 * ```
 */
export async function planOffload(source: string, options: PlanOptions = {}): Promise<OffloadPlan> {
  check.string(source, "source");
  const signal = check.object(options, "options")["signal"] === undefined ? undefined : check.signal(options.signal, "signal");
  const isMeasured = options.bandwidth?.ram === "measured";
  const found = await inspectGguf(source, signal === undefined ? {} : { signal });
  return planInspected(found, options, isMeasured ? { ram: await measureMemoryBandwidth() } : {});
}
