// Which parts of a model go onto which device: the published rule of thumb, and beside it a plan that knows experts from the rest. Pure; runs on any JavaScript thread.
import {
  cacheBytesPerToken,
  cacheCells,
  computeBytes,
  groupWeights,
  type CacheLayout,
  type ComputeShape,
  type PlanTensor,
  type WeightGroups,
} from "./memory.js";

/** What is planned for. */
export interface PlanModel extends CacheLayout, ComputeShape {
  readonly tensors: readonly PlanTensor[];
  readonly sizeBytes: number;
  /** Layers that compute tokens: prediction layers are not among them. */
  readonly layers: number;
  /** Routed experts of a layer; 0: no mixture of experts. */
  readonly expertCount: number;
}

/** What there is, and what is wanted. */
export interface PlanRequest {
  readonly devices: readonly { readonly name: string; readonly bytes: number }[];
  /** System memory; undefined: not told. */
  readonly ramBytes: number | undefined;
  readonly contextSize: number;
  readonly cacheTypeK: string;
  readonly cacheTypeV: string;
  readonly ubatchSize: number;
  /** Left free on each device. */
  readonly marginBytes: number;
}

/** What one place holds. Unit of all numbers: bytes. */
export interface PlanPlace {
  /** Name of the device; `CPU` is system memory. */
  readonly name: string;
  /** Undefined for system memory that was not told of. */
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
  readonly layers: number;
  /** Of these layers, those whose experts are here too. */
  readonly expertLayers: number;
}

