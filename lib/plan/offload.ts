// Decides which parts of a model go to which device: by the published rule of thumb, and by a plan
// that treats experts separately. Pure.
import { expertsThatFit, overridesFor } from "./experts.js";
import {
  cacheBytesPerToken,
  cacheCells,
  computeBytes,
  expertResultBytes,
  groupWeights,
  inputBytes,
  pipelineBytes,
  type CacheLayout,
  type ComputeShape,
  type PlanTensor,
  type WeightGroups,
} from "./memory.js";

/** The model to plan for. */
export interface PlanModel extends CacheLayout, ComputeShape {
  readonly tensors: readonly PlanTensor[];
  readonly sizeBytes: number;
  /** Layers that compute tokens: prediction layers are not among them. */
  readonly layers: number;
  /** Routed experts of a layer; 0: no mixture of experts. */
  readonly expertCount: number;
}

/** The available memory and the requested settings. */
export interface PlanRequest {
  readonly devices: readonly { readonly name: string; readonly bytes: number }[];
  /** System memory; undefined if unknown. */
  readonly ramBytes: number | undefined;
  readonly contextSize: number;
  readonly cacheTypeK: string;
  readonly cacheTypeV: string;
  readonly ubatchSize: number;
  /** Left free on each device. */
  readonly marginBytes: number;
  /** The cache of all layers is in system memory, wherever they are. @defaultValue false */
  readonly cacheOnHost?: boolean | undefined;
  /**
   * Whether devices fetch experts from system memory to compute prompts with them, which takes room
   * for one tensor of these.
   */
  readonly opOffload: boolean;
}

/** What one place holds. Unit of all numbers: bytes. */
export interface PlanPlace {
  /** Name of the device; `CPU` is system memory. */
  readonly name: string;
  /** Undefined for system memory of unknown size. */
  readonly capacityBytes: number | undefined;
  /** Exact: the sizes of the tensors. */
  readonly weightsBytes: number;
  /** Of these, routed experts. */
  readonly expertBytes: number;
  /** By formula. */
  readonly cacheBytes: number;
  /** An estimate. */
  readonly computeBytes: number;
  /** Weights read for one token. */
  readonly readPerTokenBytes: number;
  /** Layers whose attention and shared weights are here. */
  readonly layers: number;
  /** Of these layers, those whose experts are here too, all of them. */
  readonly expertLayers: number;
}

/** A plan. */
export interface Placement {
  /**
   * `all`: everything is on the devices. `experts`: attention and shared experts of every layer are
   * there, and the routed experts of some layers. `layers`: only the last layers. `cpu`: nothing.
   */
  readonly kind: "all" | "experts" | "layers" | "cpu";
  /** What `loadModel` takes; the output counts as one layer more. */
  readonly gpuLayers: number | "all";
  /** Tensors that go elsewhere than their layer, as `loadModel` takes them; empty: none. */
  readonly tensorOverrides: readonly { readonly pattern: string; readonly buffer: string }[];
  /** Layers of each device, where there are several. */
  readonly tensorSplit: readonly number[] | undefined;
  /** Layers of which all but routed experts are on devices. */
  readonly denseLayers: number;
  /** Of these, layers whose routed experts are on devices too. */
  readonly expertLayers: number;
  /** The devices, then the CPU. */
  readonly places: readonly PlanPlace[];
}

interface Costs {
  readonly model: PlanModel;
  readonly request: PlanRequest;
  readonly groups: WeightGroups;
  /** Cache of each layer. */
  readonly cache: readonly number[];
  /** Compute buffers of a device, and of system memory when it computes no layer. */
  readonly compute: number;
  readonly input: number;
  /** Of each device, what weights and cache may take. */
  readonly budgets: readonly number[];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/**
 * Layers in order, cut into one run a device: `start` of the first, then where each ends. The
 * output goes with the last device that takes any.
 */
type Runs = readonly {
  readonly start: number;
  readonly end: number;
  readonly hasOutput: boolean;
}[];

/**
 * Shares of the layers from `first` on by budget, none lost to rounding. A device without a budget
 * gets none.
 */
function runsFor(first: number, layers: number, budgets: readonly number[]): Runs {
  const total = sum(budgets);
  const lastUsed = budgets.findLastIndex((budget) => budget > 0);
  let [start, used] = [first, 0];
  return budgets.map((budget, i) => {
    used += budget;
    const end =
      i >= lastUsed
        ? layers
        : Math.max(start, first + Math.round(((layers - first) * used) / total));
    const run = { start, end, hasOutput: i === lastUsed };
    start = end;
    return run;
  });
}

const layersOf = ({ start, end }: Runs[number]): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);

