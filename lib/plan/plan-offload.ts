// planOffload: computes which parts of a model fit where, from metadata alone, before anything is
// downloaded or loaded. Asynchronous.
import * as check from "../base/check.js";
import { R1Error } from "../base/errors.js";
import type { Inspection } from "../gguf/inspect.js";
import { R1_LAYERS, R1_QUANTS, ruleOfThumbLayers, type R1Quant } from "./catalogue.js";
import { cacheBytesPerToken, cacheCells } from "./memory.js";
import { place, type PlanModel, type PlanPlace } from "./offload.js";
import { measureMemoryBandwidth, type Bandwidth } from "../machine/bandwidth.js";
import { chooseCacheTypes } from "../weights/cache-types.js";
import type { OffloadPlan } from "./offload-plan.js";
import { describeForPlan } from "./plan-model.js";
import { normalizePlan, type Memory, type PlanConfig, type PlanOptions } from "./plan-options.js";
import { reasonsOf } from "./plan-reasons.js";

const GIB = 2 ** 30;

function planModel(found: Inspection): PlanModel {
  const { shape, tensors, sizeBytes, sources, problems } = found;
  const missing = problems.find(({ code }) => code === "SHARD_MISSING");
  if (missing !== undefined)
    throw new R1Error(
      "SHARD_MISSING",
      `${missing.message} A plan needs the headers of all parts.`,
      { details: { path: sources[0] } },
    );
  if (shape === undefined || tensors.length === 0) {
    throw new R1Error(
      "GGUF_INVALID",
      `No plan can be made of ${sources[0] ?? "the file"}: ${problems[0]?.message ?? "it holds no tensors"}`,
      {
        details: { path: sources[0] },
      },
    );
  }
  return describeForPlan(shape, tensors, sizeBytes);
}

/**
 * Returns the maximum tokens per second: adds up the time that each place needs to read its weights
 * for one token. Places of unknown speed count as zero, so that the result stays an upper bound.
 */
function rateBound(
  places: readonly PlanPlace[],
  { gpu, ram, disk }: Bandwidth,
  ramBytes: number | undefined,
): number | undefined {
  let seconds = 0;
  for (const { name, readPerTokenBytes, weightsBytes, cacheBytes, computeBytes } of places) {
    if (readPerTokenBytes === 0) continue;
    const isHost = name === "CPU";
    const missing =
      isHost && ramBytes !== undefined
        ? Math.max(0, weightsBytes + cacheBytes + computeBytes - ramBytes)
        : 0;
    // Experts are used evenly enough that each read misses as often as experts are missing.
    const pagedShare = Math.min(1, missing / Math.max(1, weightsBytes));
    const memory = (isHost ? ram : gpu) ?? Infinity;
    // Pages that come from a disk are read from memory after that.
    seconds +=
      (readPerTokenBytes * (1 - pagedShare)) / (memory * 1e9) +
      (readPerTokenBytes * pagedShare) / (Math.min(memory, disk ?? Infinity) * 1e9);
  }
  return seconds > 0 ? 1 / seconds : undefined;
}

