// A plan in words. Pure; runs on any JavaScript thread.
import type { OffloadPlan } from "./plan-offload.js";

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

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

function memoryReasons({ residentBytes, pageableBytes, fitsInRam }: Omit<OffloadPlan, "reasons">, ramBytes: number | undefined): string[] {
  const needs = `${gib(residentBytes)} must be in system memory${pageableBytes > 0 ? `, and ${gib(pageableBytes)} of routed experts are read from there` : ""}.`;
  if (ramBytes === undefined || fitsInRam === undefined) return [needs];
  if (fitsInRam) return [needs, `${gib(ramBytes)} of it hold all that.`];
  if (residentBytes > ramBytes) return [needs, `${gib(ramBytes)} of it are too few: take a smaller quant, a shorter context or a quantised cache.`];
  const missing = residentBytes + pageableBytes - ramBytes;
  return [needs, `${gib(ramBytes)} of it leave ${gib(missing)} of the experts on disk: with mmap it runs, at the speed of the disk.`];
}

/** What a plan says, a sentence a line. */
export function reasonsOf(plan: Omit<OffloadPlan, "reasons">, ramBytes: number | undefined): readonly string[] {
  const { rule, placement, cache, tokensPerSecondBound } = plan;
  const hasGpu = placement.places.length > 1;
  const reasons: string[] = [];
  if (hasGpu) {
    const table = rule.published === undefined || rule.published === rule.layers ? "" : ` (the published table says ${rule.published})`;
    reasons.push(`By the published rule ${rule.formula}: ${rule.layers} whole layers on the GPU${table}; one fewer if memory runs out.`, placementReason(plan));
  } else reasons.push("There is no GPU: everything stays in system memory.");
  reasons.push(`The ${cache.typeK} cache takes ${cache.bytesPerToken} bytes a token, ${gib(cache.bytes)} in all.`);
  reasons.push(...memoryReasons(plan, ramBytes));
  if (tokensPerSecondBound !== undefined) reasons.push(`Reading the weights allows at most ${tokensPerSecondBound.toPrecision(3)} tokens a second.`);
  return reasons;
}