/**
 * What is left of each device's budget when it holds a run of layers without routed experts;
 * negative: it does not fit.
 */
function roomBesideDense({ groups, cache, budgets }: Costs, runs: Runs): number[] {
  return runs.map((run, device) => {
    const layers = sum(
      layersOf(run).map((layer) => (groups.dense[layer] ?? 0) + (cache[layer] ?? 0)),
    );
    return (budgets[device] ?? 0) - layers - (run.hasOutput ? groups.output : 0);
  });
}

interface Spread {
  readonly runs: Runs;
  /** Names of the expert tensors on devices. */
  readonly onDevices: ReadonlySet<string>;
  /**
   * Compute buffers of each device beside its own: to fetch experts into, or for a pipeline. The
   * same of system memory.
   */
  readonly extraBytes: number;
  readonly extraHostBytes: number;
}

function placesOf(
  costs: Costs,
  { runs, onDevices, extraBytes, extraHostBytes }: Spread,
): PlanPlace[] {
  const { model, request, groups, cache, compute } = costs;
  const activeShare = model.expertCount > 0 ? model.expertsUsed / model.expertCount : 1;
  const placed = new Set(runs.flatMap(layersOf));
  const place = (
    name: string,
    capacityBytes: number | undefined,
    layers: readonly number[],
    isHere: (name: string) => boolean,
    extra: number,
    read: number,
  ): PlanPlace => {
    const mine =
      name === "CPU"
        ? groups.expertTensors
        : layers.map((layer) => groups.expertTensors[layer] ?? []);
    const experts = mine.map((tensors) => tensors.filter((tensor) => isHere(tensor.name)));
    const expertBytes = sum(experts.flat().map(({ bytes }) => bytes));
    const denseBytes = sum(layers.map((layer) => groups.dense[layer] ?? 0));
    const isUsed = layers.length + experts.flat().length > 0 || extra > 0;
    const isHost = name === "CPU";
    return {
      name,
      capacityBytes,
      weightsBytes: denseBytes + expertBytes + extra,
      expertBytes,
      cacheBytes: sum(layers.map((layer) => cache[layer] ?? 0)),
      computeBytes: isHost
        ? hostCompute(costs, layers.length, expertBytes) + extraHostBytes
        : isUsed
          ? compute + extraBytes
          : 0,
      readPerTokenBytes: Math.round(denseBytes + expertBytes * activeShare + read),
      layers: layers.length,
      expertLayers: experts.filter(
        (tensors, i) => tensors.length > 0 && tensors.length === mine[i]?.length,
      ).length,
    };
  };
  const all = Array.from({ length: model.layers }, (_, layer) => layer);
  const devices = request.devices.map(({ name, bytes }, device) => {
    const run = runs[device];
    const output = run?.hasOutput === true ? groups.output : 0;
    return place(
      name,
      bytes,
      run === undefined ? [] : layersOf(run),
      (tensor) => onDevices.has(tensor),
      output,
      output,
    );
  });
  const isOutputHere = runs.length === 0;
  const host = place(
    "CPU",
    request.ramBytes,
    all.filter((layer) => !placed.has(layer)),
    (tensor) => !onDevices.has(tensor),
    groups.embedding + (isOutputHere ? groups.outputOnHost : 0),
    isOutputHere ? groups.output : 0,
  );
  return [...devices, host];
}

/**
 * Compute buffers of system memory: of layers, of experts whose attention is computed elsewhere, or
 * of the input alone.
 */
function hostCompute(
  { model, request, compute, input }: Costs,
  layers: number,
  expertBytes: number,
): number {
  if (layers > 0) return compute;
  return expertBytes > 0 ? input + expertResultBytes(model, request.ubatchSize) : input;
}

/**
 * Runs of the last layers that fit, with all their weights or without their experts; undefined when
 * not even the output does.
 */
function lastLayersThatFit(costs: Costs, withExperts: boolean): Runs | undefined {
  const { model, budgets } = costs;
  for (let first = 0; first <= model.layers; first++) {
    const runs = runsFor(first, model.layers, budgets);
    const room = roomBesideDense(costs, runs);
    const needed = runs.map((run) =>
      withExperts ? sum(layersOf(run).map((layer) => costs.groups.experts[layer] ?? 0)) : 0,
    );
    if (room.every((left, device) => left >= (needed[device] ?? 0))) return runs;
  }
  return undefined;
}