/** The row of the published table that a file is, and what it tells for this memory. */
function publishedLayers(
  source: string,
  layers: number,
  memory: Memory,
): { quant: R1Quant | undefined; layers: number | undefined } {
  const quant =
    layers === R1_LAYERS ? R1_QUANTS.find(({ name }) => source.includes(name)) : undefined;
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

/**
 * A plan of inspected files; the part of {@link planOffload} that needs neither disk nor network.
 */
export function planInspected(found: Inspection, config: PlanConfig): OffloadPlan {
  const {
    memory,
    contextSize,
    cacheTypeK,
    cacheTypeV,
    sequences,
    ubatchSize,
    marginBytes,
    opOffload,
    bandwidth,
    isRamMeasured,
  } = config;
  const source = found.sources[0] ?? "";
  const model = planModel(found);
  const { typeK, typeV } = chooseCacheTypes({
    ...model,
    path: source,
    cacheTypeK,
    cacheTypeV,
    flashAttention: "auto",
  });
  const placement = place(model, {
    ...memory,
    contextSize,
    cacheTypeK: typeK,
    cacheTypeV: typeV,
    ubatchSize,
    marginBytes,
    opOffload,
  });
  const bytesPerToken = Array.from({ length: model.layers }, (_, layer) =>
    cacheBytesPerToken(model, layer, typeK, typeV),
  ).reduce((a, b) => a + b, 0);
  const host = placement.places.at(-1);
  const pageableBytes = host?.expertBytes ?? 0;
  const residentBytes =
    (host?.weightsBytes ?? 0) - pageableBytes + (host?.cacheBytes ?? 0) + (host?.computeBytes ?? 0);
  const vram = memory.devices.reduce((total, { bytes }) => total + bytes, 0);
  const published = publishedLayers(source, model.layers, memory);
  // The table's own sizes, rounded as they are, are what its cells came from.
  const size = published.quant?.sizeGiB ?? model.sizeBytes / GIB;
  const ruled = ruleOfThumbLayers(vram / GIB, size, model.layers);
  const short = (gib: number): string =>
    String(Number(gib < 1 ? gib.toPrecision(2) : gib.toFixed(1)));
  const plan = {
    source,
    sizeBytes: model.sizeBytes,
    layers: model.layers,
    experts: model.expertCount,
    rule: {
      layers: ruled,
      formula: `floor(${short(vram / GIB)} / ${short(size)} * ${model.layers} - 4)`,
      published: published.layers,
    },
    placement,
    cache: { bytes: bytesPerToken * cacheCells(contextSize), bytesPerToken, typeK, typeV },
    residentBytes,
    pageableBytes,
    tokensPerSecondBound: rateBound(placement.places, bandwidth, memory.ramBytes),
    bandwidth,
    fitsInRam:
      memory.ramBytes === undefined ? undefined : residentBytes + pageableBytes <= memory.ramBytes,
    load: {
      gpuLayers: placement.gpuLayers,
      ...(placement.tensorOverrides.length === 0
        ? {}
        : { tensorOverrides: placement.tensorOverrides }),
      ...(placement.tensorSplit === undefined ? {} : { tensorSplit: placement.tensorSplit }),
      contextSize,
      cacheTypeK: typeK,
      sequences,
      ubatchSize,
    },
  };
  const problems = found.problems.map(({ message }) => `The file has a problem: ${message}`);
  return { ...plan, reasons: [...problems, ...reasonsOf(plan, memory.ramBytes, isRamMeasured)] };
}

/**
 * Plans where a model's parts go, before it is downloaded or loaded: from the headers of its files.
 *
 * @param source - A path, an `http(s)` URL, or `hf:owner/name:QUANT`; any part of a split model.
 * @returns Sizes of weights are exact, the cache follows llama.cpp's own formula, compute buffers
 * are an estimate.
 * @throws {R1Error} Like `inspectGguf`; `GGUF_INVALID`, `SHARD_MISSING` (for a local model),
 * `CACHE_TYPE_UNSUPPORTED`; `NETWORK_FAILED`; `ADDON_MISSING` if this machine's GPUs are requested.
 * @example
 * ```ts
 * const plan = await planOffload("hf:unsloth/DeepSeek-R1-GGUF:UD-IQ1_S", { vramGiB: 24, ramGiB:
 * 128, cacheTypeK: "q4_0" });
 * console.log(plan.reasons.join("\n"));
 * const model = await loadModel("DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", plan.load);
 * ```
 */
export async function planOffload(source: string, options: PlanOptions = {}): Promise<OffloadPlan> {
  check.string(source, "source");
  const config = normalizePlan(options);
  const { signal, onRetry, bandwidth, isRamMeasured } = config;
  const { inspectGguf } = await import("../gguf/inspect.js");
  const found = await inspectGguf(source, {
    ...(signal === undefined ? {} : { signal }),
    ...(onRetry === undefined ? {} : { onRetry }),
  });
  return planInspected(
    found,
    isRamMeasured
      ? { ...config, bandwidth: { ...bandwidth, ram: await measureMemoryBandwidth() } }
      : config,
  );
}