/** A plan. */
export interface Placement {
  /** `all`: everything on the devices. `experts`: attention and shared experts of every layer there, experts of some. `layers`: the last layers only. `cpu`: nothing. */
  readonly kind: "all" | "experts" | "layers" | "cpu";
  /** What `loadModel` takes; the output counts as one layer more. */
  readonly gpuLayers: number | "all";
  readonly tensorOverrides: readonly { readonly pattern: string; readonly buffer: string }[];
  /** Layers of each device, where there are several. */
  readonly tensorSplit: readonly number[] | undefined;
  /** Layers of which all but routed experts are on devices; and those of which these are there too. */
  readonly denseLayers: number;
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
  readonly compute: number;
  /** Of each device, what weights and cache may take. */
  readonly budgets: readonly number[];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Layers in order, cut into one run a device: `start` of the first, then where each ends. The output goes with the last. */
type Runs = readonly { readonly start: number; readonly end: number }[];

/** Shares of `count` layers by budget, none lost to rounding. */
function runsFor(first: number, layers: number, budgets: readonly number[]): Runs {
  const total = sum(budgets);
  let [start, used] = [first, 0];
  return budgets.map((budget, i) => {
    used += budget;
    const end = i === budgets.length - 1 ? layers : Math.max(start, first + Math.round(((layers - first) * used) / total));
    const run = { start, end };
    start = end;
    return run;
  });
}

const layersOf = ({ start, end }: Runs[number]): number[] => Array.from({ length: end - start }, (_, i) => start + i);

/** What is left of each device's budget when it holds a run of layers without routed experts; negative: it does not fit. */
function roomBesideDense({ groups, cache, budgets }: Costs, runs: Runs): number[] {
  return runs.map((run, device) => {
    const layers = sum(layersOf(run).map((layer) => (groups.dense[layer] ?? 0) + (cache[layer] ?? 0)));
    return (budgets[device] ?? 0) - layers - (device === runs.length - 1 ? groups.output : 0);
  });
}

/** The layers of each run whose experts fit into the room, from the last one on. */
function expertsThatFit({ groups }: Costs, runs: Runs, room: readonly number[]): Set<number> {
  const fitting = new Set<number>();
  runs.forEach((run, device) => {
    let left = room[device] ?? 0;
    for (const layer of layersOf(run).reverse()) {
      const bytes = groups.experts[layer] ?? 0;
      if (bytes > left) break;
      left -= bytes;
      fitting.add(layer);
    }
  });
  return fitting;
}

/** Numbers as a regular expression that fits just these. */
const anyOf = (layers: readonly number[]): string => `^blk\\.(${layers.join("|")})\\.ffn_.*_exps\\.`;

function placesOf(costs: Costs, runs: Runs, withExperts: ReadonlySet<number>): PlanPlace[] {
  const { model, request, groups, cache, compute } = costs;
  const activeShare = model.expertCount > 0 ? model.expertsUsed / model.expertCount : 1;
  const onDevices = new Set(runs.flatMap(layersOf));
  const place = (
    name: string,
    capacityBytes: number | undefined,
    dense: readonly number[],
    experts: readonly number[],
    extra: number,
    read: number,
  ): PlanPlace => {
    const expertBytes = sum(experts.map((layer) => groups.experts[layer] ?? 0));
    const denseBytes = sum(dense.map((layer) => groups.dense[layer] ?? 0));
    const isUsed = dense.length + experts.length > 0 || extra > 0;
    return {
      name,
      capacityBytes,
      weightsBytes: denseBytes + expertBytes + extra,
      expertBytes,
      cacheBytes: sum(dense.map((layer) => cache[layer] ?? 0)),
      computeBytes: isUsed ? compute : 0,
      readPerTokenBytes: Math.round(denseBytes + expertBytes * activeShare + read),
      layers: dense.length,
      expertLayers: experts.filter((layer) => (groups.experts[layer] ?? 0) > 0).length,
    };
  };
  const all = Array.from({ length: model.layers }, (_, layer) => layer);
  const devices = request.devices.map(({ name, bytes }, device) => {
    const run = runs[device];
    const mine = run === undefined ? [] : layersOf(run);
    const output = runs.length > 0 && device === runs.length - 1 ? groups.output : 0;
    return place(
      name,
      bytes,
      mine,
      mine.filter((layer) => withExperts.has(layer)),
      output,
      output,
    );
  });
  const isOutputHere = runs.length === 0;
  const host = place(
    "CPU",
    request.ramBytes,
    all.filter((layer) => !onDevices.has(layer)),
    all.filter((layer) => !withExperts.has(layer)),
    groups.embedding + (isOutputHere ? groups.outputOnHost : 0),
    isOutputHere ? groups.output : 0,
  );
  return [...devices, host];
}

/** Runs of the last layers that fit, with all their weights or without their experts; undefined when not even the output does. */
function lastLayersThatFit(costs: Costs, withExperts: boolean): Runs | undefined {
  const { model, budgets } = costs;
  for (let first = 0; first <= model.layers; first++) {
    const runs = runsFor(first, model.layers, budgets);
    const room = roomBesideDense(costs, runs);
    const needed = runs.map((run) => (withExperts ? sum(layersOf(run).map((layer) => costs.groups.experts[layer] ?? 0)) : 0));
    if (room.every((left, device) => left >= (needed[device] ?? 0))) return runs;
  }
  return undefined;
}

/** Places a model: everything on the devices, else everything but some experts, else the last layers. */
export function place(model: PlanModel, request: PlanRequest): Placement {
  const groups = groupWeights(model.tensors, model.layers);
  const cells = cacheCells(request.contextSize);
  const cache = Array.from({ length: model.layers }, (_, layer) => cells * cacheBytesPerToken(model, layer, request.cacheTypeK, request.cacheTypeV));
  const compute = computeBytes(model, request.ubatchSize);
  const budgets = request.devices.map(({ bytes }) => Math.max(0, bytes - request.marginBytes - compute));
  const costs = { model, request, groups, cache, compute, budgets };
  const nothing: Placement = {
    kind: "cpu",
    gpuLayers: 0,
    tensorOverrides: [],
    tensorSplit: undefined,
    denseLayers: 0,
    expertLayers: 0,
    places: placesOf(costs, [], new Set()),
  };
  if (sum(budgets) === 0) return nothing;
  const isMoe = sum(groups.experts) > 0;
  // Attention and shared experts work on every token, a routed expert on one in 32: they come first.
  const runs = lastLayersThatFit(costs, !isMoe);
  if (runs === undefined) return nothing;
  const withExperts = expertsThatFit(costs, runs, roomBesideDense(costs, runs));
  const onDevices = runs.flatMap(layersOf);
  const onHost = onDevices.filter((layer) => !withExperts.has(layer) && (groups.experts[layer] ?? 0) > 0);
  const isWhole = onDevices.length === model.layers;
  const kind = isWhole ? (onHost.length === 0 ? "all" : "experts") : "layers";
  const split = runs.map(({ start, end }, i) => end - start + (i === runs.length - 1 ? 1 : 0));
  return {
    kind,
    gpuLayers: isWhole ? "all" : onDevices.length + 1,
    tensorOverrides: onHost.length === 0 ? [] : [{ pattern: anyOf(onHost), buffer: "CPU" }],
    tensorSplit: runs.length > 1 ? split : undefined,
    denseLayers: onDevices.length,
    expertLayers: onDevices.filter((layer) => withExperts.has(layer) && (groups.experts[layer] ?? 0) > 0).length,
    places: placesOf(costs, runs, withExperts),
  };
}