/**
 * The runs that fit, and the experts that fit beside them; undefined when not even the output does.
 */
function spreadOver(costs: Costs, extraBytes: number, extraHostBytes = 0): Spread | undefined {
  const { groups } = costs;
  const within = {
    ...costs,
    budgets: costs.budgets.map((budget) => Math.max(0, budget - extraBytes)),
  };
  // Attention and shared experts work on every token, a routed expert on one in 32: they come
  // first.
  const runs =
    sum(within.budgets) === 0 ? undefined : lastLayersThatFit(within, sum(groups.experts) === 0);
  if (runs === undefined) {
    // One that is too small for its share, beside others: without it.
    const used = costs.budgets.filter((budget) => budget > 0);
    if (used.length < 2) return undefined;
    const smallest = costs.budgets.indexOf(Math.min(...used));
    return spreadOver(
      { ...costs, budgets: costs.budgets.with(smallest, 0) },
      extraBytes,
      extraHostBytes,
    );
  }
  const room = roomBesideDense(within, runs);
  const onDevices = runs.flatMap((run, i) =>
    expertsThatFit(groups, layersOf(run), room[i] ?? 0).map(({ name }) => name),
  );
  return { runs, extraBytes, extraHostBytes, onDevices: new Set(onDevices) };
}

/**
 * All of it on the devices, or else room on each for one tensor of system memory that it may
 * compute with.
 */
function bestSpread(costs: Costs, cells: number): Spread | undefined {
  const { model, request, groups } = costs;
  const pipeline =
    request.devices.length > 1
      ? pipelineBytes(model, request.ubatchSize, cells)
      : { device: 0, host: 0 };
  const whole = spreadOver(costs, pipeline.device, pipeline.host);
  const isAll =
    whole?.runs.flatMap(layersOf).length === model.layers &&
    groups.expertTensors.flat().every(({ name }) => whole.onDevices.has(name));
  return isAll ? whole : spreadOver(costs, request.opOffload ? groups.largest : 0);
}

/**
 * Places a model: everything on the devices; if that does not fit, everything except some experts;
 * otherwise the last layers.
 */
export function place(model: PlanModel, request: PlanRequest): Placement {
  const groups = groupWeights(model.tensors, model.layers);
  const cells = cacheCells(request.contextSize);
  const cache = Array.from({ length: model.layers }, (_, layer) =>
    request.cacheOnHost === true
      ? 0
      : cells * cacheBytesPerToken(model, layer, request.cacheTypeK, request.cacheTypeV),
  );
  const compute = computeBytes(model, request.ubatchSize, cells);
  const input = inputBytes(model, request.ubatchSize, cells);
  const budgets = request.devices.map(({ bytes }) =>
    Math.max(0, bytes - request.marginBytes - compute),
  );
  const costs = { model, request, groups, cache, compute, input, budgets };
  const spread = bestSpread(costs, cells);
  if (spread === undefined) {
    const places = placesOf(costs, {
      runs: [],
      onDevices: new Set(),
      extraBytes: 0,
      extraHostBytes: 0,
    });
    return {
      kind: "cpu",
      gpuLayers: 0,
      tensorOverrides: [],
      tensorSplit: undefined,
      denseLayers: 0,
      expertLayers: 0,
      places,
    };
  }
  const onDevices = spread.runs.flatMap(layersOf);
  // Layers that are not offloaded need no override.
  const onHost = onDevices
    .flatMap((layer) => groups.expertTensors[layer] ?? [])
    .filter(({ name }) => !spread.onDevices.has(name));
  const isWhole = onDevices.length === model.layers;
  const split = spread.runs.map(({ start, end, hasOutput }) => end - start + (hasOutput ? 1 : 0));
  const places = placesOf(costs, spread);
  return {
    kind: isWhole ? (onHost.length === 0 ? "all" : "experts") : "layers",
    gpuLayers: isWhole ? "all" : onDevices.length + 1,
    tensorOverrides: overridesFor(onHost, groups),
    tensorSplit: spread.runs.length > 1 ? split : undefined,
    denseLayers: onDevices.length,
    expertLayers: sum(places.slice(0, -1).map(({ expertLayers }) => expertLayers)),
    places,
  };
}
