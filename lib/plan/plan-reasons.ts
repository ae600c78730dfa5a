// Describes a plan in words. Pure.
import type { OffloadPlan } from "./offload-plan.js";

const gib = (bytes: number): string =>
  bytes > 0 && bytes < 2 ** 30 / 10
    ? `${(bytes / 2 ** 20).toFixed(1)} MiB`
    : `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function placementReason({ placement, layers, experts }: Omit<OffloadPlan, "reasons">): string {
  const { kind, denseLayers, expertLayers } = placement;
  if (kind === "all") return `Everything fits: all ${layers} layers and the output go on the GPU.`;
  if (kind === "experts") {
    return `All ${layers} layers' attention and shared experts go on the GPU, with the routed experts of ${expertLayers} layers; those of the other layers stay in system memory.`;
  }
  if (kind === "layers") {
    return experts > 0
      ? `Of ${denseLayers} of ${layers} layers attention and shared experts go on the GPU, with the routed experts of ${expertLayers}; all else stays in system memory.`
      : `The last ${denseLayers} of ${layers} layers and the output go on the GPU; the others stay in system memory.`;
  }
  return "No GPU memory is left beside the margin and the compute buffers: everything stays in system memory.";
}

function memoryReasons(
  { residentBytes, pageableBytes, fitsInRam }: Omit<OffloadPlan, "reasons">,
  ramBytes: number | undefined,
): string[] {
  const needs = `${gib(residentBytes)} must be in system memory${pageableBytes > 0 ? `, and ${gib(pageableBytes)} of routed experts are read from there` : ""}.`;
  if (ramBytes === undefined || fitsInRam === undefined) return [needs];
  if (fitsInRam) return [needs, `${gib(ramBytes)} of it hold all that.`];
  if (residentBytes > ramBytes)
    return [
      needs,
      `${gib(ramBytes)} of it are too few: take a smaller quant, a shorter context or a quantised cache.`,
    ];
  const missing = residentBytes + pageableBytes - ramBytes;
  return [
    needs,
    `${gib(ramBytes)} of it leave ${gib(missing)} of the experts on disk: with mmap it runs, at the speed of the disk.`,
  ];
}

/**
 * The two answers side by side: "24 GiB: 7 whole layers by the rule; or all 61 layers' attention
 * and the experts of 5."
 */
function headline({ rule, placement, layers, experts }: Omit<OffloadPlan, "reasons">): string {
  const { kind, denseLayers, expertLayers } = placement;
  const gpus = placement.places
    .slice(0, -1)
    .map(({ capacityBytes }) => String(Number(((capacityBytes ?? 0) / 2 ** 30).toFixed(1))));
  const ruled = `${gpus.join(" + ")} GiB: ${rule.layers} whole layers by the rule`;
  if (kind === "all")
    return rule.layers >= layers
      ? `${ruled}, and everything fits.`
      : `${ruled}; but everything fits.`;
  if (kind === "cpu") return `${ruled}; but not even the compute buffers fit beside the margin.`;
  if (experts === 0) return `${ruled}; ${denseLayers} by their sizes.`;
  const dense =
    kind === "experts"
      ? `all ${layers} layers' attention`
      : `the attention of ${denseLayers} of ${layers} layers`;
  return `${ruled}; or ${dense} and ${expertLayers === 0 ? "no layer's experts" : `the experts of ${expertLayers}`}.`;
}

/** Describes the bound on the rate: what it consists of and what it leaves out. */
function rateReason(
  { tokensPerSecondBound, bandwidth, placement, fitsInRam }: Omit<OffloadPlan, "reasons">,
  isMeasured: boolean,
): string[] {
  if (tokensPerSecondBound === undefined) return [];
  const { gpu, ram, disk } = bandwidth;
  const speed = (name: string, value: number | undefined): string =>
    value === undefined ? "" : `${name} ${Number(value.toPrecision(3))} GB/s`;
  const rates = [
    speed("GPU", gpu),
    speed(isMeasured ? "measured here: memory" : "memory", ram),
    speed("disk", disk),
  ].filter((text) => text !== "");
  const reads = ({ readPerTokenBytes }: { readPerTokenBytes: number }): boolean =>
    readPerTokenBytes > 0;
  const missing = [
    ...(gpu === undefined && placement.places.slice(0, -1).some(reads) ? ["the GPU"] : []),
    ...(ram === undefined && placement.places.slice(-1).some(reads) ? ["system memory"] : []),
    ...(disk === undefined && fitsInRam === false ? ["the disk"] : []),
  ];
  const left =
    missing.length === 0 ? "" : ` Not counted, for want of a bandwidth: ${missing.join(" and ")}.`;
  return [
    `Reading the weights allows at most ${Number(tokensPerSecondBound.toPrecision(3))} ` +
      `tokens a second (${rates.join(", ")}).${left}`,
  ];
}

/** Returns the description of a plan, one sentence per line. */
export function reasonsOf(
  plan: Omit<OffloadPlan, "reasons">,
  ramBytes: number | undefined,
  isMeasured: boolean,
): readonly string[] {
  const { rule, placement, cache } = plan;
  const reasons: string[] = [];
  if (placement.places.length > 1) {
    const table =
      rule.published === undefined || rule.published === rule.layers
        ? ""
        : ` (the published table says ${rule.published})`;
    reasons.push(headline(plan));
    reasons.push(
      `By the published rule ${rule.formula}: ${rule.layers} whole layers on the GPU${table}; one fewer if memory runs out.`,
      placementReason(plan),
    );
  } else reasons.push("There is no GPU: everything stays in system memory.");
  reasons.push(
    `The ${cache.typeK} cache takes ${cache.bytesPerToken} bytes a token, ${gib(cache.bytes)} in all.`,
  );
  reasons.push(...memoryReasons(plan, ramBytes), ...rateReason(plan, isMeasured));
  return reasons;
}
